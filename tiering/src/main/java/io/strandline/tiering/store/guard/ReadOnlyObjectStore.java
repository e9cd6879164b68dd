package io.strandline.tiering.store.guard;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * A store that is another cluster's: every call that could change it fails with {@link
 * StoreException.Refused} and never leaves this process.
 */
public final class ReadOnlyObjectStore extends DecoratedObjectStore {
  private final ObjectStore inner;

  public ReadOnlyObjectStore(ObjectStore inner) {
    super(inner);
    this.inner = inner;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    return call.operation().writes()
        ? CompletableFuture.failedFuture(
            new StoreException.Refused(
                inner.describe() + " is only read here, refused: " + call, null))
        : action.get();
  }
}
