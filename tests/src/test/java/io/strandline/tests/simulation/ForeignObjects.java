package io.strandline.tests.simulation;

import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.StoreProbe;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/**
 * What lies in the bucket and is not this partition's (design D15): the owner's mark, a segment and
 * a manifest of a topic that this cluster does not know, and things that none of ours put there.
 */
final class ForeignObjects {
  private static final TopicIdPartition UNKNOWN =
      new TopicIdPartition(new Uuid(8, 9), 3, "unknown");

  private final ObjectStore bucket;
  private final List<ObjectKey> keys;

  ForeignObjects(ObjectStore bucket) {
    this.bucket = bucket;
    String own = SegmentId.prefix(SimulatedCluster.PARTITION.topicId(), 0);
    String other = SegmentId.prefix(UNKNOWN.topicId(), UNKNOWN.partition());
    keys =
        List.of(
            ObjectKey.of(other + "00000000000000000000-0123456789abcdef.seg"),
            ObjectKey.of(ManifestKeys.versionPrefix(UNKNOWN) + "7ffffffffffffffe"),
            ObjectKey.of(own + "notes.txt"),
            ObjectKey.of("somebody/elses"));
    keys.forEach(key -> bucket.put(key, Payload.of(text(key))).join());
    StoreOwner.claim(bucket, SimulatedCluster.CLUSTER, new SplittableRandom(1)).join();
  }

  private static ByteBuffer text(ObjectKey key) {
    return ByteBuffer.wrap(("not ours: " + key).getBytes(StandardCharsets.UTF_8));
  }

  /** Whether the cluster may delete an object of this name at all. */
  static boolean mayDelete(ObjectKey key) {
    TopicIdPartition own = SimulatedCluster.PARTITION;
    return SegmentId.parse(key)
            .filter(id -> id.topicId().equals(own.topicId()) && id.partition() == own.partition())
            .isPresent()
        || key.value().startsWith(ManifestKeys.prefix(own))
        || key.value().startsWith(StoreProbe.PREFIX)
        || MetadataBackups.owns(key);
  }

  /** Throws unless all of it is as it was. */
  void untouched() {
    for (ObjectKey key : keys) {
      ByteBuffer now = bucket.get(key, 1_000).join();
      if (!now.equals(text(key))) {
        throw new AssertionError("OthersUntouched: " + key + " was overwritten");
      }
    }
    if (!StoreOwner.read(bucket).join().equals(java.util.Optional.of(SimulatedCluster.CLUSTER))) {
      throw new AssertionError("OthersUntouched: the owner's mark");
    }
  }
}
