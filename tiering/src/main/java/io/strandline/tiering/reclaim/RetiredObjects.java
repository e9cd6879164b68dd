package io.strandline.tiering.reclaim;

import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/** Deletes the objects of retired segments whose grace is over, then has them forgotten. */
public final class RetiredObjects {
  private final String cluster;
  private final ObjectStore store;

  /**
   * @param cluster id under whose prefix the store lies
   */
  public RetiredObjects(String cluster, ObjectStore store) {
    this.cluster = cluster;
    this.store = store;
  }

  /**
   * @return how many segments were forgotten; their objects are deleted if this cluster owns them
   *     and they lie below this partition's own prefix; all others are left alone (design D15, D16)
   */
  public CompletableFuture<Integer> delete(ManifestWriter writer, int max) {
    return writer
        .retired(max)
        .thenCompose(
            retired -> {
              if (retired.isEmpty()) {
                return CompletableFuture.completedFuture(0);
              }
              return deleteObjects(writer.view().partition(), retired)
                  .thenCompose(deleted -> writer.forget(retired))
                  .thenApply(view -> retired.size());
            });
  }

  private CompletableFuture<Void> deleteObjects(
      TopicIdPartition partition, List<RetiredSegment> retired) {
    List<ObjectKey> own =
        retired.stream()
            .map(RetiredSegment::entry)
            .filter(entry -> isOwn(partition, entry))
            .map(SegmentEntry::object)
            .toList();
    return own.isEmpty() ? CompletableFuture.completedFuture(null) : store.delete(own);
  }

  private boolean isOwn(TopicIdPartition partition, SegmentEntry entry) {
    Optional<SegmentId> id = SegmentId.parse(entry.object());
    return entry.ownerCluster().equals(cluster)
        && id.isPresent()
        && id.get().topicId().equals(partition.topicId())
        && id.get().partition() == partition.partition()
        && entry.positionBytes() == 0;
  }
}
