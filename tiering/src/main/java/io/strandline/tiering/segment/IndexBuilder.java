package io.strandline.tiering.segment;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** Collects facts and sparse indexes while batches pass by. One thread. */
final class IndexBuilder implements BatchScan.Visitor {
  /** More entries would make the tail a read of its own; fewer, a look-up a scan. */
  private static final int ENTRIES_MAX = 4096;

  private static final int INTERVAL_BYTES_MIN = 4096;

  private final long baseOffset;
  private final long intervalBytes;
  private final ByteArrayOutputStream offsets = new ByteArrayOutputStream();
  private final ByteArrayOutputStream times = new ByteArrayOutputStream();
  private long indexedToBytes;
  private long indexedTimestamp = Long.MIN_VALUE;
  private long maxTimestamp = -1;
  private int leaderEpoch = -1;
  private int batchCount;
  private long recordCount;

  IndexBuilder(long baseOffset, long dataBytes) {
    this.baseOffset = baseOffset;
    this.intervalBytes = Math.max(INTERVAL_BYTES_MIN, dataBytes / ENTRIES_MAX);
  }

  @Override
  public void batch(BatchHeader header, long positionBytes) {
    if (positionBytes - indexedToBytes >= intervalBytes) {
      ByteBuffer entry = ByteBuffer.allocate(12);
      entry.putInt((int) (header.baseOffset() - baseOffset)).putInt((int) positionBytes);
      offsets.write(entry.array(), 0, 8);
      if (maxTimestamp > indexedTimestamp) {
        entry.clear().putLong(maxTimestamp).putInt((int) positionBytes);
        times.write(entry.array(), 0, 12);
        indexedTimestamp = maxTimestamp;
      }
      indexedToBytes = positionBytes;
    }
    maxTimestamp = Math.max(maxTimestamp, header.maxTimestamp());
    leaderEpoch = header.leaderEpoch();
    batchCount++;
    recordCount += header.recordCount();
  }

  ByteBuffer offsetIndex() {
    return ByteBuffer.wrap(offsets.toByteArray());
  }

  ByteBuffer timeIndex() {
    return ByteBuffer.wrap(times.toByteArray());
  }

  SegmentFooter.Facts facts(SegmentParts parts) {
    return new SegmentFooter.Facts(
        parts.partition().topicId(),
        parts.partition().partition(),
        baseOffset,
        parts.endOffset(),
        maxTimestamp,
        leaderEpoch,
        batchCount,
        recordCount,
        !parts.abortedTransactions().isEmpty());
  }
}
