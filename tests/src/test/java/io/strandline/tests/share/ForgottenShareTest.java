package io.strandline.tests.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.ShareFetchRequest;
import org.apache.kafka.common.requests.ShareFetchResponse;
import org.apache.kafka.common.requests.ShareRequestMetadata;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Share groups whose state nobody keeps, {@code group.share.persister.class.name} is empty, and
 * members who leave without a word.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ForgottenShareTest {
  @TempDir Path dir;

  @Test
  void recordsAreSharedWithoutATopicForTheState() throws Exception {
    Map<String, String> settings =
        Map.of(
            "strandline.object.store", "file:" + dir.resolve("objects"),
            "group.share.persister.class.name", "",
            "share.coordinator.state.topic.replication.factor", "3"); // more than there are brokers
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings)) {
      ShareClients clients = new ShareClients(broker.bootstrap());
      clients.topic("forgotten", Map.of());
      assertThat(firstAnswer(clients, "forgotten")).containsExactly(0);
      clients.produce("forgotten", 0, 5);
      try (ShareConsumer<String, String> consumer = clients.consumer("forgotten", Map.of());
          Admin admin = clients.admin()) {
        assertThat(ShareClients.offsets(ShareClients.some(consumer))).contains(0L);
        assertThat(ShareClients.get(admin.listTopics(INTERNAL_TOO).names()))
            .doesNotContain("__share_group_state");
      }
    }
  }

  /** They wait for more bytes than there are, and their connections end. */
  @Test
  void whoHasLeftIsGivenNothing() throws Exception {
    Map<String, String> settings =
        Map.of(
            "strandline.object.store",
            "file:" + dir.resolve("objects"),
            "group.share.persister.class.name",
            "");
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings)) {
      ShareClients clients = new ShareClients(broker.bootstrap());
      clients.topic("left", Map.of());
      clients.topic("idle", Map.of());
      assertThat(firstAnswer(clients, "left")).containsExactly(0); // it is loaded
      clients.produce("left", 0, 5);
      List<Socket> leaving = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        leaving.add(send(clients.bootstrap(), first(clients, "left", 60_000, 1 << 20)));
      }
      assertThat(firstAnswer(clients, "idle")).containsExactly(0); // they wait by now
      for (Socket one : leaving) {
        one.close();
      }
      try (ShareConsumer<String, String> consumer = clients.consumer("left", Map.of())) {
        assertThat(ShareClients.deliveries(ShareClients.some(consumer))).containsOnly(1);
      }
    }
  }

  private static final ListTopicsOptions INTERNAL_TOO = new ListTopicsOptions().listInternal(true);

  /** The partitions that the first answer of a session names, when there are no records. */
  private static List<Integer> firstAnswer(ShareClients clients, String topic) throws Exception {
    ShareFetchResponse answer =
        (ShareFetchResponse) ask(clients.bootstrap(), first(clients, topic, 100, 1));
    assertThat(answer.data().errorCode()).isZero();
    return answer.data().responses().stream()
        .flatMap(one -> one.partitions().stream())
        .map(partition -> partition.partitionIndex())
        .toList();
  }

  private static ShareFetchRequest first(
      ShareClients clients, String topic, int waitMs, int bytesMin) {
    try (Admin admin = clients.admin()) {
      Uuid id =
          ShareClients.get(admin.describeTopics(List.of(topic)).allTopicNames())
              .get(topic)
              .topicId();
      return ShareFetchRequest.Builder.forConsumer(
              topic,
              new ShareRequestMetadata(Uuid.randomUuid(), ShareRequestMetadata.INITIAL_EPOCH),
              waitMs,
              bytesMin,
              1 << 20,
              500,
              500,
              (byte) 0,
              false,
              List.of(new TopicIdPartition(id, 0, topic)),
              List.of(),
              Map.of())
          .build(ApiKeys.SHARE_FETCH.latestVersion());
    }
  }

  private static AbstractResponse ask(String bootstrap, ShareFetchRequest request)
      throws Exception {
    try (Socket socket = send(bootstrap, request)) {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] bytes = new byte[in.readInt()];
      in.readFully(bytes);
      return AbstractResponse.parseResponse(ByteBuffer.wrap(bytes), header(request));
    }
  }

  /** On a connection of its own, which stays open. */
  private static Socket send(String bootstrap, ShareFetchRequest request) throws Exception {
    int port = Integer.parseInt(bootstrap.substring(bootstrap.lastIndexOf(':') + 1));
    Socket socket = new Socket("127.0.0.1", port);
    ByteBuffer frame = request.serializeWithHeader(header(request));
    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    out.writeInt(frame.remaining());
    out.write(frame.array(), frame.arrayOffset() + frame.position(), frame.remaining());
    return socket;
  }

  private static RequestHeader header(ShareFetchRequest request) {
    return new RequestHeader(request.apiKey(), request.version(), "raw", 1);
  }
}
