package io.strandline.tiering.store.guard;

import java.util.function.LongSupplier;

/**
 * Bytes a second that may go to a store and come from it, asked again for each call, so that they
 * may change; {@link Long#MAX_VALUE} for no limit, at least 1 otherwise.
 */
public record Rates(LongSupplier uploads, LongSupplier downloads) {
  private static final Rates UNLIMITED = new Rates(() -> Long.MAX_VALUE, () -> Long.MAX_VALUE);

  /** No limit in either direction; always the same one. */
  public static Rates unlimited() {
    return UNLIMITED;
  }
}
