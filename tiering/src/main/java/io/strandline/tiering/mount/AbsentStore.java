package io.strandline.tiering.mount;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** In the place of a store that is not known: it may become so, hence it is away. */
final class AbsentStore extends DecoratedObjectStore {
  private final String cluster;

  /**
   * @param any never called
   */
  AbsentStore(ObjectStore any, String cluster) {
    super(any);
    this.cluster = cluster;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    return CompletableFuture.failedFuture(
        new StoreException.Unavailable(
            call + ": no store of cluster " + cluster + " has answered", null));
  }

  @Override
  public String describe() {
    return "the store of cluster " + cluster;
  }

  @Override
  public void close() {}
}
