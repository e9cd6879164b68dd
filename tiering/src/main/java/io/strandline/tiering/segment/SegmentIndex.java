package io.strandline.tiering.segment;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * What a tiered segment knows of itself besides its batches. Positions count from the segment's
 * first byte. Immutable; threads: any.
 */
public final class SegmentIndex {
  SegmentIndex() {}

  /** Where to begin to read so as to meet the batch that covers the offset: at or before it. */
  public long positionOf(long offset) {
    return notYet(0L);
  }

  /**
   * Where to begin to read so as to meet the first record whose timestamp is at least {@code
   * timestampMs}: none lies before.
   */
  public long positionReaching(long timestampMs) {
    return notYet(0L);
  }

  /** Aborted transactions that overlap {@code [fromOffset, toOffset)}. */
  public List<AbortedTransaction> abortedTransactions(long fromOffset, long toOffset) {
    return notYet(List.of());
  }

  /** Every epoch with a batch below the segment's end, ascending, from the log's start on. */
  public List<EpochStart> leaderEpochs() {
    return notYet(List.of());
  }

  /** Kafka's producer snapshot at the segment's end offset. */
  public Optional<ByteBuffer> producerSnapshot() {
    return notYet(Optional.empty());
  }

  /** Memory held, for a cache's bookkeeping. */
  public int weightBytes() {
    return notYet(0);
  }

  private static <T> T notYet(T example) {
    throw new UnsupportedOperationException("not yet " + example);
  }
}
