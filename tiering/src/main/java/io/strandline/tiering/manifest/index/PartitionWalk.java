package io.strandline.tiering.manifest.index;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicIdPartition;

/** Finds the partitions in a store; what lies further below one is skipped, not listed. */
public final class PartitionWalk {
  private static final int LIST_LIMIT = 1000;

  private final ObjectStore store;
  private final Executor executor;
  private final List<TopicIdPartition> found = new ArrayList<>();

  private PartitionWalk(ObjectStore store, Executor executor) {
    this.store = store;
    this.executor = executor;
  }

  /**
   * All partitions, in the order of keys, without the names of their topics.
   *
   * @param executor where pages of keys are looked through
   */
  public static CompletableFuture<List<TopicIdPartition>> over(
      ObjectStore store, Executor executor) {
    return new PartitionWalk(store, executor).after("");
  }

  private CompletableFuture<List<TopicIdPartition>> after(String key) {
    return store
        .list("", key, LIST_LIMIT)
        .thenComposeAsync(
            page -> {
              String last = key;
              for (ObjectInfo info : page.objects()) {
                last = take(info);
              }
              return page.more()
                  ? after(last)
                  : CompletableFuture.completedFuture(List.copyOf(found));
            },
            executor);
  }

  /** Returns what to go on after. */
  private String take(ObjectInfo info) {
    Optional<TopicIdPartition> partition = ManifestKeys.partition(info.key());
    if (partition.isEmpty()) {
      return info.key().value();
    }
    if (found.isEmpty() || !found.get(found.size() - 1).equals(partition.get())) {
      found.add(partition.get());
    }
    return ManifestKeys.after(partition.get());
  }
}
