package io.strandline.tiering.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.strandline.tiering.store.ObjectKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.zip.CRC32C;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentFormatTest {
  private static final ObjectKey KEY = ObjectKey.of("some/key");

  @Property(tries = 40)
  void whatIsEncodedIsReadBack(
      @ForAll long seed,
      @ForAll @LongRange(min = 0, max = 1L << 40) long base,
      @ForAll @IntRange(min = 1, max = 300) int batches)
      throws IOException {
    withLog(
        seed,
        base,
        batches,
        log -> {
          List<AbortedTransaction> aborted =
              List.of(new AbortedTransaction(9, base, base + 1, base + 2));
          EncodedSegment encoded = SegmentFormat.encode(log.parts(base, aborted));
          SegmentEntry entry = encoded.entry("c", KEY);
          byte[] object = TestLog.bytesOf(encoded.payload());
          assertThat(entry.lengthBytes()).isEqualTo(object.length);
          assertThat(entry.crc32c()).isEqualTo(crc(object));
          assertThat(entry.dataBytes()).isEqualTo(log.bytes);
          assertThat(entry.endOffset()).isEqualTo(log.endOffset);
          assertThat(entry.abortedTransactions()).isTrue();
          SegmentIndex index = SegmentFormat.decode(entry, tail(entry, object));
          assertThat(index.leaderEpochs()).hasSize(2);
          assertThat(index.producerSnapshot()).isEmpty();
          assertThat(index.abortedTransactions(base, base + 1)).isEqualTo(aborted);
          assertThat(index.abortedTransactions(base + 2, base + 9)).isEmpty();
          long records = log.endOffset - base;
          assertThat(index.footer().facts().recordCount()).isEqualTo(records);
          lookupsNeverOvershoot(log, index);
        });
  }

  private static void lookupsNeverOvershoot(TestLog log, SegmentIndex index) {
    long interval = Math.max(4096, log.bytes / 4096);
    for (TestLog.Written batch : log.batches) {
      long position = index.positionOf(batch.lastOffset());
      assertThat(position).isLessThanOrEqualTo(batch.positionBytes());
      assertThat(batch.positionBytes() - position).isLessThanOrEqualTo(interval + 20_000);
      assertThat(log.batches).anyMatch(b -> b.positionBytes() == position);
      long t = batch.maxTimestamp();
      long first =
          log.batches.stream()
              .filter(b -> b.maxTimestamp() >= t)
              .findFirst()
              .orElseThrow()
              .positionBytes();
      assertThat(index.positionReaching(t)).isLessThanOrEqualTo(first);
    }
  }

  @Property(tries = 60)
  void aFlippedBitInTheTailNeverGoesUnnoticed(@ForAll long seed) throws IOException {
    withLog(
        seed,
        100,
        60,
        log -> {
          EncodedSegment encoded = SegmentFormat.encode(log.parts());
          SegmentEntry entry = encoded.entry("c", KEY);
          byte[] object = TestLog.bytesOf(encoded.payload());
          int tail = (int) (object.length - entry.dataBytes());
          int at = (int) entry.dataBytes() + new Random(seed).nextInt(tail);
          object[at] ^= (byte) (1 << new Random(~seed).nextInt(8));
          assertThatExceptionOfType(SegmentFormatException.class)
              .isThrownBy(() -> SegmentFormat.decode(entry, tail(entry, object)));
        });
  }

  @Property(tries = 60)
  void aFlippedBitInTheLogIsNotTiered(@ForAll long seed) throws IOException {
    withLog(
        seed,
        0,
        20,
        log -> {
          byte[] bytes = Files.readAllBytes(log.file);
          Random random = new Random(seed);
          int batch = (int) log.batches.get(random.nextInt(20)).positionBytes();
          // From the checksum on; base offset and epoch lie before it, by design of Kafka's format.
          bytes[batch + 17 + random.nextInt(44)] ^= (byte) (1 << random.nextInt(8));
          Files.write(log.file, bytes);
          assertThatExceptionOfType(SegmentFormatException.class)
              .isThrownBy(() -> SegmentFormat.encode(log.parts()));
        });
  }

  @Property(tries = 300)
  void garbageIsRefusedAndNothingElse(@ForAll byte[] garbage) {
    assertThatExceptionOfType(SegmentFormatException.class)
        .isThrownBy(() -> SegmentFormat.decode(ByteBuffer.wrap(garbage)));
  }

  @Property(tries = 300)
  void hostileFootersWithSoundChecksumsAreRefusedOrHarmless(@ForAll long seed) throws IOException {
    withLog(
        1,
        100,
        30,
        log -> {
          EncodedSegment encoded = SegmentFormat.encode(log.parts());
          SegmentEntry entry = encoded.entry("c", KEY);
          byte[] object = TestLog.bytesOf(encoded.payload());
          Random random = new Random(seed);
          int footer = object.length - SegmentFooter.BYTES;
          ByteBuffer all = ByteBuffer.wrap(object);
          all.putInt(footer + 72 + 4 * random.nextInt(13), random.nextInt());
          CRC32C crc = new CRC32C();
          crc.update(object, footer, SegmentFooter.BYTES - 12);
          all.putInt(object.length - 12, (int) crc.getValue());
          try {
            SegmentFormat.decode(tail(entry, object)).positionOf(101);
          } catch (SegmentFormatException expected) {
            assertThat(expected).hasMessageNotContaining("null");
          }
        });
  }

  @Property(tries = 30)
  void aSegmentMayBeginWithinItsFile(@ForAll long seed) throws IOException {
    withLog(
        seed,
        100,
        50,
        log -> {
          TestLog.Written cut = log.batches.get(new Random(seed).nextInt(50));
          EncodedSegment encoded = SegmentFormat.encode(log.parts(cut.baseOffset(), List.of()));
          assertThat(encoded.footer().facts().baseOffset()).isEqualTo(cut.baseOffset());
          assertThat(encoded.footer().dataBytes()).isEqualTo(log.bytes - cut.positionBytes());
          EncodedSegment within = SegmentFormat.encode(log.parts(cut.lastOffset(), List.of()));
          assertThat(within.footer().facts().baseOffset()).isEqualTo(cut.baseOffset());
        });
  }

  @Test
  void theProducerSnapshotComesAlong(@TempDir Path dir) throws IOException {
    TestLog log = TestLog.write(dir.resolve("a.log"), 5, 0, 3);
    Path snapshot = Files.write(dir.resolve("a.snapshot"), new byte[] {1, 2, 3});
    SegmentParts p = log.parts();
    EncodedSegment encoded =
        SegmentFormat.encode(
            new SegmentParts(
                p.partition(),
                p.log(),
                p.logBytes(),
                0,
                p.endOffset(),
                List.of(),
                List.of(),
                Optional.of(snapshot)));
    SegmentEntry entry = encoded.entry("c", KEY);
    byte[] object = TestLog.bytesOf(encoded.payload());
    assertThat(SegmentFormat.decode(entry, tail(entry, object)).producerSnapshot())
        .contains(ByteBuffer.wrap(new byte[] {1, 2, 3}));
  }

  @Test
  void theTailOfAnotherSegmentIsRefused(@TempDir Path dir) throws IOException {
    EncodedSegment one = SegmentFormat.encode(TestLog.write(dir.resolve("a"), 5, 0, 3).parts());
    EncodedSegment two = SegmentFormat.encode(TestLog.write(dir.resolve("b"), 6, 0, 3).parts());
    SegmentEntry entry = one.entry("c", KEY);
    byte[] object = TestLog.bytesOf(two.payload());
    assertThatExceptionOfType(SegmentFormatException.class)
        .isThrownBy(() -> SegmentFormat.decode(entry, tail(two.entry("c", KEY), object)));
  }

  @Test
  void aLaterVersionIsRefusedByName(@TempDir Path dir) throws IOException {
    EncodedSegment one = SegmentFormat.encode(TestLog.write(dir.resolve("a"), 5, 0, 3).parts());
    byte[] object = TestLog.bytesOf(one.payload());
    ByteBuffer.wrap(object).putShort(object.length - SegmentFooter.BYTES + 4, (short) 2);
    assertThatExceptionOfType(SegmentFormatException.class)
        .isThrownBy(() -> SegmentFormat.decode(ByteBuffer.wrap(object)))
        .withMessageContaining("version 2");
  }

  private static ByteBuffer tail(SegmentEntry entry, byte[] object) {
    return ByteBuffer.wrap(
        Arrays.copyOfRange(object, (int) SegmentFormat.tailPositionBytes(entry), object.length));
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private interface LogUse {
    void with(TestLog log) throws IOException;
  }

  private static void withLog(long seed, long base, int batches, LogUse use) throws IOException {
    Path dir = Files.createTempDirectory("segment");
    try {
      use.with(TestLog.write(dir.resolve("x.log"), seed, base, batches));
    } finally {
      try (var files = Files.list(dir)) {
        files.forEach(
            f -> {
              try {
                Files.delete(f);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
      }
      Files.delete(dir);
    }
  }
}
