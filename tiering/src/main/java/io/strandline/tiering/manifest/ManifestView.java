package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/**
 * One immutable version of what the tier holds of a partition. Look-ups may have to fetch an index
 * page and are therefore asynchronous; what the head knows is answered at once. Threads: any.
 */
public interface ManifestView {
  TopicIdPartition partition();

  /** Number of this version; 0 when nothing was ever committed. */
  long version();

  /** Leader epoch of the writer; -1 when nothing was ever committed. */
  int leaderEpoch();

  /** First offset still held; equals {@link #endOffset()} when nothing is held. */
  long startOffset();

  /** Offset after the last one held: where the hot log's own copy must begin at the latest. */
  long endOffset();

  /** Sum of the lengths of all segments held. */
  long sizeBytes();

  int segmentCount();

  /** How many segments readers no longer look for and whose objects this version still names. */
  int retiredCount();

  /** How far compaction has come; nothing in it lies outside of start and end. */
  Compaction compaction();

  /** Whether the partition was deleted: a terminal version. */
  boolean deleted();

  /** The segment that covers the offset, if any does. */
  CompletableFuture<Optional<SegmentEntry>> find(long offset);

  /**
   * At most {@code max} segments in order of offsets, the first being the one that covers or
   * follows the offset.
   */
  CompletableFuture<List<SegmentEntry>> from(long offset, int max);

  /**
   * At most {@code max} segments that readers no longer look for and whose objects this version
   * still names, oldest first.
   */
  CompletableFuture<List<RetiredSegment>> retired(int max);

  /**
   * As {@link #from}, as a proof that local bytes may go: this version is durable and names them.
   */
  default CompletableFuture<List<CommittedSegment>> committedFrom(long offset, int max) {
    return from(offset, max)
        .thenApply(
            entries -> entries.stream().map(e -> new CommittedSegment(e, version())).toList());
  }

  /**
   * The first segment, in order of offsets, whose largest timestamp is at least {@code
   * timestampMs}.
   */
  default CompletableFuture<Optional<SegmentEntry>> firstReaching(long timestampMs) {
    return firstReaching(timestampMs, startOffset());
  }

  /** The same among those that cover or follow the offset. Costs a request a level of the index. */
  CompletableFuture<Optional<SegmentEntry>> firstReaching(long timestampMs, long offset);

  /**
   * Sum of the lengths of the segments that cover or follow the offset. Costs a request a level of
   * the index, however many there are.
   */
  CompletableFuture<Long> bytesFrom(long offset);

  /**
   * The segment whose largest timestamp is the largest of all that are held, the first if there are
   * several; nothing if none has any. Costs at most two requests a level of the index.
   */
  CompletableFuture<Optional<SegmentEntry>> maxTimestampSegment();
}
