package io.strandline.tiering.upload;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.BatchHeader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.zip.CRC32C;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchRecompressionTest {
  private static final Compression[] CODECS = {
    Compression.NONE,
    Compression.gzip().build(),
    Compression.snappy().build(),
    Compression.lz4().build(),
    Compression.zstd().build()
  };

  private final BatchRecompression codec = new BatchRecompression(3, BatchBounds.defaults());

  private static ByteBuffer batch(Random random, Compression compression, int valueBytes) {
    boolean transactional = random.nextBoolean();
    boolean idempotent = transactional || random.nextBoolean();
    TimestampType type =
        random.nextBoolean() ? TimestampType.CREATE_TIME : TimestampType.LOG_APPEND_TIME;
    long base = random.nextInt(1 << 30);
    MemoryRecordsBuilder builder =
        new MemoryRecordsBuilder(
            new ByteBufferOutputStream(1024),
            RecordBatch.MAGIC_VALUE_V2,
            compression,
            type,
            base,
            1_700_000_000_000L,
            idempotent ? random.nextInt(1000) : RecordBatch.NO_PRODUCER_ID,
            idempotent ? (short) random.nextInt(100) : RecordBatch.NO_PRODUCER_EPOCH,
            idempotent ? random.nextInt(1000) : RecordBatch.NO_SEQUENCE,
            transactional,
            false,
            random.nextInt(50),
            Integer.MAX_VALUE);
    long offset = base;
    int count = 1 + random.nextInt(40);
    for (int i = 0; i < count; i++) {
      byte[] key = random.nextBoolean() ? ("key-" + i).getBytes(StandardCharsets.UTF_8) : null;
      byte[] value = random.nextInt(5) == 0 ? null : text(random, valueBytes);
      Header[] headers =
          random.nextBoolean()
              ? new Header[0]
              : new Header[] {new RecordHeader("h", new byte[] {(byte) i})};
      builder.appendWithOffset(
          offset, 1_700_000_000_000L + random.nextInt(9999), key, value, headers);
      offset += 1 + (random.nextInt(4) == 0 ? random.nextInt(9) : 0); // as compaction leaves them
    }
    return builder.build().buffer();
  }

  private static byte[] text(Random random, int bytes) {
    StringBuilder text = new StringBuilder();
    while (text.length() < bytes) {
      text.append("{\"user\":").append(random.nextInt(99)).append(",\"state\":\"moved\"}");
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static MutableRecordBatch read(ByteBuffer batch) {
    return MemoryRecords.readableRecords(batch.duplicate()).batches().iterator().next();
  }

  private static List<Record> records(MutableRecordBatch batch) {
    List<Record> records = new ArrayList<>();
    batch.forEach(records::add);
    return records;
  }

  /** Invariant 2: all but codec, length and checksum is as it was. */
  private static void sameButForTheCodec(ByteBuffer before, ByteBuffer after) {
    MutableRecordBatch a = read(before);
    MutableRecordBatch b = read(after);
    b.ensureValid();
    assertThat(b.compressionType()).isEqualTo(CompressionType.ZSTD);
    assertThat(b.sizeInBytes()).isEqualTo(after.remaining()).isLessThan(a.sizeInBytes());
    ByteBuffer headA = ByteBuffer.allocate(BatchHeader.BYTES).put(before.slice(0, 61)).flip();
    ByteBuffer headB = ByteBuffer.allocate(BatchHeader.BYTES).put(after.slice(0, 61)).flip();
    for (ByteBuffer head : List.of(headA, headB)) {
      head.putInt(8, 0).putInt(17, 0).put(22, (byte) (head.get(22) & ~7));
    }
    assertThat(headB).isEqualTo(headA);
    assertThat(records(b)).isEqualTo(records(a));
    assertThat(b.lastOffset()).isEqualTo(a.lastOffset());
    assertThat(b.maxTimestamp()).isEqualTo(a.maxTimestamp());
    assertThat(b.producerId()).isEqualTo(a.producerId());
    assertThat(b.lastSequence()).isEqualTo(a.lastSequence());
    assertThat(b.partitionLeaderEpoch()).isEqualTo(a.partitionLeaderEpoch());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void aBatchSaysWhatItSaid(long seed) {
    Random random = new Random(seed);
    int again = 0;
    for (int i = 0; i < 400; i++) {
      ByteBuffer before = batch(random, CODECS[random.nextInt(4)], random.nextInt(600));
      ByteBuffer untouched = ByteBuffer.allocate(before.remaining()).put(before.duplicate()).flip();
      Optional<ByteBuffer> after = codec.shorter(before);
      after.ifPresent(shorter -> sameButForTheCodec(before, shorter));
      again += after.isPresent() ? 1 : 0;
      assertThat(before).isEqualTo(untouched);
    }
    assertThat(again).isGreaterThan(200);
  }

  @Test
  void whatZstdHasCompressedAndWhatDoesNotShrinkStay() {
    Random random = new Random(7);
    assertThat(codec.shorter(batch(random, CODECS[4], 500))).isEmpty();
    byte[] noise = new byte[4000];
    random.nextBytes(noise);
    ByteBuffer incompressible =
        MemoryRecords.withRecords(
                Compression.NONE, new org.apache.kafka.common.record.internal.SimpleRecord(noise))
            .buffer();
    assertThat(codec.shorter(incompressible)).isEmpty();
  }

  @Test
  void controlBatchesStay() {
    ByteBuffer marker =
        MemoryRecords.withEndTransactionMarker(
                5L, (short) 1, new EndTransactionMarker(ControlRecordType.COMMIT, 3))
            .buffer();
    assertThat(codec.shorter(marker)).isEmpty();
  }

  @Test
  void whatDoesNotDecodeStaysThoughItsSumHolds() {
    Random random = new Random(9);
    for (Compression compression : CODECS) {
      for (int i = 0; i < 100; i++) {
        ByteBuffer batch = batch(random, compression, 500);
        ByteBuffer broken = ByteBuffer.allocate(batch.remaining()).put(batch.duplicate()).flip();
        for (int n = 0; n < 40; n++) {
          broken.put(
              BatchHeader.BYTES + random.nextInt(broken.limit() - 61), (byte) random.nextInt());
        }
        CRC32C crc = new CRC32C();
        crc.update(broken.duplicate().position(21));
        broken.putInt(17, (int) crc.getValue());
        // Whatever it makes of it holds the same bytes: noise that decodes is as good as any.
        codec.shorter(broken).ifPresent(again -> assertThat(read(again).isValid()).isTrue());
      }
    }
  }

  @Test
  void aDamagedBatchIsNotGivenASumThatHolds() {
    ByteBuffer batch = batch(new Random(11), Compression.NONE, 500);
    batch.put(100, (byte) (batch.get(100) ^ 1));
    assertThat(codec.shorter(batch)).isEmpty();
  }
}
