package io.strandline.tests.fuzz;

import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFooter;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.ObjectKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Indexes and footer of a tiered segment. Field by field: docs/formats/segment.md. */
final class SegmentTailTarget implements FuzzTarget {
  private static final int SECTIONS_AT = 80;
  private static final int SECTIONS = 5;
  private static final int FOOTER_SUM_AT = SegmentFooter.BYTES - 12;

  private final SegmentEntry entry;
  private final byte[] tail;

  SegmentTailTarget(Path directory) throws IOException {
    TestLog log = TestLog.write(directory.resolve("x.log"), 7, 100, 60);
    Path snapshot = Files.write(directory.resolve("x.snapshot"), new byte[100]);
    SegmentParts parts =
        log.parts(
            100,
            List.of(
                new AbortedTransaction(9, 100, 101, 102),
                new AbortedTransaction(9, 110, 140, 141)));
    EncodedSegment encoded =
        SegmentFormat.encode(
            new SegmentParts(
                parts.partition(),
                parts.log(),
                parts.logBytes(),
                parts.startOffset(),
                parts.endOffset(),
                parts.abortedTransactions(),
                parts.leaderEpochs(),
                Optional.of(snapshot)));
    entry = encoded.entry("cluster", ObjectKey.of("some/key"));
    byte[] object = TestLog.bytesOf(encoded.payload());
    tail = Arrays.copyOfRange(object, (int) SegmentFormat.tailPositionBytes(entry), object.length);
  }

  @Override
  public String name() {
    return "segmentTail";
  }

  /** Whether sums were mended, then the tail. */
  @Override
  public byte[] input(Random chance) {
    byte[] bytes = chance.nextBoolean() ? tail.clone() : Mutations.some(tail, chance);
    int footer = bytes.length - SegmentFooter.BYTES;
    if (footer >= 0) {
      Mutations.inPlace(bytes, chance.nextBoolean() ? footer : 0, bytes.length, chance);
    }
    boolean mended = footer >= 0 && chance.nextInt(8) > 0;
    if (mended) {
      mend(bytes, footer);
    }
    return ByteBuffer.allocate(1 + bytes.length).put((byte) (mended ? 1 : 0)).put(bytes).array();
  }

  private static void mend(byte[] bytes, int footer) {
    ByteBuffer all = ByteBuffer.wrap(bytes);
    int[] lengths = new int[SECTIONS];
    long at = footer;
    for (int i = 0; i < SECTIONS; i++) {
      lengths[i] = all.getInt(footer + SECTIONS_AT + 8 * i);
      at -= lengths[i];
    }
    for (int i = 0; i < SECTIONS; i++) {
      if (at >= 0 && lengths[i] >= 0 && at + lengths[i] <= footer) {
        Crc.mend(bytes, (int) at, (int) at + lengths[i], footer + SECTIONS_AT + 8 * i + 4);
      }
      at += lengths[i];
    }
    Crc.mend(bytes, footer, footer + FOOTER_SUM_AT, footer + FOOTER_SUM_AT);
  }

  @Override
  public void decode(byte[] input) {
    byte[] bytes = Arrays.copyOfRange(input, 1, input.length);
    SegmentIndex index;
    try {
      index = SegmentFormat.decode(entry, ByteBuffer.wrap(bytes));
      if (input[0] == 0 && !Arrays.equals(bytes, tail)) {
        throw new AssertionError("damage went unnoticed");
      }
    } catch (SegmentFormatException anotherOne) {
      index = SegmentFormat.decode(ByteBuffer.wrap(bytes));
    }
    check(index);
  }

  private static void check(SegmentIndex index) {
    SegmentFooter.Facts facts = index.footer().facts();
    if (facts.baseOffset() < 0
        || facts.endOffset() <= facts.baseOffset()
        || facts.partition() < 0
        || facts.batchCount() < 0
        || facts.recordCount() < 0) {
      throw new AssertionError("let through: " + facts);
    }
    long end = index.footer().dataBytes();
    for (long offset : new long[] {0, facts.baseOffset(), facts.endOffset(), Long.MAX_VALUE}) {
      within(index.positionOf(offset), end);
      within(index.positionReaching(offset), end);
    }
    index.abortedTransactions(facts.baseOffset(), facts.endOffset());
    index.leaderEpochs();
    index.producerSnapshot();
    index.weightBytes();
  }

  private static void within(long position, long end) {
    if (position < 0 || position > end) {
      throw new AssertionError("position " + position + " of " + end);
    }
  }

  @Override
  public boolean promises(Throwable failure) {
    return failure instanceof SegmentFormatException;
  }

  @Override
  public Allowance allowance() {
    return new Allowance(32, 64 << 10);
  }
}
