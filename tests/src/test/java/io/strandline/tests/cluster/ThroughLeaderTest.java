package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a replay broker reads through leaders, and what it says of them. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ThroughLeaderTest {
  private static final String TOPIC = "untiered";
  private static final TopicPartition MOVED = new TopicPartition("moved", 0);
  private static final int PARTITIONS = 6;
  private static final int BATCHES = 30;
  private static final int REPLAY = 11;

  /** Far beyond the test's own limit: who is left out must not wait for its end. */
  private static final int WAIT_MS = 1_800_000;

  /** The first version that names new leaders (KIP-951). */
  private static final short LEADERS_SINCE = 16;

  @TempDir Path dir;

  @Test
  void nobodyIsLeftOutAndNobodyIsSentToALeader() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2)
            .with(NodeRole.REPLAY, REPLAY)
            .replicas(1, 1)
            .set(REPLAY, "strandline.replay.leader.fetch.max.bytes", "1024") // one batch
            .start()) {
      Map<String, String> untiered = Map.of("remote.storage.enable", "false");
      Map<Integer, List<Integer>> onOne = new HashMap<>();
      for (int i = 0; i < PARTITIONS; i++) {
        onOne.put(i, List.of(1));
      }
      ClusterTopics.create(cluster, TOPIC, onOne, untiered);
      ClusterTopics.create(cluster, MOVED.topic(), Map.of(0, List.of(1)), untiered);
      produce(cluster);
      assertAllRead(cluster);
      ClusterTopics.move(cluster, MOVED, 2);
      assertNoLeaderNamed(cluster);
    }
  }

  private static void produce(TestCluster cluster) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", cluster.bootstrap(), "batch.size", 0),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < BATCHES * PARTITIONS; i++) {
        results.add(
            producer.send(new ProducerRecord<>(TOPIC, i % PARTITIONS, null, new byte[2_000])));
      }
      for (var result : results) {
        result.get(60, TimeUnit.SECONDS);
      }
    }
  }

  /** By as many clients as partitions, at once: an answer of the leader has room for one. */
  private static void assertAllRead(TestCluster cluster) {
    List<KafkaConsumer<byte[], byte[]>> readers = new ArrayList<>();
    try {
      for (int i = 0; i < PARTITIONS; i++) {
        KafkaConsumer<byte[], byte[]> reader = patient(cluster);
        readers.add(reader);
        reader.assign(List.of(new TopicPartition(TOPIC, i)));
        reader.seekToBeginning(reader.assignment());
      }
      long[] next = new long[PARTITIONS];
      int left = BATCHES * PARTITIONS;
      while (left > 0) {
        for (KafkaConsumer<byte[], byte[]> reader : readers) {
          for (ConsumerRecord<byte[], byte[]> one : reader.poll(Duration.ofMillis(5))) {
            assertThat(one.offset()).isEqualTo(next[one.partition()]++);
            left--;
          }
        }
      }
    } finally {
      readers.forEach(reader -> reader.close(CloseOptions.timeout(Duration.ZERO)));
    }
  }

  private static KafkaConsumer<byte[], byte[]> patient(TestCluster cluster) {
    return new KafkaConsumer<>(
        Map.of(
            "bootstrap.servers",
            cluster.replayBootstrap(),
            "fetch.max.wait.ms",
            WAIT_MS,
            "request.timeout.ms",
            2 * WAIT_MS,
            "default.api.timeout.ms",
            2 * WAIT_MS),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  /** Who comes by the listener for replay with an old epoch; others are told the leader. */
  private static void assertNoLeaderNamed(TestCluster cluster) throws Exception {
    FetchResponse elsewhere = outdated(cluster, cluster.bootstrap(1));
    assertThat(only(elsewhere).currentLeader().leaderId()).isEqualTo(2);
    for (String address : List.of(cluster.bootstrap(REPLAY), cluster.listener(1, "REPLAY"))) {
      FetchResponse answer = outdated(cluster, address);
      assertThat(only(answer).errorCode())
          .isIn(Errors.FENCED_LEADER_EPOCH.code(), Errors.NOT_LEADER_OR_FOLLOWER.code());
      assertThat(only(answer).currentLeader().leaderId()).as(address).isEqualTo(-1);
      assertThat(answer.data().nodeEndpoints()).as(address).isEmpty();
    }
  }

  private static PartitionData only(FetchResponse answer) {
    return answer.data().responses().get(0).partitions().get(0);
  }

  /** A fetch of the moved partition in its first leader's epoch, until it is refused. */
  private static FetchResponse outdated(TestCluster cluster, String address) throws Exception {
    Uuid topic =
        cluster
            .admin()
            .describeTopics(List.of(MOVED.topic()))
            .topicNameValues()
            .get(MOVED.topic())
            .get(30, TimeUnit.SECONDS)
            .topicId();
    FetchRequest request =
        FetchRequest.Builder.forConsumer(
                LEADERS_SINCE,
                0,
                1,
                Map.of(
                    MOVED, new FetchRequest.PartitionData(topic, 0, -1, 1 << 20, Optional.of(0))))
            .build(LEADERS_SINCE);
    FetchResponse answer = ask(address, request);
    while (only(answer).errorCode() == Errors.NONE.code()) { // has not heard of the move
      answer = ask(address, request);
    }
    return answer;
  }

  private static FetchResponse ask(String address, FetchRequest request) throws IOException {
    RequestHeader header = new RequestHeader(request.apiKey(), LEADERS_SINCE, "raw", 7);
    ByteBuffer bytes = request.serializeWithHeader(header);
    String[] parts = address.split(":");
    try (Socket socket = new Socket(parts[0], Integer.parseInt(parts[1]))) {
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(bytes.remaining());
      out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = in.readNBytes(in.readInt());
      return (FetchResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
    }
  }
}
