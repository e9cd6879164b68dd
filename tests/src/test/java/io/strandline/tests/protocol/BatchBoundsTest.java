package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.replay.ReplayException;
import io.strandline.replay.job.History;
import io.strandline.replay.job.HistoryConfig;
import io.strandline.replay.job.JobSpec;
import io.strandline.tiering.segment.BatchBounds;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Batches that decode to more than the configuration allows: whoever needs a look into one is told
 * so, and nothing else is concerned.
 */
class BatchBoundsTest {
  private static final BatchBounds BOUNDS = new BatchBounds(64 << 10, 50);
  private static final TopicPartition HISTORY = new TopicPartition("history", 0);
  private static final int MANY = 100;
  private static final Map<String, String> SEGMENTS =
      Map.of(
          "segment.bytes", String.valueOf(1 << 20),
          "retention.ms", "-1",
          "local.retention.bytes", "1",
          "min.cleanable.dirty.ratio", "0.01");

  @TempDir private Path dir;
  private Node node;
  private Admin admin;
  private KafkaProducer<String, String> producer;
  private final Random random = new Random(20260721);

  /** By offset, what each record says. */
  private final Map<Long, String> written = new TreeMap<>();

  @BeforeEach
  void start() {
    node =
        new Node(
            dir,
            Map.of(
                "strandline.batch.decoded.bytes.max", String.valueOf(BOUNDS.decodedBytesMax()),
                "strandline.batch.records.max", String.valueOf(BOUNDS.recordsMax()),
                "strandline.tier.recompress", "*:3",
                "strandline.tier.check.ms", "100",
                "strandline.tier.reclaim.ms", "100",
                "log.cleaner.backoff.ms", "200"));
    admin = node.admin();
    producer = node.producer(Map.of("compression.type", "gzip", "linger.ms", "60000"));
  }

  @AfterEach
  void stop() {
    producer.close(Duration.ZERO);
    admin.close();
    node.close();
  }

  @Test
  void producersAreRefusedThemAndGoOn() throws Exception {
    TopicPartition table = new TopicPartition("table", 0);
    create(table, Map.of("cleanup.policy", "compact"));
    create(HISTORY, SEGMENTS);

    assertThatThrownBy(() -> send(table, 1_000, "a", large()))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(InvalidRecordException.class);
    for (TopicPartition topic : List.of(table, HISTORY)) {
      for (Future<RecordMetadata> one : sendMany(topic)) {
        assertThatThrownBy(one::get).hasCauseInstanceOf(InvalidRecordException.class);
      }
    }
    send(table, 1_000, "a", "small");

    assertThat(read(table)).isEqualTo(written).hasSize(1);
  }

  @Test
  void whatWasTakenUnseenIsToldOfWhereItIsLookedInto() throws Exception {
    create(HISTORY, SEGMENTS);
    send(HISTORY, 1_000, "a", "first");
    send(HISTORY, 2_000, "a", large());
    send(HISTORY, 3_000, "a", "third");
    lookUpsByTime();
    fill();
    Node.await("the tier", () -> offset(OffsetSpec.earliestLocal()) > 2);

    lookUpsByTime();
    assertThat(read(HISTORY)).as("with what was compressed again").isEqualTo(written);
    historyWithoutBroker();
    compaction();
  }

  /** The same whether the hot log is asked or the tier. */
  private void lookUpsByTime() {
    assertThat(offset(OffsetSpec.forTimestamp(1_000))).isZero();
    assertThat(offset(OffsetSpec.forTimestamp(3_000))).isEqualTo(2);
    assertThatThrownBy(() -> offset(OffsetSpec.forTimestamp(2_000)))
        .isInstanceOf(InvalidRecordException.class);
  }

  private void historyWithoutBroker() throws Exception {
    Map<Long, String> replayed = new TreeMap<>();
    HistoryConfig config = HistoryConfig.of("file:" + dir.resolve("objects")).memoryBytes(16 << 20);
    JobSpec spec = JobSpec.of(HISTORY.topic());
    try (History history = History.open(config.bounds(BOUNDS))) {
      assertThatThrownBy(() -> history.job(spec).run((partition, records) -> {}))
          .isInstanceOf(ReplayException.class)
          .hasMessageContaining("offsets 1 to 2 ");
    }
    try (History history = History.open(config)) {
      history
          .job(spec)
          .run(
              (partition, records) ->
                  records.forEach(
                      r ->
                          replayed.put(r.offset(), new String(r.value(), StandardCharsets.UTF_8))));
    }
    assertThat(written).as("with room enough").containsAllEntriesOf(replayed);
    assertThat(replayed).hasSizeGreaterThan(2);
  }

  /** They stay as they are, though later records have their keys; all others are compacted. */
  private void compaction() throws Exception {
    AlterConfigOp compact =
        new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.SET);
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, HISTORY.topic());
    Node.get(admin.incrementalAlterConfigs(Map.of(topic, List.of(compact))).all());
    send(HISTORY, 7_000, "a", "last");
    fill();
    List.of(0L, 2L).forEach(written::remove);

    Node.await("compaction", () -> read(HISTORY).equals(written));
  }

  private void create(TopicPartition partition, Map<String, String> configs) {
    NewTopic topic = new NewTopic(partition.topic(), 1, (short) 1).configs(configs);
    Node.get(admin.createTopics(List.of(topic)).all());
  }

  private static String large() {
    return "x".repeat(4 * BOUNDS.decodedBytesMax());
  }

  /** In a batch of its own, which ends when it is flushed. */
  private void send(TopicPartition to, long timestampMs, String key, String value)
      throws Exception {
    Future<RecordMetadata> sent =
        producer.send(new ProducerRecord<>(to.topic(), 0, timestampMs, key, value));
    producer.flush();
    written.put(sent.get().offset(), value);
  }

  /** In one batch. */
  private List<Future<RecordMetadata>> sendMany(TopicPartition to) {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      sent.add(producer.send(new ProducerRecord<>(to.topic(), "m" + i, "many")));
    }
    producer.flush();
    return sent;
  }

  /** So much that what was before leaves the active segment; each record with a key of its own. */
  private void fill() throws Exception {
    for (int i = 0; i < 60; i++) {
      StringBuilder value = new StringBuilder();
      while (value.length() < 40_000) {
        value.append(Long.toString(random.nextLong(), Character.MAX_RADIX));
      }
      send(HISTORY, 6_000, "f" + random.nextLong(), value.toString());
    }
  }

  private long offset(OffsetSpec spec) {
    return Node.get(admin.listOffsets(Map.of(HISTORY, spec)).partitionResult(HISTORY)).offset();
  }

  private Map<Long, String> read(TopicPartition partition) {
    Map<Long, String> read = new TreeMap<>();
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
          read.put(record.offset(), record.value());
        }
      }
    }
    return read;
  }
}
