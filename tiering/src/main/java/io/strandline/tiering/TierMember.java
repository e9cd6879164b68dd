package io.strandline.tiering;

import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.seal.SegmentSource;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A partition that this broker leads, as the pipeline sees it. Suppliers are asked from any thread
 * and do not block.
 *
 * @param stableOffset the lower of high watermark and last stable offset
 * @param leaderEpoch in which this broker leads
 * @param policy of the topic as it is configured now
 * @param copies whether the segments of other clusters that its manifest names are to be copied
 */
public record TierMember(
    SegmentSource source,
    LocalSegments local,
    LongSupplier stableOffset,
    int leaderEpoch,
    Supplier<TierPolicy> policy,
    Compactable compaction,
    BooleanSupplier copies) {
  /** A partition with nothing to copy. */
  public TierMember(
      SegmentSource source,
      LocalSegments local,
      LongSupplier stableOffset,
      int leaderEpoch,
      Supplier<TierPolicy> policy,
      Compactable compaction) {
    this(source, local, stableOffset, leaderEpoch, policy, compaction, () -> false);
  }

  /** A partition that is not compacted. */
  public TierMember(
      SegmentSource source,
      LocalSegments local,
      LongSupplier stableOffset,
      int leaderEpoch,
      Supplier<TierPolicy> policy) {
    this(source, local, stableOffset, leaderEpoch, policy, Compactable.NEVER);
  }

  public TopicIdPartition partition() {
    return source.partition();
  }
}
