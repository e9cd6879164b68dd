package io.strandline.replay.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.replay.ReplayException;
import io.strandline.replay.job.JobSpec.Damage;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.SegmentEntry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A job reads what it was asked for, once and in order, or says what it could not read. */
class ReplayJobTest {
  private static final long T0 = 1_700_000_000_000L;

  @TempDir private Path dir;
  private Bucket bucket;
  private final TopicIdPartition first = Bucket.partition("orders", 0);
  private final TopicIdPartition second = Bucket.partition("orders", 1);

  @BeforeEach
  void open() {
    bucket = new Bucket(dir);
  }

  @AfterEach
  void close() {
    bucket.close();
  }

  /** Records {@code from} to {@code to}, one millisecond apart. */
  private static MemoryRecords batch(Compression codec, long from, long to) {
    SimpleRecord[] records = new SimpleRecord[(int) (to - from)];
    for (int i = 0; i < records.length; i++) {
      long offset = from + i;
      byte[] value = offset % 5 == 4 ? null : ("v" + offset).getBytes(StandardCharsets.UTF_8);
      records[i] =
          new SimpleRecord(
              T0 + offset,
              ("k" + offset).getBytes(StandardCharsets.UTF_8),
              value,
              new RecordHeader[] {new RecordHeader("h", new byte[] {(byte) offset})});
    }
    return MemoryRecords.withRecords(from, codec, 3, records);
  }

  private void history() {
    bucket.segment(first, List.of(), batch(Compression.NONE, 0, 10));
    bucket.segment(
        first,
        List.of(),
        batch(Compression.zstd().build(), 10, 25),
        batch(Compression.NONE, 25, 30));
    bucket.segment(second, List.of(), batch(Compression.gzip().build(), 0, 7));
  }

  private static final class Collected implements RecordSink {
    private final Map<Integer, List<HistoryRecord>> byPartition = new ConcurrentHashMap<>();
    private final List<JobProgress.Skipped> toldSkipped = new CopyOnWriteArrayList<>();

    @Override
    public void accept(int partition, List<HistoryRecord> records) {
      byPartition.computeIfAbsent(partition, p -> new ArrayList<>()).addAll(records);
    }

    @Override
    public void skipped(JobProgress.Skipped range) {
      toldSkipped.add(range);
    }

    List<Long> offsets(int partition) {
      return byPartition.getOrDefault(partition, List.of()).stream()
          .map(HistoryRecord::offset)
          .toList();
    }
  }

  private static List<Long> range(long from, long to) {
    return java.util.stream.LongStream.range(from, to).boxed().toList();
  }

