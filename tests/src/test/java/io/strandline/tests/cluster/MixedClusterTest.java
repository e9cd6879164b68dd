package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A broker of ours joins a cluster of Apache Kafka: it follows, leads, is followed and hands back,
 * by ordinary reassignments, transactions and groups included; and the logs are the same bytes.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class MixedClusterTest {
  private static final int KAFKA = 0;
  private static final int OURS = 9;
  private static final TopicPartition PARTITION = new TopicPartition("moved", 0);
  private static final Map<String, String> COMMON =
      Map.of(
          "offsets.topic.replication.factor", "2",
          "offsets.topic.num.partitions", "2",
          "transaction.state.log.replication.factor", "2",
          "transaction.state.log.num.partitions", "2",
          "transaction.state.log.min.isr", "1",
          "group.initial.rebalance.delay.ms", "0",
          "broker.session.timeout.ms", "3000",
          "broker.heartbeat.interval.ms", "500");

  @TempDir Path dir;
  private final List<String> expected = new ArrayList<>();
  private final List<String> read = new ArrayList<>();
  private int next;

  @Test
  void aPartitionGoesThereAndBackUnderTransactionsAndGroups() throws Exception {
    String clusterId = Uuid.randomUuid().toString();
    try (KafkaPeer kafka = KafkaPeer.start(dir.resolve("kafka"), KAFKA, clusterId, COMMON);
        BrokerProcess ours = kafka.join(dir.resolve("ours"), OURS, ours());
        Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrap()));
        KafkaProducer<String, String> producer = producer(kafka, ours);
        KafkaConsumer<String, String> group = consumer(kafka, ours)) {
      admin
          .createTopics(List.of(new NewTopic(PARTITION.topic(), Map.of(0, List.of(KAFKA)))))
          .all()
          .get(30, TimeUnit.SECONDS);
      producer.initTransactions();
      group.subscribe(List.of(PARTITION.topic()));
      transactions(producer, group);

      move(admin, KAFKA, OURS);
      transactions(producer, group);
      awaitEqual(kafka, ours);
      move(admin, OURS, KAFKA);
      elect(admin);
      ClusterTopics.awaitLeader(admin, PARTITION, Set.of(OURS));
      transactions(producer, group);
      awaitEqual(kafka, ours);

      ours.kill();
      ClusterTopics.awaitLeader(admin, PARTITION, Set.of(KAFKA));
      transactions(producer, group);
      ours.startAgain();
      ClusterTopics.awaitMoved(admin, PARTITION, Set.of(KAFKA, OURS));
      awaitEqual(kafka, ours);

      move(admin, OURS);
      transactions(producer, group);
      move(admin, KAFKA);
      transactions(producer, group);
      ClusterTopics.awaitLeader(admin, PARTITION, Set.of(KAFKA));
      assertThat(fromTheBeginning(kafka, ours)).containsExactlyElementsOf(expected);
    }
  }

  /** A real follower is sent all of the history, which is told before. */
  @Test
  void theWayBackWeighsWhatTheDoctorSaid() throws Exception {
    TopicPartition heavy = new TopicPartition("heavy", 0);
    String clusterId = Uuid.randomUuid().toString();
    try (KafkaPeer kafka = KafkaPeer.start(dir.resolve("kafka"), KAFKA, clusterId, COMMON);
        BrokerProcess ours = kafka.join(dir.resolve("ours"), OURS, ours());
        Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrap()))) {
      NewTopic topic = new NewTopic(heavy.topic(), Map.of(0, List.of(OURS)));
      topic.configs(
          Map.of(
              "segment.bytes", "1048576",
              "local.retention.bytes", "1048576",
              "file.delete.delay.ms", "0"));
      admin.createTopics(List.of(topic)).all().get(30, TimeUnit.SECONDS);
      try (KafkaProducer<String, String> producer =
          new KafkaProducer<>(
              clients(kafka, ours), new StringSerializer(), new StringSerializer())) {
        for (int i = 0; i < 5_000; i++) {
          var unused = producer.send(new ProducerRecord<>(heavy.topic(), "x".repeat(1_000)));
        }
      }
      Waiting.until(
          "most of it is in the tier alone",
          () -> size(ours.dir().resolve("data"), heavy) < 3 << 20);

      ToolProcess.Ended told =
          ToolProcess.run(
              dir,
              Map.of(),
              "doctor",
              "handback",
              "--bootstrap",
              ours.bootstrap(),
              "--store",
              "file:" + dir.resolve("objects"),
              "--to",
              Integer.toString(KAFKA),
              heavy.topic());
      assertThat(told.exitCode()).as("%s%n%s", told.out(), told.err()).isZero();
      ClusterTopics.reassign(admin, heavy, List.of(OURS, KAFKA));
      ClusterTopics.awaitMoved(admin, heavy, Set.of(OURS, KAFKA));
      long copied = size(kafka.data(), heavy);
      assertThat(copied).isGreaterThan(5_000_000);
      assertThat(told.out())
          .anyMatch(line -> line.startsWith(copied + " bytes for each broker"))
          .anyMatch(line -> line.endsWith("fits"));
    }
  }

  private static long size(Path data, TopicPartition partition) throws IOException {
    long bytes = 0;
    for (Path log : KafkaPeer.logs(data, partition.toString())) {
      bytes += Files.size(log);
    }
    return bytes;
  }

  private Map<String, String> ours() {
    Map<String, String> settings = new LinkedHashMap<>(COMMON);
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    return settings;
  }

  // ---- clients

  private static Properties clients(KafkaPeer kafka, BrokerProcess ours) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", kafka.bootstrap() + "," + ours.bootstrap());
    return properties;
  }

  private static KafkaProducer<String, String> producer(KafkaPeer kafka, BrokerProcess ours) {
    Properties properties = clients(kafka, ours);
    properties.put("transactional.id", "mover");
    return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
  }

  private static KafkaConsumer<String, String> consumer(KafkaPeer kafka, BrokerProcess ours) {
    Properties properties = clients(kafka, ours);
    properties.put("group.id", "movers");
    properties.put("isolation.level", "read_committed");
    properties.put("auto.offset.reset", "earliest");
    properties.put("enable.auto.commit", "false");
    return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
  }

  /** Some committed with the offsets of what the group read, some aborted; the group reads all. */
  private void transactions(
      KafkaProducer<String, String> producer, KafkaConsumer<String, String> group) {
    for (int i = 0; i < 20; i++) {
      boolean commits = i % 4 != 3;
      producer.beginTransaction();
      for (int n = 0; n < 5; n++) {
        String value = "value " + next++;
        var unused = producer.send(new ProducerRecord<>(PARTITION.topic(), 0, null, value));
        if (commits) {
          expected.add(value);
        }
      }
      if (commits) {
        ConsumerGroupMetadata metadata = group.groupMetadata();
        if (metadata.generationId() >= 0) {
          producer.sendOffsetsToTransaction(
              Map.of(PARTITION, new OffsetAndMetadata(group.position(PARTITION))), metadata);
        }
        producer.commitTransaction();
      } else {
        producer.flush();
        producer.abortTransaction();
      }
      group.poll(Duration.ofMillis(20)).forEach(r -> read.add(r.value()));
    }
    Waiting.until(
        "the group to read all",
        () -> {
          group.poll(Duration.ofMillis(100)).forEach(r -> read.add(r.value()));
          return read.size() >= expected.size();
        });
    assertThat(read).containsExactlyElementsOf(expected);
  }

  private static List<String> fromTheBeginning(KafkaPeer kafka, BrokerProcess ours) {
    List<String> found = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = consumer(kafka, ours)) {
      consumer.assign(List.of(PARTITION));
      consumer.seekToBeginning(List.of(PARTITION));
      long end = consumer.endOffsets(List.of(PARTITION)).get(PARTITION);
      while (consumer.position(PARTITION) < end) {
        consumer.poll(Duration.ofMillis(200)).forEach(r -> found.add(r.value()));
      }
    }
    return found;
  }

  // ---- the cluster

  private static void move(Admin admin, Integer... replicas) throws Exception {
    ClusterTopics.reassign(admin, PARTITION, List.of(replicas));
    ClusterTopics.awaitMoved(admin, PARTITION, Set.of(replicas));
  }

  private static void elect(Admin admin) throws Exception {
    admin.electLeaders(ElectionType.PREFERRED, Set.of(PARTITION)).all().get(30, TimeUnit.SECONDS);
  }

  private static void awaitEqual(KafkaPeer kafka, BrokerProcess ours) {
    Waiting.until(
        "equal logs",
        () -> {
          byte[] theirs = bytes(kafka.data());
          return theirs.length > 0 && Arrays.equals(theirs, bytes(ours.dir().resolve("data")));
        });
  }

  private static byte[] bytes(Path data) throws IOException {
    List<Path> logs = KafkaPeer.logs(data, PARTITION.toString());
    assertThat(logs).hasSize(1);
    return Files.readAllBytes(logs.get(0));
  }
}
