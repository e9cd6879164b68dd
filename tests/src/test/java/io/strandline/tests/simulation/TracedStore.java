package io.strandline.tests.simulation;

import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;

/**
 * The bucket itself, behind all faults, as the checks watch it: each change at the instant at which
 * it takes effect.
 */
final class TracedStore extends DecoratedObjectStore {
  /** Who watches. */
  interface Watcher {
    /** A version was written, perhaps not the newest. */
    void versionWritten();

    void segmentWritten(ObjectKey key);

    /** Before they are. */
    void deleting(ObjectKey key);
  }

  private final TopicIdPartition partition;
  private final Trace trace;
  private final Watcher watcher;

  TracedStore(ObjectStore inner, TopicIdPartition partition, Trace trace, Watcher watcher) {
    super(inner);
    this.partition = partition;
    this.trace = trace;
    this.watcher = watcher;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    trace.add("bucket " + call);
    CompletableFuture<T> done = action.get();
    boolean changed = call.operation().writes() && !done.isCompletedExceptionally();
    if (changed && call.operation() != StoreCall.Operation.DELETE) {
      ObjectKey key = ObjectKey.of(call.subject());
      if (SegmentId.parse(key).isPresent()) {
        watcher.segmentWritten(key);
      } else if (key.value().startsWith(ManifestKeys.versionPrefix(partition))
          || key.equals(ManifestKeys.head(partition))) {
        watcher.versionWritten();
      }
    }
    return done;
  }

  @Override
  public CompletableFuture<Void> delete(Collection<ObjectKey> keys) {
    keys.forEach(watcher::deleting);
    return super.delete(keys);
  }
}
