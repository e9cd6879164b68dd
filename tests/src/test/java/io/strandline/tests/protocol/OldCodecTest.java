package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A client that is too old for zstd (Fetch below version 10) is told so on the wire where the tier
 * has chosen it; one that is not gets the records.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class OldCodecTest {
  private static final TopicPartition PACKED = new TopicPartition("packed", 0);

  @Test
  void zstdThatTheTierChoseIsRefusedByItsName(@TempDir Path dir) throws Exception {
    Map<String, String> settings =
        Map.of(
            "strandline.tier.recompress", "packed:3",
            "strandline.tier.check.ms", "100",
            "strandline.tier.reclaim.ms", "500");
    try (Node node = new Node(dir, settings);
        Admin admin = node.admin()) {
      Node.get(
          admin
              .createTopics(
                  List.of(
                      new NewTopic("packed", 1, (short) 1)
                          .configs(Map.of("segment.ms", "1", "local.retention.ms", "1"))))
              .all());
      Node.get(admin.createTopics(List.of(new NewTopic("plain", 1, (short) 1))).all());
      write(node, "zstd", "plain");
      assertThat(fetched(node, new TopicPartition("plain", 0), 9))
          .as("what a producer chose, from the hot log, as from Kafka 4")
          .isEqualTo(Errors.NONE);
      write(node, "lz4", "packed");
      assertThat(fetched(node, PACKED, 9)).as("as it was written").isEqualTo(Errors.NONE);
      write(node, "lz4", "packed");
      Node.await(
          "the first to be in the tier alone",
          () ->
              Node.get(
                          admin
                              .listOffsets(Map.of(PACKED, OffsetSpec.earliestLocal()))
                              .partitionResult(PACKED))
                      .offset()
                  > 0);
      assertThat(fetched(node, PACKED, 9)).isEqualTo(Errors.UNSUPPORTED_COMPRESSION_TYPE);
      assertThat(fetched(node, PACKED, 10)).isEqualTo(Errors.NONE);
    }
  }

  private static void write(Node node, String codec, String topic) throws Exception {
    Map<String, String> settings = Map.of("compression.type", codec);
    try (var producer = node.producer(settings)) {
      var unused = producer.send(new ProducerRecord<>(topic, "k", "a value ".repeat(500))).get();
    }
  }

  /** The error of a fetch from offset 0, or none once there are records. */
  private static Errors fetched(Node node, TopicPartition partition, int version) {
    Errors[] seen = new Errors[1];
    Node.await(
        "an answer about " + partition,
        () -> {
          PartitionData answer = fetch(node, partition, (short) version);
          seen[0] = Errors.forCode(answer.errorCode());
          return seen[0] != Errors.NONE || FetchResponse.recordsSize(answer) > 0;
        });
    return seen[0];
  }

  private static PartitionData fetch(Node node, TopicPartition partition, short version) {
    FetchRequest request =
        FetchRequest.Builder.forConsumer(
                version,
                5_000,
                1,
                Map.of(
                    partition,
                    new FetchRequest.PartitionData(
                        Uuid.ZERO_UUID, 0, -1, 1 << 20, Optional.empty())))
            .build(version);
    RequestHeader header = new RequestHeader(ApiKeys.FETCH, version, "old", 1);
    try (Socket socket = new Socket("127.0.0.1", node.port())) {
      ByteBuffer bytes = request.serializeWithHeader(header);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(bytes.remaining());
      out.write(bytes.array(), bytes.position(), bytes.remaining());
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = in.readNBytes(in.readInt());
      FetchResponse response =
          (FetchResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
      return response.data().responses().get(0).partitions().get(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
