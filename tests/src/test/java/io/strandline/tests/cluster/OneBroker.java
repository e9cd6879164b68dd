package io.strandline.tests.cluster;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.CreateTopicsRequest;
import org.apache.kafka.common.requests.CreateTopicsResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.utils.Utils;

/** A client that asks one broker, whoever that takes for the leader, and asks once. */
final class OneBroker implements AutoCloseable {
  private static final short PRODUCE_VERSION = 11;
  private static final short FETCH_VERSION = 12;
  private static final short METADATA_VERSION = 12;
  private static final short CREATE_VERSION = 7;

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private int correlation;

  /**
   * @param bootstrap {@code host:port}
   */
  OneBroker(String bootstrap) throws IOException {
    String[] address = bootstrap.split(":", 2);
    socket = new Socket(address[0], Integer.parseInt(address[1]));
    socket.setSoTimeout(60_000);
    in = new DataInputStream(socket.getInputStream());
    out = new DataOutputStream(socket.getOutputStream());
  }

  /** Writes one value, and gives what the broker says of it within the time. */
  Errors produce(TopicPartition to, String value, short acks, int timeoutMs) throws IOException {
    MemoryRecords records =
        MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(Utils.utf8(value)));
    ProduceRequestData data = new ProduceRequestData().setAcks(acks).setTimeoutMs(timeoutMs);
    data.topicData()
        .add(
            new TopicProduceData()
                .setName(to.topic())
                .setPartitionData(
                    List.of(
                        new PartitionProduceData().setIndex(to.partition()).setRecords(records))));
    var answer = (ProduceResponse) ask(new ProduceRequest(data, PRODUCE_VERSION));
    return Errors.forCode(
        answer
            .data()
            .responses()
            .find(to.topic(), Uuid.ZERO_UUID)
            .partitionResponses()
            .get(0)
            .errorCode());
  }

  /** Who leads as far as this broker knows, -1 if nobody does. */
  int leader(TopicPartition partition) throws IOException {
    MetadataResponse answer =
        (MetadataResponse)
            ask(
                new MetadataRequest.Builder(List.of(partition.topic()), false)
                    .build(METADATA_VERSION));
    return answer.topicMetadata().stream()
        .flatMap(topic -> topic.partitionMetadata().stream())
        .filter(one -> one.partition() == partition.partition())
        .map(one -> one.leaderId.orElse(-1))
        .findFirst()
        .orElse(-1);
  }

  /** Makes a topic of one partition on these brokers; gives the error. */
  Errors create(String topic, List<Integer> brokers) throws IOException {
    CreateTopicsRequestData.CreatableTopic fresh =
        new CreateTopicsRequestData.CreatableTopic()
            .setName(topic)
            .setNumPartitions(-1)
            .setReplicationFactor((short) -1);
    fresh
        .assignments()
        .add(
            new CreateTopicsRequestData.CreatableReplicaAssignment()
                .setPartitionIndex(0)
                .setBrokerIds(brokers));
    CreateTopicsRequestData data = new CreateTopicsRequestData().setTimeoutMs(5_000);
    data.topics().add(fresh);
    var answer =
        (CreateTopicsResponse) ask(new CreateTopicsRequest.Builder(data).build(CREATE_VERSION));
    return Errors.forCode(answer.data().topics().find(topic).errorCode());
  }

  /** The values from the beginning that it hands out to consumers, and its error if it does not. */
  record Read(Errors error, List<String> values) {}

  Read read(TopicPartition from) throws IOException {
    FetchRequestData data =
        new FetchRequestData()
            .setMinBytes(0)
            .setMaxBytes(1 << 20)
            .setTopics(
                List.of(
                    new FetchRequestData.FetchTopic()
                        .setTopic(from.topic())
                        .setPartitions(
                            List.of(
                                new FetchRequestData.FetchPartition()
                                    .setPartition(from.partition())
                                    .setPartitionMaxBytes(1 << 20)))));
    FetchResponse answer = (FetchResponse) ask(new FetchRequest(data, FETCH_VERSION));
    FetchResponseData.PartitionData partition =
        answer.data().responses().get(0).partitions().get(0);
    List<String> values = new ArrayList<>();
    if (partition.records() != null) {
      for (Record each : ((MemoryRecords) partition.records()).records()) {
        values.add(Utils.utf8(each.value()));
      }
    }
    return new Read(Errors.forCode(partition.errorCode()), values);
  }

  private AbstractResponse ask(AbstractRequest request) throws IOException {
    RequestHeader header =
        new RequestHeader(request.apiKey(), request.version(), "one-broker", correlation++);
    byte[] bytes = Utils.toArray(request.serializeWithHeader(header));
    out.writeInt(bytes.length);
    out.write(bytes);
    byte[] answer = new byte[in.readInt()];
    in.readFully(answer);
    return AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
