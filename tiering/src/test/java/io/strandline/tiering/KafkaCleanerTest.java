package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.KeyedLog.Written;
import io.strandline.tiering.compact.CompactionConfig;
import io.strandline.tiering.compact.CompactionRound.LastOfProducer;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.rewrite.CompactionPolicy;
import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.SegmentEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogSegment;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same segments compacted by Apache Kafka's own cleaner and in the tier: the same batches are
 * left, with the same records at the same offsets, after the first round and after the horizons.
 */
class KafkaCleanerTest {
  private static final long DAY_MS = 24 * TestTier.HOUR_MS;
  private static final int SEEDS = Integer.getInteger("compaction.seeds", 12);

  @TempDir Path directory;

  /** A batch that is left: its range, whether it is a marker, and its records. */
  private record Left(
      long baseOffset, long lastOffset, boolean control, Map<Long, Written> records) {}

  /** Apache Kafka's log of the same batches. */
  private static final class Kafka implements AutoCloseable {
    private final KafkaScheduler scheduler = new KafkaScheduler(1);
    private final UnifiedLog log;
    private long cleaned;

    Kafka(Path parent) throws IOException {
      scheduler.startup();
      LogConfig config =
          new LogConfig(
              Map.of(
                  "cleanup.policy", "compact",
                  "delete.retention.ms", String.valueOf(DAY_MS),
                  "segment.bytes", String.valueOf(1 << 20)));
      log =
          UnifiedLog.create(
              parent.resolve("trips-0").toFile(),
              config,
              0,
              0,
              scheduler,
              new BrokerTopicStats(),
              Time.SYSTEM,
              900_000,
              new ProducerStateManagerConfig(86_400_000, false),
              600_000,
              new LogDirFailureChannel(1),
              true,
              Optional.of(Uuid.randomUuid()));
    }

    void append(SealedSegment segment) throws IOException {
      MemoryRecords all =
          MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(segment.log())));
      log.appendAsFollower(all, 3);
      log.updateHighWatermark(log.logEndOffset());
      log.roll(Optional.of(segment.endOffset()));
    }

    void clean(long nowMs) throws Exception {
      Cleaner cleaner =
          new Cleaner(
              0,
              new SkimpyOffsetMap(24 * 1000),
              64 << 10,
              1 << 20,
              0.9,
              new Throttler(Double.MAX_VALUE, 1000, "cleaner-io", "bytes", Time.SYSTEM),
              Time.SYSTEM,
              partition -> {});
      LogToClean dirt = new LogToClean(log, cleaned, log.activeSegment().baseOffset(), false);
      cleaned = cleaner.doClean(dirt, nowMs).getKey();
    }

    Map<Long, LastOfProducer> lastOfProducers() {
      Map<Long, LastOfProducer> last = new HashMap<>();
      log.lastRecordsOfActiveProducers()
          .forEach(
              (id, record) ->
                  last.put(
                      id,
                      new LastOfProducer(
                          record.lastDataOffset().orElse(-1), record.producerEpoch())));
      return last;
    }

    List<Left> left() {
      List<Left> left = new ArrayList<>();
      for (LogSegment segment : log.logSegments()) {
        segment.log().batches().forEach(batch -> left.add(left(batch)));
      }
      return left;
    }

    private static Left left(RecordBatch batch) {
      NavigableMap<Long, Written> records = new TreeMap<>();
      for (Record r : batch) {
        String key = batch.isControlBatch() ? "marker" : text(r.key());
        String value = batch.isControlBatch() || !r.hasValue() ? null : text(r.value());
        records.put(r.offset(), new Written(key, value));
      }
      return new Left(batch.baseOffset(), batch.lastOffset(), batch.isControlBatch(), records);
    }

    private static String text(ByteBuffer bytes) {
      return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
    }

    @Override
    public void close() throws Exception {
      log.close();
      scheduler.shutdown();
    }
  }

  private static List<Left> left(TestTier tier, List<SegmentEntry> entries) {
    List<Left> left = new ArrayList<>();
    for (SegmentEntry entry : entries) {
      if (entry.dataBytes() > 0) {
        ByteBuffer data = tier.now(tier.bucket.get(entry.object(), 0, (int) entry.dataBytes()));
        MemoryRecords.readableRecords(data).batches().forEach(b -> left.add(Kafka.left(b)));
      }
    }
    return left;
  }

  @Test
  void theTierIsLeftWithWhatKafkaIsLeftWith() throws Exception {
    for (long seed = 0; seed < SEEDS; seed++) {
      compare(seed);
    }
  }

  private void compare(long seed) throws Exception {
    Path own = Files.createDirectories(directory.resolve("s" + seed));
    TestTier tier = new TestTier(own, seed).rewriting(rewriting());
    tier.crash();
    TestHotLog log = new TestHotLog(own, 0);
    KeyedLog keyed =
        new KeyedLog(Files.createDirectories(own.resolve("keyed")), seed, log, tier.time.millis());
    try (Kafka kafka = new Kafka(own.resolve("kafka"))) {
      CompactionPolicy policy =
          new CompactionPolicy(true, 0.0001, 0, Long.MAX_VALUE, DAY_MS, 8 << 10, true);
      Compactable compactable = new Compactable(() -> policy, kafka::lastOfProducers);
      int appended = 0;
      for (int round = 0; round < 4; round++) {
        keyed.seal(round == 0 ? 6 : 1, round == 0 ? 12 : 3);
        for (; appended < log.segments().size(); appended++) {
          kafka.append(log.segments().get(appended));
        }
        kafka.clean(tier.time.millis());
        tier.join(log, 1, TierPolicy.keepAll(), compactable);
        tier.time.advance(60_000);
        assertThat(tier.view(log.partition()).compaction().cleanedOffset()).isEqualTo(log.end());
        assertThat(left(tier, tier.entries(log.partition())))
            .as("seed %d, round %d", seed, round)
            .hasSizeGreaterThan(10)
            .isEqualTo(kafka.left());
        // The horizons of the rounds before are over, with time to spare, or are not.
        tier.time.advance(round % 2 == 0 ? DAY_MS + 120_000 : 120_000);
      }
    }
  }

  private static RewriteConfig rewriting() {
    return new RewriteConfig(
        new CompactionConfig(24 * 1000, 0.9, 4096, 1 << 20, BatchBounds.defaults()),
        1,
        3000,
        0,
        15_000,
        1e12);
  }
}
