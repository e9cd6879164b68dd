package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.Kcat;
import io.strandline.tests.process.ToolProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Brokers that lead nothing and serve history (design D18). */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class ReplayBrokersTest {
  private static final String TOPIC = "long";
  private static final int PARTITIONS = 4;
  private static final int SEGMENT = 1 << 20;
  private static final int RECORD = 10_000;

  @TempDir Path dir;
  private final Map<TopicPartition, List<byte[]>> sent = new HashMap<>();

  @Test
  void theyServeAllOfEveryPartitionAcrossTheSeamWhileTheyComeAndGo() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2)
            .with(NodeRole.REPLAY, 11, 12)
            .replicas(1, 1)
            .start()) {
      Map<Integer, List<Integer>> spread = new HashMap<>();
      for (int i = 0; i < PARTITIONS; i++) {
        spread.put(i, List.of(1 + i % 2));
      }
      ClusterTopics.create(cluster, TOPIC, spread, ClusterTopics.tiered(SEGMENT, SEGMENT));
      assertSeparate(cluster);
      produce(cluster, 3);
      Waiting.until("released", () -> released(cluster));
      double before = replayed(cluster, 1, 2);

      try (KafkaConsumer<byte[], byte[]> reader = consumer(cluster, Map.of())) {
        reader.assign(partitions());
        reader.seekToBeginning(partitions());
        Map<TopicPartition, Integer> read = new HashMap<>();
        readUntil(reader, read, () -> total(read) == total(sent)); // tier, seam, hot log
        produce(cluster, 2);
        readUntil(reader, read, () -> total(read) == total(sent)); // what comes meanwhile
        assertThat(reader.endOffsets(partitions()))
            .hasSize(PARTITIONS)
            .allSatisfy((partition, end) -> assertThat(end).isEqualTo(sent.get(partition).size()));
        reader.seekToBeginning(partitions()); // and back
        read.clear();
        cluster.node(11).kill();
        readUntil(reader, read, () -> total(read) == total(sent));
      }

      try (KafkaConsumer<byte[], byte[]> member =
          consumer(cluster, Map.of("group.id", "replayers", "auto.offset.reset", "earliest"))) {
        member.subscribe(List.of(TOPIC));
        Map<TopicPartition, Integer> read = new HashMap<>();
        readUntil(member, read, () -> total(read) >= total(sent) / 2);
        cluster.node(11).startAgain();
        cluster.node(12).kill();
        readUntil(member, read, () -> total(read) == total(sent));
        member.commitSync();
      }
      assertThat(
              cluster
                  .admin()
                  .listConsumerGroupOffsets("replayers")
                  .partitionsToOffsetAndMetadata()
                  .get(30, TimeUnit.SECONDS))
          .hasSize(PARTITIONS)
          .allSatisfy(
              (partition, offset) ->
                  assertThat(offset.offset()).isEqualTo(sent.get(partition).size()));

      if (Kcat.onPath()) {
        assertThat(Kcat.readAsGroup(cluster.replayBootstrap(), "kcat", TOPIC, total(sent)))
            .isEqualTo(total(sent));
      }
      assertThat(replayed(cluster, 1, 2)).as("asked the leaders for history").isEqualTo(before);
      assertThat(replayed(cluster, 11)).isPositive();
      assertCommittedAlone(cluster);
      try (KafkaProducer<byte[], byte[]> producer = producer(cluster.bootstrap(11))) {
        assertThatThrownBy(
                () ->
                    producer
                        .send(new ProducerRecord<>(TOPIC, new byte[1]))
                        .get(60, TimeUnit.SECONDS))
            .hasCauseInstanceOf(PolicyViolationException.class);
      }
      cluster.node(12).startAgain();
      cluster.node(2).kill();
      assertTieredWithoutLeader(cluster, new TopicPartition(TOPIC, 1));
      assertTakenOutAtItsListener(cluster, 12);
    }
  }

  /** By another listener nobody knows of a replay broker. */
  private void assertTakenOutAtItsListener(TestCluster cluster, int id) throws Exception {
    String replay;
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrap(11)))) {
      Node one =
          admin.describeCluster().nodes().get(30, TimeUnit.SECONDS).stream()
              .filter(node -> node.id() == 1)
              .findFirst()
              .orElseThrow();
      replay = one.host() + ":" + one.port();
    }
    cluster.node(id).stop();
    ToolProcess.Ended unknown = brokers("unregister", Integer.toString(id), cluster.bootstrap(1));
    assertThat(unknown.exitCode()).isEqualTo(1);
    assertThat(unknown.err()).contains("ask at the replay brokers' listener");
    Waiting.until(
        "the replay broker that stopped to be fenced",
        () -> states(replay).contains(id + " fenced"));
    ToolProcess.Ended out = brokers("unregister", Integer.toString(id), replay);
    assertThat(out.exitCode()).as(out.err()).isZero();
    assertThat(states(replay)).noneMatch(state -> state.startsWith(id + " "));
  }

  /** Each broker as id and state, by the tool. */
  private List<String> states(String bootstrap) throws Exception {
    return brokers("list", bootstrap).out().stream()
        .map(line -> line.strip().split("\\s+"))
        .map(row -> row[0] + " " + row[row.length - 1])
        .toList();
  }

  private ToolProcess.Ended brokers(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("brokers"));
    all.addAll(List.of(arguments));
    all.add(all.size() - 1, "-b");
    return ToolProcess.run(dir, Map.of(), all.toArray(new String[0]));
  }

  /** By a broker that has never read it, so it knows nothing by its leader. */
  private void assertTieredWithoutLeader(TestCluster cluster, TopicPartition partition) {
    try (KafkaConsumer<byte[], byte[]> reader = consumer(cluster, Map.of())) {
      reader.assign(List.of(partition));
      reader.seek(partition, 0);
      Map<TopicPartition, Integer> read = new HashMap<>();
      readUntil(reader, read, () -> total(read) > SEGMENT / RECORD);
    }
  }

  /** Transactions that end while they are read above the tier's end. */
  private void assertCommittedAlone(TestCluster cluster) throws Exception {
    TopicPartition first = partitions().get(0);
    Properties properties = new Properties();
    properties.put("bootstrap.servers", cluster.bootstrap());
    properties.put("transactional.id", "teller");
    try (KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
        KafkaConsumer<byte[], byte[]> reader =
            consumer(cluster, Map.of("isolation.level", "read_committed"))) {
      reader.assign(List.of(first));
      reader.seek(first, sent.get(first).size());
      List<String> seen = new ArrayList<>();
      producer.initTransactions();
      for (String value : new String[] {"aborted", "kept", "aborted", "kept too"}) {
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(TOPIC, 0, null, value.getBytes(StandardCharsets.UTF_8)));
        producer.flush();
        reader
            .poll(Duration.ofMillis(100))
            .forEach(r -> seen.add(new String(r.value(), StandardCharsets.UTF_8)));
        if (value.equals("aborted")) {
          producer.abortTransaction();
        } else {
          producer.commitTransaction();
        }
      }
      Waiting.polling(
          "all that is committed",
          () -> {
            reader
                .poll(Duration.ofMillis(100))
                .forEach(r -> seen.add(new String(r.value(), StandardCharsets.UTF_8)));
            return seen.size() >= 2;
          });
      assertThat(seen).containsExactly("kept", "kept too");
    }
  }

  /** Each side hears of its own brokers alone, and no replica is put on a replay broker. */
  private static void assertSeparate(TestCluster cluster) throws Exception {
    assertThat(ids(cluster.admin())).containsExactlyInAnyOrder(1, 2);
    for (int i = 0; i < 20; i++) { // a random one each time
      assertThat(cluster.admin().describeCluster().controller().get(30, TimeUnit.SECONDS).id())
          .isLessThan(10);
    }
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.replayBootstrap()))) {
      assertThat(ids(admin)).as("coordinators, too").containsExactlyInAnyOrder(1, 2, 11, 12);
      assertThat(
              admin
                  .describeTopics(List.of(TOPIC))
                  .allTopicNames()
                  .get(30, TimeUnit.SECONDS)
                  .get(TOPIC)
                  .partitions())
          .allMatch(partition -> partition.leader().id() > 10);
    }
    assertThatThrownBy(
            () ->
                cluster
                    .admin()
                    .createTopics(List.of(new NewTopic("three", 1, (short) 3)))
                    .all()
                    .get(30, TimeUnit.SECONDS))
        .hasCauseInstanceOf(InvalidReplicationFactorException.class);
  }

  /** Bytes of history that these brokers gave to readers. */
  private static double replayed(TestCluster cluster, int... nodes) throws IOException {
    double bytes = 0;
    for (int node : nodes) {
      bytes += cluster.node(node).metric("strandline_replay_bytes_total");
    }
    return bytes;
  }

  private static List<Integer> ids(Admin admin) throws Exception {
    return admin.describeCluster().nodes().get(30, TimeUnit.SECONDS).stream()
        .map(Node::id)
        .toList();
  }

  private static boolean released(TestCluster cluster) throws Exception {
    for (int i = 0; i < PARTITIONS; i++) {
      Path replica = cluster.directory(1 + i % 2).resolve("data").resolve(TOPIC + "-" + i);
      if (Files.exists(replica.resolve("00000000000000000000.log"))) {
        return false;
      }
    }
    return true;
  }

  private static List<TopicPartition> partitions() {
    List<TopicPartition> all = new ArrayList<>();
    for (int i = 0; i < PARTITIONS; i++) {
      all.add(new TopicPartition(TOPIC, i));
    }
    return all;
  }

  // ---- records

  private static KafkaProducer<byte[], byte[]> producer(String bootstrap) {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", bootstrap),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private static KafkaConsumer<byte[], byte[]> consumer(
      TestCluster cluster, Map<String, String> more) {
    Map<String, Object> all = new HashMap<>(more);
    all.put("bootstrap.servers", cluster.replayBootstrap());
    return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private void produce(TestCluster cluster, int segments) throws Exception {
    Random random = new Random(11);
    try (KafkaProducer<byte[], byte[]> producer = producer(cluster.bootstrap())) {
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < segments * (SEGMENT / RECORD); i++) {
        for (TopicPartition partition : partitions()) {
          byte[] value = new byte[RECORD];
          random.nextBytes(value);
          sent.computeIfAbsent(partition, none -> new ArrayList<>()).add(value);
          results.add(
              producer.send(new ProducerRecord<>(TOPIC, partition.partition(), null, value)));
        }
      }
      for (var result : results) {
        result.get(60, TimeUnit.SECONDS);
      }
    }
  }

  private void readUntil(
      KafkaConsumer<byte[], byte[]> consumer,
      Map<TopicPartition, Integer> read,
      BooleanSupplier enough) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!enough.getAsBoolean()) {
      assertThat(System.nanoTime()).as("read %s of %s", read, total(sent)).isLessThan(deadline);
      for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
        TopicPartition partition = new TopicPartition(r.topic(), r.partition());
        int next = read.getOrDefault(partition, 0);
        assertThat(r.offset()).isEqualTo(next);
        assertThat(new String(r.value(), StandardCharsets.ISO_8859_1))
            .isEqualTo(new String(sent.get(partition).get(next), StandardCharsets.ISO_8859_1));
        read.put(partition, next + 1);
      }
    }
  }

  private static int total(Map<TopicPartition, ?> counts) {
    return counts.values().stream()
        .mapToInt(c -> c instanceof List<?> list ? list.size() : (Integer) c)
        .sum();
  }
}
