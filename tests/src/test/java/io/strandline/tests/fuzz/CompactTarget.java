package io.strandline.tests.fuzz;

import io.strandline.tiering.compact.BatchSink;
import io.strandline.tiering.compact.BatchSource;
import io.strandline.tiering.compact.CompactionConfig;
import io.strandline.tiering.compact.CompactionRound;
import io.strandline.tiering.compact.KeyCompactor;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.BatchBounds;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Compaction of batches of which some do not decode: those stay as they are. */
final class CompactTarget implements FuzzTarget {
  private static final int BUFFER_BYTES = 4096;

  private final KeyCompactor compactor =
      new KeyCompactor(
          new CompactionConfig(24 * 400, 0.9, BUFFER_BYTES, 1 << 20, BatchBounds.defaults()));

  @Override
  public String name() {
    return "compact";
  }

  @Override
  public byte[] input(Random chance) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    int count = 1 + chance.nextInt(6);
    for (int i = 0; i < count; i++) {
      all.writeBytes(Batches.any(new Batches.Place(100 + 12L * i, 1, 1_000), chance));
    }
    byte[] bytes = all.toByteArray();
    return chance.nextInt(5) == 0 ? Mutations.some(bytes, chance) : bytes;
  }

  @Override
  public void decode(byte[] input) throws IOException {
    compactor.reset();
    BatchSource source = new Bytes(input);
    long[] kept = {0};
    BatchSink sink =
        new BatchSink() {
          @Override
          public void append(MemoryRecords batches, long lastOffset) {
            kept[0] += batches.sizeInBytes();
          }

          @Override
          public void aborted(AbortedTransaction transaction) {}
        };
    if (compactor.index(source, 100, 1_000)) {
      compactor.filter(source, sink, new CompactionRound(5_000, 100, 1_000, Map.of()));
    }
    if (kept[0] > 4L * input.length + 4096) {
      throw new AssertionError("compacted from " + input.length + " to " + kept[0]);
    }
  }

  private record Bytes(byte[] bytes) implements BatchSource {
    @Override
    public long sizeBytes() {
      return bytes.length;
    }

    @Override
    public void read(ByteBuffer into, long positionBytes) {
      int length = (int) Math.min(into.remaining(), bytes.length - positionBytes);
      into.put(bytes, (int) positionBytes, length);
    }

    @Override
    public List<AbortedTransaction> abortedTransactions() {
      return List.of();
    }
  }

  /** Frames that are none. */
  @Override
  public boolean promises(Throwable failure) {
    return failure instanceof CorruptRecordException;
  }

  @Override
  public Allowance allowance() {
    return Batches.DECODED;
  }
}
