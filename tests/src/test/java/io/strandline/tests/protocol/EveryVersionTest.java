package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.DeleteRecordsRequest;
import org.apache.kafka.common.requests.DescribeClusterRequest;
import org.apache.kafka.common.requests.DescribeGroupsRequest;
import org.apache.kafka.common.requests.DescribeProducersRequest;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.InitProducerIdRequest;
import org.apache.kafka.common.requests.InitProducerIdResponse;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Clients of every age: each version of a request gets an answer of that version, also where an
 * older one has no place for what a newer one says.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class EveryVersionTest {
  private static final String TOPIC = "aged";
  private static final String MISSING = "never-created";
  private static final int RECORDS = 3;

  private Node node;
  private Uuid topicId;

  @BeforeAll
  void start(@TempDir Path dir) throws Exception {
    node =
        new Node(
            dir,
            Map.of("auto.create.topics.enable", "false", "unstable.api.versions.enable", "true"));
    try (Admin admin = node.admin();
        var producer = node.producer(Map.of())) {
      topicId =
          admin
              .createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1)))
              .topicId(TOPIC)
              .get(30, TimeUnit.SECONDS);
      for (int i = 0; i < RECORDS; i++) {
        var unused = producer.send(new ProducerRecord<>(TOPIC, "k" + i, "v")).get();
      }
    }
  }

  @AfterAll
  void stop() {
    node.close();
  }

  @Test
  void nobodyIsAskedForMetricsThatNobodyWants() throws IOException {
    ApiVersionsResponse answer =
        (ApiVersionsResponse) ask(new ApiVersionsRequest.Builder().build());
    assertThat(answer.data().apiKeys().find(ApiKeys.API_VERSIONS.id)).isNotNull();
    assertThat(answer.data().apiKeys().find(ApiKeys.PUSH_TELEMETRY.id)).isNull();
    assertThat(answer.data().apiKeys().find(ApiKeys.GET_TELEMETRY_SUBSCRIPTIONS.id)).isNull();
  }

  static Stream<Arguments> versions(ApiKeys... apis) {
    return Stream.of(apis)
        .flatMap(
            api ->
                IntStream.rangeClosed(api.oldestVersion(), api.latestVersion())
                    .mapToObj(version -> Arguments.of((short) version)));
  }

  static Stream<Arguments> listOffsets() {
    return versions(ApiKeys.LIST_OFFSETS);
  }

  static Stream<Arguments> fetch() {
    return versions(ApiKeys.FETCH);
  }

  static Stream<Arguments> deleteRecords() {
    return versions(ApiKeys.DELETE_RECORDS);
  }

  static Stream<Arguments> metadata() {
    return versions(ApiKeys.METADATA);
  }

  static Stream<Arguments> describeGroups() {
    return versions(ApiKeys.DESCRIBE_GROUPS);
  }

  static Stream<Arguments> describeCluster() {
    return versions(ApiKeys.DESCRIBE_CLUSTER);
  }

  static Stream<Arguments> initProducerId() {
    return versions(ApiKeys.INIT_PRODUCER_ID);
  }

  /** The newest is one that Kafka does not call stable yet. */
  @ParameterizedTest
  @MethodSource("initProducerId")
  void anIdIsGiven(short version) throws IOException {
    InitProducerIdRequestData asked =
        new InitProducerIdRequestData().setTransactionalId(null).setTransactionTimeoutMs(1);
    InitProducerIdResponse answer =
        (InitProducerIdResponse) ask(new InitProducerIdRequest.Builder(asked).build(version));
    assertThat(answer.error()).isEqualTo(Errors.NONE);
    assertThat(answer.data().producerId()).isNotNegative();
  }

  @ParameterizedTest
  @MethodSource("listOffsets")
  void offsetsAreListed(short version) throws IOException {
    for (String topic : List.of(TOPIC, MISSING)) {
      ListOffsetsTopic asked =
          new ListOffsetsTopic()
              .setName(topic)
              .setPartitions(
                  List.of(
                      new ListOffsetsPartition()
                          .setPartitionIndex(0)
                          .setTimestamp(ListOffsetsRequest.LATEST_TIMESTAMP)));
      ListOffsetsResponse answer =
          (ListOffsetsResponse)
              ask(
                  ListOffsetsRequest.Builder.forConsumer(false, IsolationLevel.READ_UNCOMMITTED)
                      .setTargetTimes(List.of(asked))
                      .build(version));
      var partition = answer.topics().get(0).partitions().get(0);
      if (topic.equals(TOPIC)) {
        assertThat(partition.errorCode()).isEqualTo(Errors.NONE.code());
        assertThat(partition.offset()).isEqualTo(RECORDS);
        assertThat(partition.leaderEpoch()).isEqualTo(version < 4 ? -1 : 0);
      } else {
        assertThat(partition.errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("fetch")
  void recordsAreFetchedOrAnErrorIs(short version) throws IOException {
    assertThat(fetched(version, TOPIC, topicId, 0).errorCode()).isEqualTo(Errors.NONE.code());
    assertThat(fetched(version, TOPIC, topicId, 1_000).errorCode())
        .isEqualTo(Errors.OFFSET_OUT_OF_RANGE.code());
    assertThat(fetched(version, MISSING, Uuid.randomUuid(), 0).errorCode())
        .isEqualTo(
            (version < 13 ? Errors.UNKNOWN_TOPIC_OR_PARTITION : Errors.UNKNOWN_TOPIC_ID).code());
  }

  private FetchResponseData.PartitionData fetched(short version, String topic, Uuid id, long offset)
      throws IOException {
    var asked =
        Map.of(
            new TopicPartition(topic, 0),
            new FetchRequest.PartitionData(id, offset, -1, 1 << 20, Optional.empty()));
    FetchResponse answer =
        (FetchResponse) ask(FetchRequest.Builder.forConsumer(version, 0, 1, asked).build());
    var partition = answer.data().responses().get(0).partitions().get(0);
    int bytes = FetchResponse.recordsSize(partition);
    assertThat(bytes > 0).isEqualTo(partition.errorCode() == Errors.NONE.code());
    return partition;
  }

  @ParameterizedTest
  @MethodSource("deleteRecords")
  void recordsAreDeleted(short version) throws IOException {
    var data =
        new DeleteRecordsRequestData()
            .setTimeoutMs(10_000)
            .setTopics(
                List.of(
                    new DeleteRecordsRequestData.DeleteRecordsTopic()
                        .setName(TOPIC)
                        .setPartitions(
                            List.of(
                                new DeleteRecordsRequestData.DeleteRecordsPartition()
                                    .setPartitionIndex(0)
                                    .setOffset(0)))));
    AbstractResponse answer = ask(new DeleteRecordsRequest.Builder(data).build(version));
    assertThat(answer.errorCounts()).containsOnlyKeys(Errors.NONE);
  }

  @ParameterizedTest
  @MethodSource("metadata")
  void topicsAreDescribed(short version) throws IOException {
    var data = new MetadataRequestData().setAllowAutoTopicCreation(version < 4);
    data.topics().add(new MetadataRequestTopic().setName(TOPIC));
    data.topics().add(new MetadataRequestTopic().setName(MISSING));
    AbstractResponse answer = ask(new MetadataRequest(data, version));
    assertThat(answer.errorCounts().keySet())
        .containsExactlyInAnyOrder(Errors.NONE, Errors.UNKNOWN_TOPIC_OR_PARTITION);
  }

  @ParameterizedTest
  @MethodSource("describeGroups")
  void groupsThatAreNotThereAreDescribed(short version) throws IOException {
    try (Admin admin = node.admin()) {
      Node.await("the group coordinator", () -> coordinates(admin));
    }
    var data = new DescribeGroupsRequestData().setGroups(List.of("nobody"));
    AbstractResponse answer = ask(new DescribeGroupsRequest.Builder(data).build(version));
    assertThat(answer.errorCounts())
        .containsOnlyKeys(version < 6 ? Errors.NONE : Errors.GROUP_ID_NOT_FOUND);
  }

  @ParameterizedTest
  @MethodSource("describeCluster")
  void anEndpointThatNobodyKnowsIsNone(short version) throws IOException {
    var data = new DescribeClusterRequestData();
    if (version > 0) {
      data.setEndpointType((byte) 7);
    }
    AbstractResponse answer = ask(new DescribeClusterRequest.Builder(data).build(version));
    assertThat(answer.errorCounts())
        .containsOnlyKeys(version == 0 ? Errors.NONE : Errors.UNSUPPORTED_ENDPOINT_TYPE);
  }

  @Test
  void aNameThatNoTopicMayHaveHasNoProducers() throws IOException {
    var topic =
        new DescribeProducersRequestData.TopicRequest()
            .setName("no spaces allowed")
            .setPartitionIndexes(List.of(0));
    var data = new DescribeProducersRequestData().setTopics(List.of(topic));
    AbstractResponse answer = ask(new DescribeProducersRequest.Builder(data).build());
    assertThat(answer.errorCounts()).containsOnlyKeys(Errors.INVALID_TOPIC_EXCEPTION);
  }

  private static boolean coordinates(Admin admin) {
    return Node.get(admin.listConsumerGroupOffsets("nobody").partitionsToOffsetAndMetadata())
        .isEmpty();
  }

  /** Sends the request as it is, and reads the answer as of the same version. */
  private AbstractResponse ask(AbstractRequest request) throws IOException {
    String[] address = node.bootstrap().split(":");
    RequestHeader header = new RequestHeader(request.apiKey(), request.version(), "aged", 7);
    ByteBuffer bytes = request.serializeWithHeader(header);
    try (Socket socket = new Socket(address[0], Integer.parseInt(address[1]))) {
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(bytes.remaining());
      out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
      out.flush();
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = in.readNBytes(in.readInt());
      return AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
    }
  }
}
