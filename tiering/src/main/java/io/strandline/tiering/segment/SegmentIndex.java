package io.strandline.tiering.segment;

import io.strandline.tiering.segment.SegmentFooter.Section;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a tiered segment knows of itself besides its batches. Positions count from the segment's
 * first byte. Immutable; threads: any.
 */
public final class SegmentIndex {
  private static final int OVERHEAD_BYTES = 512;

  private final SegmentFooter footer;
  private final int[] offsets;
  private final int[] offsetPositions;
  private final long[] timestamps;
  private final int[] timePositions;
  private final List<AbortedTransaction> aborted;
  private final List<EpochStart> epochs;
  private final ByteBuffer snapshot;

  /**
   * @param sections each section's bytes, checksums already verified
   * @throws SegmentFormatException if an index does not ascend or points outside of the batches
   */
  SegmentIndex(SegmentFooter footer, Map<Section, ByteBuffer> sections) {
    this.footer = footer;
    Map<Section, ByteBuffer> in = new EnumMap<>(Section.class);
    sections.forEach((s, bytes) -> in.put(s, bytes.duplicate()));
    ByteBuffer offsetIndex = section(in, Section.OFFSET_INDEX);
    int n = offsetIndex.remaining() / Section.OFFSET_INDEX.entryBytes();
    offsets = new int[n];
    offsetPositions = new int[n];
    for (int i = 0; i < n; i++) {
      offsets[i] = offsetIndex.getInt();
      offsetPositions[i] = position(offsetIndex.getInt());
      check(i == 0 || Integer.compareUnsigned(offsets[i - 1], offsets[i]) < 0, "offset index");
      check(i == 0 || ascends(offsetPositions, i), "offset index");
    }
    ByteBuffer timeIndex = section(in, Section.TIME_INDEX);
    n = timeIndex.remaining() / Section.TIME_INDEX.entryBytes();
    timestamps = new long[n];
    timePositions = new int[n];
    for (int i = 0; i < n; i++) {
      timestamps[i] = timeIndex.getLong();
      timePositions[i] = position(timeIndex.getInt());
      check(i == 0 || timestamps[i - 1] < timestamps[i], "time index");
      check(i == 0 || ascends(timePositions, i), "time index");
    }
    aborted = readAborted(section(in, Section.TRANSACTION_INDEX));
    check(aborted.isEmpty() != footer.facts().abortedTransactions(), "transaction index");
    epochs = readEpochs(section(in, Section.LEADER_EPOCHS));
    ByteBuffer s = section(in, Section.PRODUCER_SNAPSHOT);
    snapshot = ByteBuffer.allocate(s.remaining()).put(s).flip().asReadOnlyBuffer();
  }

  public SegmentFooter footer() {
    return footer;
  }

  /** Where to begin to read so as to meet the batch that covers the offset: at or before it. */
  public long positionOf(long offset) {
    long relative = offset - footer.facts().baseOffset();
    int low = 0;
    int high = offsets.length;
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (Integer.toUnsignedLong(offsets[mid]) <= relative) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    return low == 0 ? 0 : Integer.toUnsignedLong(offsetPositions[low - 1]);
  }

  /**
   * Where to begin to read so as to meet the first record whose timestamp is at least {@code
   * timestampMs}: none lies before.
   */
  public long positionReaching(long timestampMs) {
    int low = 0;
    int high = timestamps.length;
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (timestamps[mid] < timestampMs) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    return low == 0 ? 0 : Integer.toUnsignedLong(timePositions[low - 1]);
  }

  /** Aborted transactions that overlap {@code [fromOffset, toOffset)}. */
  public List<AbortedTransaction> abortedTransactions(long fromOffset, long toOffset) {
    return aborted.stream().filter(t -> t.overlaps(fromOffset, toOffset)).toList();
  }

  /** Every epoch with a batch below the segment's end, ascending, from the log's start on. */
  public List<EpochStart> leaderEpochs() {
    return epochs;
  }

  /** Kafka's producer snapshot at the segment's end offset; read-only. */
  public Optional<ByteBuffer> producerSnapshot() {
    return snapshot.hasRemaining() ? Optional.of(snapshot.duplicate()) : Optional.empty();
  }

  /** Memory held, for a cache's bookkeeping. */
  public int weightBytes() {
    return OVERHEAD_BYTES
        + 8 * offsets.length
        + 12 * timestamps.length
        + 48 * aborted.size()
        + 32 * epochs.size()
        + snapshot.remaining();
  }

  private int position(int position) {
    check(Integer.toUnsignedLong(position) < footer.dataBytes(), "index position");
    return position;
  }

  private static boolean ascends(int[] unsigned, int i) {
    return Integer.compareUnsigned(unsigned[i - 1], unsigned[i]) < 0;
  }

  private static List<AbortedTransaction> readAborted(ByteBuffer in) {
    List<AbortedTransaction> out = new ArrayList<>();
    while (in.hasRemaining()) {
      out.add(new AbortedTransaction(in.getLong(), in.getLong(), in.getLong(), in.getLong()));
    }
    return List.copyOf(out);
  }

  private static List<EpochStart> readEpochs(ByteBuffer in) {
    List<EpochStart> out = new ArrayList<>();
    while (in.hasRemaining()) {
      EpochStart epoch = new EpochStart(in.getInt(), in.getLong());
      check(
          out.isEmpty() || out.get(out.size() - 1).leaderEpoch() < epoch.leaderEpoch(),
          "leader epochs");
      out.add(epoch);
    }
    return List.copyOf(out);
  }

  private static ByteBuffer section(Map<Section, ByteBuffer> sections, Section section) {
    ByteBuffer bytes = sections.get(section);
    check(bytes != null, section.name());
    return bytes == null ? ByteBuffer.allocate(0) : bytes;
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new SegmentFormatException("the " + what + " contradicts itself");
    }
  }
}
