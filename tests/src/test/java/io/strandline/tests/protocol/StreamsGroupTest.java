package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.StreamsGroupDescription;
import org.apache.kafka.clients.admin.StreamsGroupMemberAssignment;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An application of Kafka Streams whose groups are run by the broker (KIP-1071). */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class StreamsGroupTest {
  private static final String GROUP = "counter";
  private static final int PARTITIONS = 2;

  @TempDir Path dir;

  @Test
  void anApplicationCountsWithTwoMembersAndItsGroupIsSeenAndDeleted() {
    try (Node node = new Node(dir, Map.of("group.streams.min.heartbeat.interval.ms", "500"));
        Admin admin = node.admin()) {
      create(admin, "words");
      create(admin, "counts");
      ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, GROUP);
      var often = new ConfigEntry("streams.heartbeat.interval.ms", "500");
      AlterConfigOp set = new AlterConfigOp(often, AlterConfigOp.OpType.SET);
      Node.get(admin.incrementalAlterConfigs(Map.of(group, List.of(set))).all());
      try (KafkaStreams first = application(node, "first")) {
        first.start();
        write(node, 0);
        assertThat(counts(node, 50)).isEqualTo(expected(5));
        assertThat(topics(admin))
            .contains(GROUP + "-by-word-repartition", GROUP + "-seen-changelog");
        assertThat(partitions(admin, GROUP + "-seen-changelog")).isEqualTo(PARTITIONS);
        assertThat(config(admin, GROUP + "-seen-changelog", "cleanup.policy")).isEqualTo("compact");
        try (KafkaStreams second = application(node, "second")) {
          second.start();
          Node.await("each has some", () -> owners(admin).size() == 2);
          write(node, 1);
          assertThat(counts(node, 100)).isEqualTo(expected(10));
          assertThatThrownBy(() -> Node.get(admin.deleteStreamsGroups(List.of(GROUP)).all()))
              .isInstanceOf(GroupNotEmptyException.class);
        }
        Node.await("one has all", () -> owners(admin).size() == 1);
      }
      Node.await("nobody is left", () -> describe(admin).groupState() == GroupState.EMPTY);
      seenWhileEmpty(admin);
      assertThat(
              Node.get(admin.describeConfigs(List.of(group)).all())
                  .get(group)
                  .get("streams.heartbeat.interval.ms")
                  .value())
          .isEqualTo("500");
      Node.get(admin.deleteStreamsGroups(List.of(GROUP)).all());
      assertThat(listed(admin)).isEmpty();
    }
  }

  private static void seenWhileEmpty(Admin admin) {
    assertThat(listed(admin)).containsExactly(GROUP);
    assertThat(describe(admin).subtopologies())
        .flatExtracting(part -> part.sourceTopics())
        .contains("words");
    Map<TopicPartition, Long> offsets = new HashMap<>();
    Node.get(
            admin
                .listStreamsGroupOffsets(Map.of(GROUP, all()))
                .partitionsToOffsetAndMetadata(GROUP))
        .forEach((partition, offset) -> offsets.put(partition, offset.offset()));
    long read =
        offsets.entrySet().stream()
            .filter(entry -> entry.getKey().topic().equals("words"))
            .mapToLong(Map.Entry::getValue)
            .sum();
    assertThat(read).isEqualTo(100);
  }

  private static org.apache.kafka.clients.admin.ListStreamsGroupOffsetsSpec all() {
    return new org.apache.kafka.clients.admin.ListStreamsGroupOffsetsSpec();
  }

  @Test
  void whereStreamsGroupsAreSwitchedOffNobodyIsServed() {
    Map<String, String> off = Map.of("group.coordinator.rebalance.protocols", "classic,consumer");
    try (Node node = new Node(dir, off);
        Admin admin = node.admin()) {
      Node.await("a coordinator", () -> Node.get(admin.listGroups().all()) != null);
      assertThatThrownBy(() -> describe(admin)).isInstanceOf(UnsupportedVersionException.class);
    }
  }

  private static void create(Admin admin, String topic) {
    Node.get(admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1))).all());
  }

  /** Counts how often each word came, by way of a repartition topic and a changelog. */
  private static Topology topology() {
    StreamsBuilder builder = new StreamsBuilder();
    builder.<String, String>stream("words")
        .groupBy((key, word) -> word, Grouped.as("by-word"))
        .count(
            Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("seen"))
                .withKeySerde(Serdes.String())
                .withValueSerde(Serdes.Long()))
        .toStream()
        .mapValues(count -> Long.toString(count))
        .to("counts");
    return builder.build();
  }

  private KafkaStreams application(Node node, String name) {
    Properties settings = new Properties();
    settings.put("application.id", GROUP);
    settings.put("client.id", name);
    settings.put("bootstrap.servers", node.bootstrap());
    settings.put("group.protocol", "streams");
    settings.put("state.dir", dir.resolve(name).toString());
    settings.put("default.key.serde", Serdes.StringSerde.class.getName());
    settings.put("default.value.serde", Serdes.StringSerde.class.getName());
    settings.put("commit.interval.ms", "100");
    settings.put("statestore.cache.max.bytes", "0");
    settings.put("consumer.auto.offset.reset", "earliest");
    settings.put("replication.factor", "-1");
    return new KafkaStreams(topology(), settings);
  }

  /** 50 words, each of ten five times. */
  private static void write(Node node, int round) {
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      for (int i = 0; i < 50; i++) {
        var unused =
            producer.send(
                new ProducerRecord<>("words", i % PARTITIONS, round + "-" + i, "word-" + i % 10));
      }
      producer.flush();
    }
  }

  private static Map<String, String> expected(int times) {
    Map<String, String> counts = new TreeMap<>();
    for (int i = 0; i < 10; i++) {
      counts.put("word-" + i, Integer.toString(times));
    }
    return counts;
  }

  /** The last count of each word once there are so many of them. */
  private static Map<String, String> counts(Node node, int updates) {
    Map<String, String> last = new TreeMap<>();
    int[] seen = {0};
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
      consumer.assign(List.of(new TopicPartition("counts", 0), new TopicPartition("counts", 1)));
      Node.await(
          updates + " counts",
          () -> {
            consumer
                .poll(Duration.ofMillis(100))
                .forEach(
                    record -> {
                      last.put(record.key(), record.value());
                      seen[0]++;
                    });
            return seen[0] >= updates;
          });
    }
    return last;
  }

  private static Set<String> topics(Admin admin) {
    return Node.get(admin.listTopics().names());
  }

  private static int partitions(Admin admin, String topic) {
    return Node.get(admin.describeTopics(List.of(topic)).allTopicNames())
        .get(topic)
        .partitions()
        .size();
  }

  private static String config(Admin admin, String topic, String key) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    return Node.get(admin.describeConfigs(List.of(resource)).all()).get(resource).get(key).value();
  }

  private static StreamsGroupDescription describe(Admin admin) {
    return Node.get(admin.describeStreamsGroups(List.of(GROUP)).all()).get(GROUP);
  }

  /** Members with active tasks, once the group is stable and has given out all four. */
  private static Set<String> owners(Admin admin) {
    StreamsGroupDescription group = describe(admin);
    Set<String> owners = new TreeSet<>();
    int tasks = 0;
    for (var member : group.members()) {
      int active =
          member.assignment().activeTasks().stream()
              .map(StreamsGroupMemberAssignment.TaskIds::partitions)
              .mapToInt(List::size)
              .sum();
      tasks += active;
      if (active > 0) {
        owners.add(member.memberId());
      }
    }
    return group.groupState() == GroupState.STABLE && tasks == 2 * PARTITIONS ? owners : Set.of();
  }

  private static List<String> listed(Admin admin) {
    ListGroupsOptions streams = new ListGroupsOptions().withTypes(Set.of(GroupType.STREAMS));
    return Node.get(admin.listGroups(streams).all()).stream().map(GroupListing::groupId).toList();
  }
}
