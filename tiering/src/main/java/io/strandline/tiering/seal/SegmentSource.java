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
   * Sealed segments, ascending and dense, that begin at or above {@code fromOffset} and end at or
   * below {@code limitOffset}, the lower of high watermark and last stable offset.
   */
  List<SealedSegment> sealedSegments(long fromOffset, long limitOffset, int max);
}
