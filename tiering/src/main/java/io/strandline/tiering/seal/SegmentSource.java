package io.strandline.tiering.seal;

import java.util.List;
import org.apache.kafka.common.TopicIdPartition;

/**
 * The hot log as the tier's pipeline sees it. Implemented by the log; threads: any, may block on
 * disk.
 */
public interface SegmentSource {
  TopicIdPartition partition();

  /**
   * Sealed segments, ascending and dense, that end above {@code fromOffset} and at or below {@code
   * limitOffset}, the lower of high watermark and last stable offset. The first may begin below
   * {@code fromOffset}: segments of two replicas need not have the same borders.
   */
  List<SealedSegment> sealedSegments(long fromOffset, long limitOffset, int max);
}
