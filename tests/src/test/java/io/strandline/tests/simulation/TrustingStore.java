package io.strandline.tests.simulation;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreCall;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The defect that the manifest's second look exists for: whoever won a PUT is told, when it looks,
 * that its version is the newest. Shows that the simulation can fail.
 */
final class TrustingStore extends DecoratedObjectStore {
  private final AtomicReference<@Nullable ObjectInfo> won = new AtomicReference<>();

  TrustingStore(ObjectStore inner) {
    super(inner);
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    return action.get();
  }

  @Override
  public CompletableFuture<ObjectInfo> putIfAbsent(ObjectKey key, Payload payload) {
    return super.putIfAbsent(key, payload)
        .thenApply(
            info -> {
              won.set(info);
              return info;
            });
  }

  @Override
  public CompletableFuture<Page> list(String prefix, String after, int limit) {
    ObjectInfo mine = won.getAndSet(null);
    return mine != null && limit == 1 && mine.key().value().startsWith(prefix)
        ? CompletableFuture.completedFuture(new Page(List.of(mine), true))
        : super.list(prefix, after, limit);
  }
}
