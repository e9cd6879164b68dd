package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ReplicaInfo;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two replicas of topics that are compacted. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class CompactedReplicasTest {
  private static final int SEGMENT = 1 << 20;

  @TempDir static Path dir;
  private static TestCluster cluster;
  private final Random random = new Random(11);

  @BeforeAll
  static void start() throws Exception {
    cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2)
            .replicas(2, 1)
            .set("strandline.tier.check.ms", "200")
            .set("strandline.tier.gather.ms", "0")
            .set("strandline.tier.upload.min.bytes", "0")
            .set("strandline.scrub.list.ms", "1000")
            .set("log.cleaner.backoff.ms", "200")
            .start();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  /** The leader frees what is clean in the tier, whatever local retention says. */
  @Test
  void aFollowerFreesWhatWasCompactedInTheTier() throws Exception {
    TopicPartition table = create("table", Map.of());
    overwrite(table, 6);
    Waiting.until("freed by the leader", () -> localBytes(1, table) < 2 * SEGMENT);
    Waiting.until("freed by the follower", () -> localBytes(2, table) < 2 * SEGMENT);
    assertThat(offset(table, OffsetSpec.earliestLocal())).isPositive();
  }

  /**
   * The tier holds the value; the tombstone was written, and its time was over, while nothing was
   * copied; then another leads.
   */
  @Test
  void whatWasDeletedWhileNothingWasCopiedStaysDeleted() throws Exception {
    TopicPartition table =
        create("switched", Map.of("min.compaction.lag.ms", "86400000", "delete.retention.ms", "0"));
    put(table, "key", "value");
    overwrite(table, 3);
    Waiting.until("the value in the tier", () -> offset(table, OffsetSpec.latestTiered()) >= 0);
    alter(table, Map.of("remote.storage.enable", "false", "min.compaction.lag.ms", "0"));
    long deleted = put(table, "key", null);
    for (int round = 0; round < 3; round++) {
      overwrite(table, 3);
      for (int node : cluster.brokers()) {
        Waiting.until("compacted by " + node, () -> localBytes(node, table) < 2 * SEGMENT);
      }
    }
    ClusterTopics.move(cluster, table, 2, 1);
    alter(table, Map.of("remote.storage.enable", ""));
    overwrite(table, 3);
    Waiting.until(
        "compacted in the tier", () -> offset(table, OffsetSpec.earliestLocal()) > deleted);
    assertThat(read(table).get("key")).isNull();
  }

  /** Tombstones stay for the sake of what is in the tier, and of nothing else. */
  @Test
  void tombstonesGoFromATopicThatWasNeverCopied() throws Exception {
    TopicPartition table =
        create("local", Map.of("remote.storage.enable", "false", "delete.retention.ms", "0"));
    put(table, "key", "value");
    put(table, "key", null);
    Waiting.until(
        "no tombstone",
        () -> {
          overwrite(table, 1);
          return !read(table).containsKey("key");
        });
    ClusterTopics.move(cluster, table, 2, 1);
    assertThat(read(table)).as("nor at the other replica").doesNotContainKey("key");
  }

  private static TopicPartition create(String topic, Map<String, String> more) throws Exception {
    Map<String, String> configs = new HashMap<>(more);
    configs.put("cleanup.policy", "compact");
    configs.put("segment.bytes", Integer.toString(SEGMENT));
    configs.put("min.cleanable.dirty.ratio", "0.01");
    configs.put("file.delete.delay.ms", "0");
    ClusterTopics.create(cluster, topic, Map.of(0, List.of(1, 2)), configs);
    TopicPartition partition = new TopicPartition(topic, 0);
    ClusterTopics.awaitInSync(cluster, partition, Set.of(1, 2));
    ClusterTopics.awaitLeader(cluster, partition, Set.of(1));
    return partition;
  }

  private static void alter(TopicPartition partition, Map<String, String> configs)
      throws Exception {
    List<AlterConfigOp> changes = new ArrayList<>();
    configs.forEach(
        (key, value) ->
            changes.add(
                new AlterConfigOp(
                    new ConfigEntry(key, value), value.isEmpty() ? OpType.DELETE : OpType.SET)));
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, partition.topic());
    cluster.admin().incrementalAlterConfigs(Map.of(topic, changes)).all().get(30, TimeUnit.SECONDS);
  }

  private static KafkaProducer<String, String> producer() {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", cluster.bootstrap());
    return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
  }

  private static long put(TopicPartition partition, String key, String value) throws Exception {
    try (KafkaProducer<String, String> producer = producer()) {
      return producer
          .send(new ProducerRecord<>(partition.topic(), 0, key, value))
          .get(60, TimeUnit.SECONDS)
          .offset();
    }
  }

  /** So many MiB to ten keys. */
  private void overwrite(TopicPartition partition, int mib) throws Exception {
    try (KafkaProducer<String, String> producer = producer()) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int i = 0; i < mib * 100; i++) {
        byte[] value = new byte[5_250];
        random.nextBytes(value);
        String hex = java.util.HexFormat.of().formatHex(value);
        sent.add(
            producer.send(new ProducerRecord<>(partition.topic(), 0, "filler-" + i % 10, hex)));
      }
      for (Future<RecordMetadata> each : sent) {
        each.get(60, TimeUnit.SECONDS);
      }
    }
  }

  /** The last value of each key from the beginning on. */
  private static Map<String, String> read(TopicPartition partition) throws Exception {
    Map<String, String> last = new HashMap<>();
    long end = offset(partition, OffsetSpec.latest());
    Properties properties = new Properties();
    properties.put("bootstrap.servers", cluster.bootstrap());
    properties.put("auto.offset.reset", "earliest");
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(partition));
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
          last.put(record.key(), record.value());
        }
      }
    }
    return last;
  }

  private static long offset(TopicPartition partition, OffsetSpec spec) throws Exception {
    return cluster
        .admin()
        .listOffsets(Map.of(partition, spec))
        .partitionResult(partition)
        .get(30, TimeUnit.SECONDS)
        .offset();
  }

  private static long localBytes(int node, TopicPartition partition) throws Exception {
    return cluster
        .admin()
        .describeLogDirs(List.of(node))
        .allDescriptions()
        .get(30, TimeUnit.SECONDS)
        .get(node)
        .values()
        .stream()
        .map(LogDirDescription::replicaInfos)
        .map(replicas -> replicas.get(partition))
        .filter(replica -> replica != null)
        .mapToLong(ReplicaInfo::size)
        .sum();
  }
}
