package io.strandline.tiering.upload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.seal.DueSegment;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a log that is older than Kafka 0.11 goes up as. */
class OldBatchesTest {
  private static final byte V0 = RecordBatch.MAGIC_VALUE_V0;
  private static final byte V1 = RecordBatch.MAGIC_VALUE_V1;

  @TempDir Path dir;

  private final ObjectStore store = new MemoryObjectStore(Runnable::run, InstantSource.system());

  /** One of a log's records, for comparison. */
  private record Seen(long offset, long timestampMs, Optional<String> key, String value) {
    static Seen of(Record record) {
      return new Seen(
          record.offset(),
          record.timestamp(),
          Optional.ofNullable(record.key()).map(key -> Utils.utf8(key, key.remaining())),
          Utils.utf8(record.value(), record.valueSize()));
    }
  }

  private static MemoryRecords batch(
      byte magic, Compression codec, TimestampType type, long... offsets) {
    MemoryRecordsBuilder builder =
        MemoryRecords.builder(
            ByteBuffer.allocate(1 << 20), magic, codec, type, offsets[0], 5_000, 4);
    for (long offset : offsets) {
      byte[] key = offset % 3 == 0 ? null : ("k" + offset).getBytes(StandardCharsets.UTF_8);
      byte[] value = ("value " + offset).repeat(20).getBytes(StandardCharsets.UTF_8);
      long ms = magic == V0 ? RecordBatch.NO_TIMESTAMP : 1_000 + offset;
      builder.appendWithOffset(offset, ms, key, value);
    }
    return builder.build();
  }

  /** With holes, as compaction leaves them, and every kind there is; it ends at 300. */
  private static List<MemoryRecords> all() {
    TimestampType create = TimestampType.CREATE_TIME;
    return List.of(
        batch(V0, Compression.NONE, TimestampType.NO_TIMESTAMP_TYPE, 3, 4, 9),
        batch(V0, Compression.gzip().build(), TimestampType.NO_TIMESTAMP_TYPE, 10, 11, 12),
        batch(V1, Compression.NONE, create, 20, 21, 25, 26),
        batch(V1, Compression.snappy().build(), create, 30, 33, 34),
        batch(V1, Compression.NONE, TimestampType.LOG_APPEND_TIME, 40, 41),
        batch(V1, Compression.lz4().build(), TimestampType.LOG_APPEND_TIME, 50, 52),
        batch((byte) 2, Compression.NONE, create, 60, 61),
        batch(V1, Compression.NONE, create, 70));
  }

  private SealedSegment segment(List<MemoryRecords> batches) throws IOException {
    Path file = dir.resolve("old.log");
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      for (MemoryRecords batch : batches) {
        out.write(batch.buffer().duplicate());
      }
    }
    return new SealedSegment(
        TestLog.PARTITION,
        0,
        300,
        Files.size(file),
        1,
        file,
        List.of(),
        Optional.empty(),
        List.of(new EpochStart(2, 21), new EpochStart(4, 60)));
  }

  private SegmentEntry upload(SealedSegment segment, long fromOffset) throws IOException {
    Recompressor recompressor =
        Recompressor.open(
            RecompressionPolicy.none(),
            new Recompressor.Workshop(
                Runnable::run,
                dir.resolve("scratch"),
                BatchBounds.defaults(),
                new SimpleMeterRegistry()));
    Uploader uploader =
        new Uploader(
            "cluster",
            UploadConfig.defaults(),
            new Uploader.Services(
                store,
                UploadIntents.open(dir.resolve("intents")),
                Runnable::run,
                InstantSource.system(),
                new Random(1),
                recompressor,
                new SimpleMeterRegistry()));
    return uploader.upload(new DueSegment(segment, fromOffset), 5).join().entry();
  }

  private List<RecordBatch> tiered(SegmentEntry entry) {
    ByteBuffer data = store.get(entry.object(), 0, (int) entry.dataBytes()).join();
    List<RecordBatch> batches = new ArrayList<>();
    MemoryRecords.readableRecords(data).batches().forEach(batches::add);
    return batches;
  }

  private static List<Seen> seen(Iterable<? extends RecordBatch> batches) {
    List<Seen> seen = new ArrayList<>();
    for (RecordBatch batch : batches) {
      batch.forEach(record -> seen.add(Seen.of(record)));
    }
    return seen;
  }

  @Test
  void everyRecordIsThereAsItWasInBatchesThatCanBeTiered() throws IOException {
    SealedSegment segment = segment(all());
    List<Seen> before = new ArrayList<>();
    all().forEach(batch -> before.addAll(seen(batch.batches())));
    List<RecordBatch> after = tiered(upload(segment, 0));
    assertThat(seen(after)).isEqualTo(before);
    assertThat(after).allMatch(batch -> batch.magic() == 2).allMatch(RecordBatch::isValid);
    assertThat(after)
        .extracting(RecordBatch::baseOffset)
        .containsExactly(3L, 10L, 20L, 21L, 30L, 40L, 50L, 60L, 70L);
    assertThat(after)
        .extracting(RecordBatch::partitionLeaderEpoch)
        .containsExactly(-1, -1, -1, 2, 2, 2, 2, 4, 4);
    assertThat(after)
        .extracting(batch -> batch.compressionType().name)
        .containsExactly("none", "gzip", "none", "none", "snappy", "none", "lz4", "none", "none");
    try (Stream<Path> left = Files.list(dir.resolve("scratch"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void aSegmentBeginsWhereTheTierEnds() throws IOException {
    SegmentEntry entry = upload(segment(all()), 24);
    assertThat(entry.baseOffset()).isEqualTo(24);
    assertThat(tiered(entry).get(0).baseOffset()).isEqualTo(25);
  }

  /** It is shorter than the header of a batch that can be tiered. */
  @Test
  void oneSmallRecordIsEnough() throws IOException {
    MemoryRecordsBuilder builder =
        MemoryRecords.builder(
            ByteBuffer.allocate(100), V1, Compression.NONE, TimestampType.CREATE_TIME, 7);
    builder.appendWithOffset(7, 1_000, new byte[] {1}, new byte[] {2});
    assertThat(tiered(upload(segment(List.of(builder.build())), 0)))
        .singleElement()
        .satisfies(batch -> assertThat(batch.baseOffset()).isEqualTo(7));
  }

  @Test
  void damageIsNotMadeSound() throws IOException {
    SealedSegment segment = segment(all());
    try (FileChannel file = FileChannel.open(segment.log(), StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(new byte[] {42}), 60);
    }
    assertThatThrownBy(() -> upload(segment, 0))
        .hasCauseInstanceOf(SegmentFormatException.class)
        .hasMessageContaining("damaged");
  }
}
