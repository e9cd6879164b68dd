package io.strandline.tests.share;

import static io.strandline.tests.share.ShareClients.offsets;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.ClusterTopics;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Topic;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Share groups whose members (broker 2), state (broker 3) and partitions are kept by different
 * brokers, and move.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ShareElsewhereTest {
  private static final TopicPartition STATE =
      new TopicPartition(Topic.SHARE_GROUP_STATE_TOPIC_NAME, 0);

  @TempDir static Path dir;
  private TestCluster cluster;
  private ShareClients clients;

  @BeforeAll
  void start() throws Exception {
    cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(1, 1)
            .set("offsets.topic.num.partitions", "1")
            .set("share.coordinator.state.topic.num.partitions", "1")
            .set("group.share.min.heartbeat.interval.ms", "200")
            .set("group.share.heartbeat.interval.ms", "200")
            .set("group.share.assignment.interval.ms", "0")
            .set("strandline.tier.enable", "false")
            .start();
    Map<String, String> compact = Map.of("cleanup.policy", "compact");
    ClusterTopics.create(cluster, Topic.GROUP_METADATA_TOPIC_NAME, Map.of(0, List.of(2)), compact);
    ClusterTopics.create(
        cluster, STATE.topic(), Map.of(0, List.of(3)), Map.of("retention.ms", "-1"));
    clients = new ShareClients(cluster.bootstrap());
  }

  @AfterAll
  void stop() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  /** A topic whose partitions 0, 1… are led by these brokers, and a group of its name. */
  private List<TopicPartition> topic(String name, Map<Integer, List<Integer>> replicas)
      throws Exception {
    ClusterTopics.create(cluster, name, replicas, Map.of());
    AlterConfigOp earliest =
        new AlterConfigOp(
            new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET);
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, name);
    ShareClients.get(
        cluster.admin().incrementalAlterConfigs(Map.of(group, List.of(earliest))).all());
    return replicas.keySet().stream().sorted().map(p -> new TopicPartition(name, p)).toList();
  }

  private void produce(List<TopicPartition> to, int from, int until) {
    try (KafkaProducer<String, String> producer = clients.producer(Map.of())) {
      for (TopicPartition tp : to) {
        for (int i = from; i < until; i++) {
          producer.send(new ProducerRecord<>(tp.topic(), tp.partition(), "", "v" + i));
        }
      }
    }
  }

  private static List<ConsumerRecord<String, String>> poll(
      ShareConsumer<String, String> consumer, int count) {
    List<ConsumerRecord<String, String>> got = new ArrayList<>();
    ShareClients.await(
        count + " records",
        () -> {
          consumer.poll(ShareClients.POLL).forEach(got::add);
          return got.size() >= count;
        });
    return got;
  }

  @Test
  void whatIsAcknowledgedIsKeptByWhoeverKeepsTheState() throws Exception {
    List<TopicPartition> topic =
        topic("spread", Map.of(0, List.of(1), 1, List.of(2), 2, List.of(3)));
    produce(topic, 0, 10);
    try (ShareConsumer<String, String> consumer = clients.consumer("spread", Map.of())) {
      assertThat(poll(consumer, 30)).hasSize(30);
      assertThat(consumer.commitSync().values()).allMatch(error -> error.isEmpty());
    }
    for (TopicPartition tp : topic) {
      ShareClients.await(
          "no lag of " + tp,
          () -> ShareClients.position(cluster.admin(), tp).lag().orElse(-1L) == 0);
    }
    produce(topic, 10, 11);
    try (ShareConsumer<String, String> another = clients.consumer("spread", Map.of())) {
      assertThat(offsets(poll(another, 3))).containsExactly(10L, 10L, 10L);
    }
  }

  @Test
  void membersGoOnWhenAPartitionMoves() throws Exception {
    TopicPartition moving = topic("moving", Map.of(0, List.of(1))).get(0);
    produce(List.of(moving), 0, 9);
    try (ShareConsumer<String, String> consumer = clients.explicit("moving")) {
      for (ConsumerRecord<String, String> record : poll(consumer, 9)) {
        boolean odd = record.offset() % 2 == 1;
        consumer.acknowledge(record, odd ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
      }
      assertThat(consumer.commitSync().values()).allMatch(error -> error.isEmpty());
      ClusterTopics.move(cluster, moving, 2);
      List<ConsumerRecord<String, String>> again = poll(consumer, 4);
      assertThat(offsets(again)).containsExactly(1L, 3L, 5L, 7L);
      assertThat(ShareClients.deliveries(again)).containsOnly(2);
      again.forEach(consumer::acknowledge);
      assertThat(consumer.commitSync().values()).allMatch(error -> error.isEmpty());
      produce(List.of(moving), 9, 10);
      assertThat(offsets(poll(consumer, 1))).containsExactly(9L);
      ShareClients.await("nothing to be kept where it was led", () -> kept(1) == 0);
    }
  }

  private double kept(int node) {
    try {
      return cluster.node(node).metric("strandline_share_partitions");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void membersGoOnWhenTheStateMoves() throws Exception {
    List<TopicPartition> topic = topic("state", Map.of(0, List.of(1), 1, List.of(3)));
    Set<String> seen = new HashSet<>();
    try (ShareConsumer<String, String> consumer = clients.consumer("state", Map.of())) {
      produce(topic, 0, 5);
      poll(consumer, 10).forEach(record -> seen.add(record.partition() + "-" + record.offset()));
      consumer.commitSync();
      for (int home : new int[] {1, 2, 3}) {
        ClusterTopics.move(cluster, STATE, home);
        produce(topic, 0, 5);
        ShareClients.await(
            "all after the state is on " + home,
            () -> {
              for (ConsumerRecord<String, String> record : consumer.poll(ShareClients.POLL)) {
                seen.add(record.partition() + "-" + record.offset());
              }
              consumer.commitSync();
              return seen.size() == 10 * (home + 1);
            });
      }
    }
    for (TopicPartition tp : topic) {
      ShareClients.await(
          "no lag of " + tp,
          () -> ShareClients.position(cluster.admin(), tp).lag().orElse(-1L) == 0);
    }
  }
}
