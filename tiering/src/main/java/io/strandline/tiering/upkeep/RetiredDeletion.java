package io.strandline.tiering.upkeep;

import io.micrometer.core.instrument.Counter;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.RetiredObjects;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/** Deletes objects whose grace is over, and has the manifest forget them. */
public final class RetiredDeletion implements Chore {
  private static final int PAGE = 256;

  private final RetiredObjects retired;
  private final Counter forgottenSegments;
  private final long everyMs;

  public RetiredDeletion(RetiredObjects retired, Counter forgottenSegments, long everyMs) {
    this.retired = retired;
    this.forgottenSegments = forgottenSegments;
    this.everyMs = everyMs;
  }

  @Override
  public String name() {
    return "deletion";
  }

  @Override
  public boolean afterCommit() {
    return true;
  }

  @Override
  public long pauseMs(int done) {
    return done > 0 ? 0 : everyMs;
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    return retired
        .delete(writer, PAGE)
        .thenApply(
            forgotten -> {
              forgottenSegments.increment(forgotten);
              return forgotten;
            });
  }
}
