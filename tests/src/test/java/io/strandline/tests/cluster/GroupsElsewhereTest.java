package io.strandline.tests.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Consumer groups whose coordinator moves from broker to broker, and dies. Crash model: process.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GroupsElsewhereTest {
  private static final TopicPartition OFFSETS =
      new TopicPartition(Topic.GROUP_METADATA_TOPIC_NAME, 0);

  @TempDir static Path dir;
  private TestCluster cluster;

  @BeforeAll
  void start() throws Exception {
    cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(1, 1)
            .set("offsets.topic.num.partitions", "1")
            .set("group.consumer.min.heartbeat.interval.ms", "300")
            .set("group.consumer.heartbeat.interval.ms", "300")
            .set("strandline.tier.enable", "false")
            .start();
    ClusterTopics.create(
        cluster, OFFSETS.topic(), Map.of(0, List.of(2, 3)), Map.of("cleanup.policy", "compact"));
  }

  @AfterAll
  void stop() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  private KafkaConsumer<String, String> consumer(String group, String protocol) {
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            cluster.bootstrap(),
            "group.id",
            group,
            "group.protocol",
            protocol,
            "auto.offset.reset",
            "earliest",
            "enable.auto.commit",
            "false");
    KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    consumer.subscribe(List.of(group));
    return consumer;
  }

  private void produce(String topic, int from, int until) {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", cluster.bootstrap()),
            new StringSerializer(),
            new StringSerializer())) {
      for (int i = from; i < until; i++) {
        producer.send(new ProducerRecord<>(topic, i % 2, "", "v" + i));
      }
    }
  }

  private static void read(KafkaConsumer<String, String> consumer, Set<String> seen, int count) {
    Waiting.until(
        count + " records",
        () -> {
          consumer.poll(Duration.ofMillis(100)).forEach(record -> seen.add(record.value()));
          return seen.size() == count;
        });
    consumer.commitSync();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void membersAndOffsetsFollowTheCoordinator(String protocol) throws Exception {
    String topic = "group-" + protocol;
    ClusterTopics.create(cluster, topic, Map.of(0, List.of(1), 1, List.of(3)), Map.of());
    Set<String> seen = new TreeSet<>();
    try (KafkaConsumer<String, String> consumer = consumer(topic, protocol)) {
      produce(topic, 0, 10);
      read(consumer, seen, 10);
      ClusterTopics.move(cluster, OFFSETS, 1, 3);
      produce(topic, 10, 20);
      read(consumer, seen, 20);
      ClusterTopics.move(cluster, OFFSETS, 2, 3);
      cluster.node(2).kill();
      ClusterTopics.awaitLeader(cluster, OFFSETS, Set.of(3));
      produce(topic, 20, 30);
      read(consumer, seen, 30);
    }
    produce(topic, 30, 31);
    seen.clear();
    try (KafkaConsumer<String, String> another = consumer(topic, protocol)) {
      read(another, seen, 1);
      assertThat(seen).containsExactly("v30");
    }
    cluster.node(2).startAgain();
    ClusterTopics.awaitInSync(cluster, OFFSETS, Set.of(2, 3));
  }

  /** KIP-951. */
  @Test
  void whoAsksTheWrongBrokerIsToldTheRightOne() throws Exception {
    ClusterTopics.create(cluster, "wrong", Map.of(0, List.of(3)), Map.of());
    MemoryRecords records =
        MemoryRecords.withRecords(Compression.NONE, new SimpleRecord("v".getBytes(UTF_8)));
    var data = new ProduceRequestData().setAcks((short) 1).setTimeoutMs(30_000);
    data.topicData()
        .add(
            new TopicProduceData()
                .setName("wrong")
                .setPartitionData(
                    List.of(new PartitionProduceData().setIndex(0).setRecords(records))));
    var produced = (ProduceResponse) ask(1, new ProduceRequest(data, (short) 12));
    var part =
        produced.data().responses().find("wrong", Uuid.ZERO_UUID).partitionResponses().get(0);
    assertThat(Errors.forCode(part.errorCode())).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
    assertThat(part.currentLeader().leaderId()).isEqualTo(3);
    assertThat(part.currentLeader().leaderEpoch()).isGreaterThanOrEqualTo(0);
    assertThat(produced.data().nodeEndpoints().find(3).port()).isEqualTo(port(3));

    Uuid id =
        cluster
            .admin()
            .describeTopics(List.of("wrong"))
            .allTopicNames()
            .get()
            .get("wrong")
            .topicId();
    FetchRequest fetch =
        FetchRequest.Builder.forConsumer(
                (short) 17,
                0,
                1,
                Map.of(
                    new TopicPartition("wrong", 0),
                    new FetchRequest.PartitionData(id, 0, 0, 1 << 20, Optional.empty())))
            .build((short) 17);
    var fetched = ((FetchResponse) ask(1, fetch)).data();
    var wanted = fetched.responses().get(0).partitions().get(0);
    assertThat(Errors.forCode(wanted.errorCode())).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
    assertThat(wanted.currentLeader().leaderId()).isEqualTo(3);
    assertThat(fetched.nodeEndpoints().find(3).port()).isEqualTo(port(3));
  }

  private int port(int broker) {
    return Integer.parseInt(cluster.bootstrap(broker).split(":")[1]);
  }

  private AbstractResponse ask(int broker, AbstractRequest request) throws IOException {
    RequestHeader header = new RequestHeader(request.apiKey(), request.version(), "wrong", 1);
    ByteBuffer frame = request.serializeWithHeader(header);
    try (Socket socket = new Socket("127.0.0.1", port(broker))) {
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(frame.remaining());
      out.write(frame.array(), frame.arrayOffset() + frame.position(), frame.remaining());
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = new byte[in.readInt()];
      in.readFully(answer);
      return AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
    }
  }
}
