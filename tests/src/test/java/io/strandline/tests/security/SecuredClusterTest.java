package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.ClusterTopics;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.Records;
import io.strandline.tests.cluster.TestCluster;
import io.strandline.tests.fault.Waiting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Brokers that say who they are to each other by SCRAM over TLS, to the controller by certificate,
 * with an authorizer on every node. Clients have a listener of their own, and are anonymous.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class SecuredClusterTest {
  private static final TopicPartition PARTITION = new TopicPartition("events", 0);
  private static final int SEGMENT = 1 << 20;
  private static final String PASSWORD = "hush-broker-31c9";

  @TempDir Path dir;
  private final List<String> written = new ArrayList<>();

  @Test
  void replicasCoordinatorsAndReplayBrokersLogIn() throws Exception {
    try (TestCluster cluster = start()) {
      ClusterTopics.create(
          cluster,
          PARTITION.topic(),
          Map.of(0, List.of(2, 3)),
          ClusterTopics.tiered(SEGMENT, SEGMENT));
      write(cluster, 400);
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2, 3));
      transact(cluster);

      cluster.node(2).kill();
      ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(3));
      write(cluster, 100);
      cluster.node(2).startAgain();
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2, 3));

      Path first = Path.of(PARTITION.toString(), "00000000000000000000.log");
      Waiting.until("released", () -> Files.notExists(data(cluster, 3).resolve(first)));
      for (String bootstrap : new String[] {cluster.bootstrap(), cluster.replayBootstrap()}) {
        assertThat(Records.consume(bootstrap, PARTITION.topic(), 1, written.size()))
            .isEqualTo(written);
      }
      assertNobodyElseIsLetIn(cluster);
      for (int node : new int[] {1, 2, 3, 11}) {
        assertThat(cluster.node(node).output()).doesNotContain(PASSWORD, Certificates.PASSWORD);
      }
    }
  }

  private TestCluster start() throws Exception {
    return new Blueprint(dir)
        .with(NodeRole.COMBINED, 1)
        .with(NodeRole.BROKER, 2, 3)
        .with(NodeRole.REPLAY, 11)
        .apart()
        .user("SCRAM-SHA-512=[name=broker,password=" + PASSWORD + "]")
        .replicas(2, 1)
        .set(settings())
        .start();
  }

  private Map<String, String> settings() throws Exception {
    Certificates certificates = new Certificates(dir);
    Path key = certificates.make("node.p12", "node");
    Map<String, String> all = new HashMap<>();
    all.put(
        "listener.security.protocol.map",
        "BROKERS:SASL_SSL,CONTROLLER:SSL,PLAINTEXT:PLAINTEXT,REPLAY:PLAINTEXT");
    all.putAll(Certificates.keystore(key));
    all.putAll(Certificates.truststore(certificates.trust("trust.p12", key)));
    all.put("listener.name.controller.ssl.client.auth", "required");
    all.put("sasl.enabled.mechanisms", "SCRAM-SHA-512");
    all.put("sasl.mechanism.inter.broker.protocol", "SCRAM-SHA-512");
    all.put(
        "listener.name.brokers.scram-sha-512.sasl.jaas.config",
        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"broker\""
            + " password=\""
            + PASSWORD
            + "\";");
    all.put("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    all.put("super.users", "User:broker;User:ANONYMOUS;User:CN=node,OU=tests,O=Strandline");
    return all;
  }

  private static Path data(TestCluster cluster, int node) {
    return cluster.directory(node).resolve("data");
  }

  private void write(TestCluster cluster, int count) throws Exception {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      values.add((written.size() + i) + "x".repeat(10_000));
    }
    Records.produce(cluster.bootstrap(), PARTITION.topic(), 1, values);
    written.addAll(values);
  }

  /** Coordinators of the transaction and of the group, and the partition, on whichever brokers. */
  private void transact(TestCluster cluster) throws Exception {
    OffsetAndMetadata offset = new OffsetAndMetadata(7);
    for (int i = 0; i < 4; i++) { // coordinators go by the name
      String group = "readers-" + i;
      try (KafkaProducer<String, String> producer =
          new KafkaProducer<>(
              Map.of("bootstrap.servers", cluster.bootstrap(), "transactional.id", "writer-" + i),
              new StringSerializer(),
              new StringSerializer())) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(PARTITION.topic(), "aborted"));
        producer.flush();
        producer.abortTransaction();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(PARTITION.topic(), "kept " + i));
        producer.sendOffsetsToTransaction(
            Map.of(PARTITION, offset), new ConsumerGroupMetadata(group));
        producer.commitTransaction();
      }
      Waiting.until( // its marker comes after the producer was told
          "committed with the transaction", () -> offset.equals(committed(cluster, group)));
      written.add("aborted");
      written.add("kept " + i);
    }
    try (KafkaConsumer<String, String> reader =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", cluster.bootstrap(), "isolation.level", "read_committed"),
            new StringDeserializer(),
            new StringDeserializer())) {
      reader.assign(List.of(PARTITION));
      reader.seek(PARTITION, written.size() - 8L);
      List<String> seen = new ArrayList<>();
      Waiting.polling(
          "what was committed",
          () -> {
            reader.poll(Duration.ofMillis(100)).forEach(r -> seen.add(r.value()));
            return seen.size() >= 4;
          });
      assertThat(seen).containsExactly("kept 0", "kept 1", "kept 2", "kept 3");
    }
  }

  private static OffsetAndMetadata committed(TestCluster cluster, String group) throws Exception {
    return cluster
        .admin()
        .listConsumerGroupOffsets(group)
        .partitionsToOffsetAndMetadata()
        .get(30, TimeUnit.SECONDS)
        .get(PARTITION);
  }

  /** Who has no password is refused by the brokers' listener, who has no certificate by TLS. */
  private void assertNobodyElseIsLetIn(TestCluster cluster) {
    Map<String, Object> wrong = new HashMap<>();
    wrong.put("bootstrap.servers", cluster.listener(2, "BROKERS"));
    wrong.putAll(Certificates.truststore(dir.resolve("trust.p12")));
    wrong.put("security.protocol", "SASL_SSL");
    wrong.put("sasl.mechanism", "SCRAM-SHA-512");
    wrong.put(
        "sasl.jaas.config",
        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"broker\""
            + " password=\"guessed\";");
    assertRefused(wrong);
    Map<String, Object> nameless = new HashMap<>();
    nameless.put("bootstrap.controllers", cluster.controllerBootstrap());
    nameless.putAll(Certificates.truststore(dir.resolve("trust.p12")));
    nameless.put("security.protocol", "SSL");
    assertRefused(nameless);
  }

  private static void assertRefused(Map<String, Object> client) {
    try (Admin admin = Admin.create(client)) {
      assertThatThrownBy(() -> admin.describeCluster().nodes().get(60, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(AuthenticationException.class);
    }
  }
}
