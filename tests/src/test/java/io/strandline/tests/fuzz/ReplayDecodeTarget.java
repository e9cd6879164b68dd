package io.strandline.tests.fuzz;

import io.strandline.replay.decode.BatchCut;
import io.strandline.replay.decode.BatchCutter;
import io.strandline.replay.decode.ByteRun;
import io.strandline.replay.decode.TimestampScan;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.SegmentFormatException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.InvalidRecordException;

/** Batches out of the tier, in pieces cut anywhere. */
final class ReplayDecodeTarget implements FuzzTarget {
  private static final BatchCutter.Bounds ANYWHERE = new BatchCutter.Bounds(0, Long.MAX_VALUE);

  @Override
  public String name() {
    return "replayDecode";
  }

  /** A seed for the cuts, how much more data there is said to be, then batches. */
  @Override
  public byte[] input(Random chance) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    int count = chance.nextInt(5);
    long offset = 100;
    for (int i = 0; i < count; i++) {
      all.writeBytes(Batches.any(new Batches.Place(offset, 1, 1_000 + 20L * i), chance));
      offset += 12;
    }
    byte[] bytes = all.toByteArray();
    if (chance.nextInt(4) == 0) {
      bytes = Mutations.some(bytes, chance);
    }
    long more = chance.nextInt(3) > 0 ? 0 : chance.nextInt() & 0xffff_ffffL;
    return ByteBuffer.allocate(16 + bytes.length)
        .putLong(chance.nextLong())
        .putLong(more)
        .put(bytes)
        .array();
  }

  @Override
  public void decode(byte[] input) {
    ByteBuffer in = ByteBuffer.wrap(input);
    Random cuts = new Random(in.getLong());
    long dataBytes = in.getLong() + in.remaining();
    ByteRun run = new ByteRun(pieces(in.slice(), cuts));
    BatchCutter.Limits limits =
        new BatchCutter.Limits(
            100 + cuts.nextInt(40),
            100 + cuts.nextInt(90),
            cuts.nextBoolean() ? Integer.MAX_VALUE : cuts.nextInt(2_000),
            cuts.nextBoolean());
    cut(run, dataBytes, limits);
    TimestampScan.Step step =
        new TimestampScan(100, 1_000 + cuts.nextInt(60), BatchBounds.defaults())
            .scan(run, dataBytes, ANYWHERE);
    if (step.neededBytes() < 0
        || (step.found().isEmpty() && step.scannedBytes() > run.lengthBytes())) {
      throw new AssertionError("let through: " + step);
    }
  }

  private static void cut(ByteRun run, long dataBytes, BatchCutter.Limits limits) {
    BatchCut cut;
    try {
      cut = new BatchCutter(run, dataBytes, ANYWHERE).cut(limits);
    } catch (SegmentFormatException damaged) {
      return;
    }
    boolean more = cut.neededBytes() == 0 || cut.neededBytes() > run.lengthBytes();
    int at = cut.from();
    while (at < cut.to()) {
      at += requireSound(run.joined(at, cut.to()));
    }
    if (cut.from() < 0 || cut.to() < cut.from() || cut.to() > run.lengthBytes() || !more) {
      throw new AssertionError("let through: " + cut + " of " + run.lengthBytes());
    }
  }

  /** Length of the batch in front. */
  private static int requireSound(ByteBuffer bytes) {
    int length = bytes.getInt(8) + 12;
    byte[] batch = new byte[length];
    bytes.get(bytes.position(), batch);
    if (Crc.of(batch, 21, length) != ByteBuffer.wrap(batch).getInt(17)) {
      throw new AssertionError("a damaged batch was let through");
    }
    return length;
  }

  private static List<ByteBuffer> pieces(ByteBuffer bytes, Random cuts) {
    List<ByteBuffer> pieces = new ArrayList<>();
    int at = 0;
    while (at < bytes.limit()) {
      int length = Math.min(1 + cuts.nextInt(400), bytes.limit() - at);
      pieces.add(bytes.slice(at, length));
      at += length;
    }
    return pieces;
  }

  @Override
  public boolean promises(Throwable failure) {
    return failure instanceof SegmentFormatException || failure instanceof InvalidRecordException;
  }

  @Override
  public Allowance allowance() {
    return Batches.DECODED;
  }
}