  @Test
  void aWholeTopicComesOutOnceAndInOrderWithKeysHeadersTombstonesAndTimestamps() throws Exception {
    history();
    Collected out = new Collected();
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      assertThat(opened.topics())
          .singleElement()
          .satisfies(
              topic -> {
                assertThat(topic.name()).isEqualTo("orders");
                assertThat(topic.partitions()).hasSize(2);
                assertThat(topic.partitions().get(0).endOffset()).isEqualTo(30);
              });
      ReplayJob job = opened.job(JobSpec.of("orders"));
      JobProgress end = job.run(out);
      assertThat(end.complete()).isTrue();
      assertThat(end.records()).isEqualTo(37);
      assertThat(end.doneBytes()).isEqualTo(end.totalBytes()).isPositive();
      assertThat(end.skipped()).isEmpty();
    }
    assertThat(out.offsets(0)).isEqualTo(range(0, 30));
    assertThat(out.offsets(1)).isEqualTo(range(0, 7));
    HistoryRecord some = out.byPartition.get(0).get(13);
    assertThat(some.key()).isEqualTo("k13".getBytes(StandardCharsets.UTF_8));
    assertThat(some.value()).isEqualTo("v13".getBytes(StandardCharsets.UTF_8));
    assertThat(some.timestampMs()).isEqualTo(T0 + 13);
    assertThat(some.headers())
        .singleElement()
        .satisfies(h -> assertThat(h.value()).isEqualTo(new byte[] {13}));
    assertThat(out.byPartition.get(0).get(14).value()).isNull();
  }

  @Test
  void segmentsOfAnotherClusterAreReadInItsStore() throws Exception {
    history();
    TopicIdPartition again = Bucket.partition("again", 0);
    try (Bucket restored = new Bucket(Files.createDirectory(dir.resolve("other")), "another")) {
      restored.adopt(again, bucket.segments(first));
      restored.segment(again, List.of(), batch(Compression.NONE, 30, 35));
      Collected out = new Collected();
      HistoryConfig config = HistoryConfig.of(restored.uri()).others(List.of(bucket.uri()));
      try (History opened = History.open(config)) {
        assertThat(opened.job(JobSpec.of("again")).run(out).complete()).isTrue();
      }
      assertThat(out.offsets(0)).isEqualTo(range(0, 35));
      try (History alone = History.open(HistoryConfig.of(restored.uri()).unavailableMs(0))) {
        assertThatThrownBy(() -> alone.job(JobSpec.of("again")).run(new Collected()))
            .isInstanceOf(ReplayException.class)
            .hasStackTraceContaining("no store of cluster " + Bucket.CLUSTER);
      }
    }
  }

  @Test
  void rangesByOffsetByTimeAndByPartition() throws Exception {
    history();
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      Collected byOffset = new Collected();
      opened
          .job(
              JobSpec.of("orders")
                  .from(Position.offset(3))
                  .to(Position.offset(12))
                  .partitions(Set.of(0)))
          .run(byOffset);
      assertThat(byOffset.offsets(0)).isEqualTo(range(3, 12));
      assertThat(byOffset.offsets(1)).isEmpty();

      Collected byTime = new Collected();
      opened
          .job(
              JobSpec.of(first.topicId().toString())
                  .from(Position.time(Instant.ofEpochMilli(T0 + 5)))
                  .to(Position.time(Instant.ofEpochMilli(T0 + 20)))
                  .parallelism(1))
          .run(byTime);
      assertThat(byTime.offsets(0)).isEqualTo(range(5, 20));
      assertThat(byTime.offsets(1)).isEqualTo(range(5, 7));
    }
  }

  @Test
  void aJobThatWasCutOffGoesOnWhereItStopped() throws Exception {
    history();
    List<Long> taken = new ArrayList<>();
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      JobSpec spec = JobSpec.of("orders").partitions(Set.of(0));
      ReplayJob job = opened.job(spec);
      assertThatThrownBy(
              () ->
                  job.run(
                      (partition, records) -> {
                        if (taken.size() >= 10) {
                          throw new IOException("the sink is full");
                        }
                        records.forEach(r -> taken.add(r.offset()));
                      }))
          .isInstanceOf(IOException.class)
          .hasMessage("the sink is full");
      assertThat(job.progress().nextOffsets()).isEqualTo(Map.of(0, 10L));
      opened
          .job(spec.resume(job.progress().nextOffsets()))
          .run((partition, records) -> records.forEach(r -> taken.add(r.offset())));
    }
    assertThat(taken).isEqualTo(range(0, 30));
  }

  @Test
  void whatWasAbortedIsLeftOutUnlessAskedFor() throws Exception {
    MemoryRecords aborted =
        MemoryRecords.withTransactionalRecords(
            0,
            Compression.NONE,
            77,
            (short) 0,
            0,
            3,
            new SimpleRecord("gone".getBytes(StandardCharsets.UTF_8)));
    MemoryRecords abort =
        MemoryRecords.withEndTransactionMarker(
            1, T0, 3, 77, (short) 0, new EndTransactionMarker(ControlRecordType.ABORT, 0));
    MemoryRecords committed =
        MemoryRecords.withTransactionalRecords(
            2,
            Compression.NONE,
            77,
            (short) 0,
            1,
            3,
            new SimpleRecord("kept".getBytes(StandardCharsets.UTF_8)));
    MemoryRecords commit =
        MemoryRecords.withEndTransactionMarker(
            3, T0, 3, 77, (short) 0, new EndTransactionMarker(ControlRecordType.COMMIT, 0));
    bucket.segment(
        first, List.of(new AbortedTransaction(77, 0, 1, 2)), aborted, abort, committed, commit);
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      Collected only = new Collected();
      opened.job(JobSpec.of("orders")).run(only);
      assertThat(only.offsets(0)).containsExactly(2L);
      Collected all = new Collected();
      opened.job(JobSpec.of("orders").committedOnly(false)).run(all);
      assertThat(all.offsets(0)).containsExactly(0L, 2L);
    }
  }

  @Test
  void aMissingSegmentEndsTheJobWithItsRangeOrIsSkippedAndListed() throws Exception {
    bucket.segment(first, List.of(), batch(Compression.NONE, 0, 10));
    SegmentEntry missing = bucket.segment(first, List.of(), batch(Compression.NONE, 10, 20));
    bucket.segment(first, List.of(), batch(Compression.NONE, 20, 30));
    bucket.delete(missing);
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      Collected none = new Collected();
      assertThatThrownBy(() -> opened.job(JobSpec.of("orders")).run(none))
          .isInstanceOf(ReplayException.class)
          .hasMessageContaining("offsets 10 to 20 of partition 0");
      assertThat(none.offsets(0)).isEqualTo(range(0, 10));
      Collected rest = new Collected();
      JobProgress end = opened.job(JobSpec.of("orders").onDamage(Damage.SKIP)).run(rest);
      assertThat(end.skipped())
          .singleElement()
          .satisfies(
              s -> {
                assertThat(s.fromOffset()).isEqualTo(10);
                assertThat(s.endOffset()).isEqualTo(20);
              });
      assertThat(rest.toldSkipped).isEqualTo(end.skipped());
      assertThat(rest.offsets(0)).hasSize(20).doesNotContain(15L);
    }
  }

  @Test
  void damagedBytesAreNeverHandedOut() throws Exception {
    bucket.segment(first, List.of(), batch(Compression.NONE, 0, 10));
    Path file = bucket.file(first);
    byte[] bytes = Files.readAllBytes(file);
    bytes[100] ^= 1;
    Files.write(file, bytes);
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      Collected none = new Collected();
      assertThatThrownBy(() -> opened.job(JobSpec.of("orders")).run(none))
          .isInstanceOf(ReplayException.class);
      assertThat(none.byPartition).isEmpty();
    }
  }

  @Test
  void aDamagedManifestConcernsItsOwnTopicAlone() throws Exception {
    history();
    TopicIdPartition other = Bucket.partition("trips", 0);
    bucket.segment(other, List.of(), batch(Compression.NONE, 0, 5));
    bucket.damageManifest(other);
    List<String> warnings = new ArrayList<>();
    try (History opened = History.open(HistoryConfig.of(bucket.uri()), warnings::add)) {
      assertThat(opened.topics()).extracting(HistoryTopic::name).containsExactly("orders");
      assertThat(warnings)
          .singleElement()
          .satisfies(warning -> assertThat(warning).contains(other.topicId() + "-0 is damaged"));
      assertThat(opened.job(JobSpec.of("orders")).run(new Collected()).records()).isEqualTo(37);
      warnings.clear();
      opened.job(JobSpec.of(first.topicId().toString())).run(new Collected());
      assertThat(warnings).as("by its id no other is looked at").isEmpty();
      for (String name : List.of("trips", other.topicId().toString())) {
        assertThatThrownBy(() -> opened.job(JobSpec.of(name)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("manifests are damaged: [" + other.topicId() + "-0]");
      }
    }
  }

  @Test
  void aTopicWithADamagedManifestIsReadOnlyWithoutThatPartition() throws Exception {
    history();
    bucket.damageManifest(second);
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      for (JobSpec spec :
          List.of(JobSpec.of("orders"), JobSpec.of("orders").partitions(Set.of(0, 1)))) {
        assertThatThrownBy(() -> opened.job(spec))
            .isInstanceOf(ReplayException.class)
            .hasMessageContaining("the manifest of partition 1 of orders is damaged");
      }
      Collected rest = new Collected();
      opened.job(JobSpec.of("orders").partitions(Set.of(0))).run(rest);
      assertThat(rest.offsets(0)).isEqualTo(range(0, 30));
    }
  }

  @Test
  void whatRetentionTookBehindAResumedJobIsSaid() throws Exception {
    history();
    bucket.advanceStart(first, 12);
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      JobSpec resumed = JobSpec.of("orders").partitions(Set.of(0)).resume(Map.of(0, 4L));
      assertThatThrownBy(() -> opened.job(resumed).run(new Collected()))
          .hasMessageContaining("offsets 4 to 12");
      Collected rest = new Collected();
      JobProgress end = opened.job(resumed.onDamage(Damage.SKIP)).run(rest);
      assertThat(rest.offsets(0)).isEqualTo(range(12, 30));
      assertThat(end.skipped()).hasSize(1);
    }
  }

  @Test
  void aJobThatIsToGoOnBehindTheEndIsOfAnotherTopic() throws Exception {
    history();
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      JobSpec spec = JobSpec.of("orders").partitions(Set.of(1));
      assertThatThrownBy(() -> opened.job(spec.resume(Map.of(1, 8L))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("offset 8 of orders-1")
          .hasMessageContaining("ends at 7");
      ReplayJob done = opened.job(spec.resume(Map.of(1, 7L)));
      assertThat(done.run(new Collected()).complete()).isTrue();
      assertThat(done.topicId()).isEqualTo(second.topicId().toString());
      JobSpec behind = spec.from(Position.offset(9));
      var nowhere = opened.job(behind).progress().nextOffsets();
      assertThat(opened.job(behind.resume(nowhere)).run(new Collected()).complete()).isTrue();
    }
  }

  @Test
  void askingForWhatIsNotThereSaysSo() {
    history();
    try (History opened = History.open(HistoryConfig.of(bucket.uri()))) {
      assertThatThrownBy(() -> opened.job(JobSpec.of("nothing")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no topic nothing");
      assertThatThrownBy(() -> opened.job(JobSpec.of("orders").partitions(Set.of(9))))
          .hasMessageContaining("partition 9");
    }
    assertThatThrownBy(() -> History.open(HistoryConfig.of("file:" + dir.resolve("empty"))))
        .hasMessageContaining("no tier in");
  }
}
