package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.DataOutputStream;
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
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operator asks of a node, and what it remembers of its groups. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class OperatorJourneyTest {
  private static final Duration POLL = Duration.ofMillis(100);

  private Path dir;
  private io.strandline.tests.protocol.Node node;
  private Admin admin;

  @BeforeAll
  void start(@TempDir Path temporary) {
    dir = temporary;
    open();
  }

  private void open() {
    node = new io.strandline.tests.protocol.Node(dir, Map.of());
    admin = node.admin();
  }

  @AfterAll
  void stop() {
    admin.close();
    node.close();
  }

  private static <T> T get(org.apache.kafka.common.KafkaFuture<T> future) {
    return io.strandline.tests.protocol.Node.get(future);
  }

  private static void await(String what, java.util.function.BooleanSupplier condition) {
    io.strandline.tests.protocol.Node.await(what, condition);
  }

  @Test
  void onlyWhatIsServedIsAdvertised() throws Exception {
    Set<String> advertised = new TreeSet<>();
    for (var api : advertised()) {
      String name = ApiKeys.forId(api.apiKey()).name;
      advertised.add(name + " " + api.minVersion() + "-" + api.maxVersion());
    }
    assertThat(advertised)
        .as("Produce from 0 on: librdkafka would not compress otherwise (KAFKA-18659)")
        .contains("Produce 0-13", "Fetch 4-18", "OffsetCommit 2-10", "ConsumerGroupHeartbeat 0-1")
        .contains("AddPartitionsToTxn 0-5", "EndTxn 0-5", "DescribeClientQuotas 0-1")
        .contains("StreamsGroupHeartbeat 0-0", "StreamsGroupDescribe 0-0")
        .contains("ShareFetch 1-2", "ShareAcknowledge 1-2", "ShareGroupHeartbeat 1-1")
        .contains("WriteShareGroupState 0-1", "AlterShareGroupOffsets 0-0");
  }

  private ApiVersionsResponseData.ApiVersionCollection advertised() throws Exception {
    ApiVersionsRequest request = new ApiVersionsRequest.Builder().build();
    ByteBuffer frame =
        request.serializeWithHeader(
            new RequestHeader(ApiKeys.API_VERSIONS, request.version(), "test", 1));
    try (Socket socket = new Socket("127.0.0.1", node.port())) {
      var out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(frame.remaining());
      out.write(frame.array(), frame.position(), frame.remaining());
      var in = new DataInputStream(socket.getInputStream());
      byte[] answer = in.readNBytes(in.readInt());
      var body = new ByteBufferAccessor(ByteBuffer.wrap(answer, 4, answer.length - 4));
      return new ApiVersionsResponseData(body, request.version()).apiKeys();
    }
  }

  private Uuid create(String topic, int partitions) {
    var created =
        admin.createTopics(List.of(new NewTopic(topic, Optional.of(partitions), Optional.empty())));
    Uuid id = get(created.topicId(topic));
    await(topic, () -> get(admin.listTopics().names()).contains(topic));
    return id;
  }

  /** Kafka's admin client alone may, as it does to mend a coordinator's log by hand. */
  @Test
  void whatCoordinatorsKeepIsTheirsToWriteAndToDelete() {
    TopicPartition offsets = new TopicPartition("__consumer_offsets", 0);
    try (var member = node.consumer(Map.of("group.id", "a-member"))) {
      create("committed", 1);
      member.commitSync(Map.of(new TopicPartition("committed", 0), new OffsetAndMetadata(0)));
    }
    assertThatThrownBy(() -> forget(offsets, "someone"))
        .hasRootCauseInstanceOf(InvalidTopicException.class);
    assertThatCode(() -> forget(offsets, "__admin_client")).doesNotThrowAnyException();
    assertThatThrownBy(
            () ->
                get(
                    admin
                        .deleteRecords(Map.of(offsets, RecordsToDelete.beforeOffset(1)))
                        .lowWatermarks()
                        .get(offsets)))
        .isInstanceOf(InvalidTopicException.class);
  }

  /** The end of an offset that no group ever committed. */
  private void forget(TopicPartition offsets, String clientId) throws Exception {
    byte[] key =
        MessageUtil.toVersionPrefixedBytes(
            (short) 1, new OffsetCommitKey().setGroup("nobody").setTopic("none").setPartition(0));
    Map<String, Object> config =
        Map.of("bootstrap.servers", node.bootstrap(), "client.id", clientId);
    try (var producer =
        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer
          .send(new ProducerRecord<>(offsets.topic(), offsets.partition(), key, null))
          .get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void theClusterDescribesItself() {
    var cluster =
        admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
    assertThat(get(cluster.nodes())).hasSize(1);
    Node only = get(cluster.nodes()).iterator().next();
    assertThat(get(cluster.controller())).isEqualTo(only);
    assertThat(get(cluster.clusterId())).hasSize(22);
    assertThat(get(cluster.authorizedOperations())).isNotEmpty();
    assertThat(get(admin.describeMetadataQuorum().quorumInfo()).leaderId()).isEqualTo(only.id());
    assertThat(get(admin.describeFeatures().featureMetadata()).finalizedFeatures())
        .containsKey("metadata.version");
    assertThat(get(admin.describeLogDirs(List.of(only.id())).allDescriptions()).get(only.id()))
        .isNotEmpty();
    assertThat(get(admin.listConfigResources().all()))
        .contains(new ConfigResource(ConfigResource.Type.BROKER, only.idString()));
    var broker = new ConfigResource(ConfigResource.Type.BROKER, only.idString());
    assertThat(get(admin.describeConfigs(List.of(broker)).all()).get(broker).get("node.id").value())
        .isEqualTo(only.idString());
  }

  @Test
  void topicsAreFoundByIdAndGrow() {
    Uuid id = create("by-id", 1);
    var description =
        get(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds()).get(id);
    assertThat(description.name()).isEqualTo("by-id");
    get(admin.createPartitions(Map.of("by-id", NewPartitions.increaseTo(3))).all());
    await(
        "three partitions",
        () -> describe("by-id").partitions().stream().filter(p -> p.leader() != null).count() == 3);
    assertThatThrownBy(
            () ->
                get(
                    admin
                        .describeTopics(TopicCollection.ofTopicIds(List.of(Uuid.randomUuid())))
                        .allTopicIds()))
        .isInstanceOf(UnknownTopicIdException.class);
    assertThatThrownBy(() -> describe("not-there"))
        .isInstanceOf(UnknownTopicOrPartitionException.class);
  }

  private TopicDescription describe(String topic) {
    return get(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic);
  }

  @Test
  void aTopicIsCreatedByWhoWritesToItFirst() throws Exception {
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      producer.send(new ProducerRecord<>("by-itself", "v")).get(30, TimeUnit.SECONDS);
    }
    assertThat(describe("by-itself").partitions()).hasSize(1);
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      assertThatThrownBy(
              () ->
                  producer
                      .send(new ProducerRecord<>("no spaces allowed", "v"))
                      .get(30, TimeUnit.SECONDS))
          .hasRootCauseInstanceOf(InvalidTopicException.class);
    }
  }

  /** What is neither deleted nor compacted by itself may be deleted by hand. */
  @Test
  void recordsOfATopicThatIsKeptForEverAreDeletedByHand() {
    NewTopic kept = new NewTopic("for-ever", 1, (short) 1).configs(Map.of("cleanup.policy", ""));
    get(admin.createTopics(List.of(kept)).all());
    TopicPartition partition = new TopicPartition("for-ever", 0);
    await("its leader", () -> describe("for-ever").partitions().get(0).leader() != null);
    var deleted = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(0)));
    assertThat(get(deleted.lowWatermarks().get(partition)).lowWatermark()).isZero();
  }

  @Test
  void producersThatWriteAreSeen() throws Exception {
    create("written", 1);
    TopicPartition partition = new TopicPartition("written", 0);
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      producer.send(new ProducerRecord<>("written", "v")).get(30, TimeUnit.SECONDS);
      var states =
          get(admin.describeProducers(List.of(partition)).partitionResult(partition))
              .activeProducers();
      assertThat(states).hasSize(1);
      assertThat(states.get(0).lastSequence()).isZero();
    }
  }

  @Test
  void groupsHaveConfigsOfTheirOwn() {
    var group = new ConfigResource(ConfigResource.Type.GROUP, "configured");
    var set =
        new AlterConfigOp(
            new ConfigEntry("consumer.session.timeout.ms", "50000"), AlterConfigOp.OpType.SET);
    get(admin.incrementalAlterConfigs(Map.of(group, List.of(set))).all());
    await(
        "the group's config",
        () ->
            get(admin.describeConfigs(List.of(group)).all())
                .get(group)
                .get("consumer.session.timeout.ms")
                .value()
                .equals("50000"));
    assertThat(
            get(
                admin
                    .listConfigResources(
                        Set.of(ConfigResource.Type.GROUP), new ListConfigResourcesOptions())
                    .all()))
        .contains(group);
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void aGroupIsDescribedRememberedAndForgotten(String protocol) {
    String topic = "remembered-" + protocol;
    String group = "memory-" + protocol;
    create(topic, 2);
    TopicPartition first = new TopicPartition(topic, 0);
    TopicPartition second = new TopicPartition(topic, 1);
    try (KafkaConsumer<String, String> consumer =
        node.consumer(Map.of("group.id", group, "group.protocol", protocol))) {
      consumer.subscribe(List.of(topic));
      await(
          "an assignment",
          () -> {
            consumer.poll(POLL);
            return consumer.assignment().size() == 2;
          });
      consumer.commitSync(
          Map.of(first, new OffsetAndMetadata(11, "note"), second, new OffsetAndMetadata(12)));
      var description = get(admin.describeConsumerGroups(List.of(group)).all()).get(group);
      assertThat(description.groupState()).isEqualTo(GroupState.STABLE);
      assertThat(description.members()).hasSize(1);
      assertThat(description.members().iterator().next().assignment().topicPartitions())
          .containsExactlyInAnyOrder(first, second);
    }
    admin.close();
    node.close();
    open();

    await("the coordinator", () -> committed(group).size() == 2);
    assertThat(committed(group).get(first)).isEqualTo(new OffsetAndMetadata(11, "note"));
    get(admin.deleteConsumerGroupOffsets(group, Set.of(first)).all());
    assertThat(committed(group)).containsOnlyKeys(second);
    get(admin.deleteConsumerGroups(List.of(group)).all());
    assertThat(committed(group)).isEmpty();
    assertThatThrownBy(() -> get(admin.deleteConsumerGroups(List.of(group)).all()))
        .isInstanceOf(GroupIdNotFoundException.class);
  }

  private Map<TopicPartition, OffsetAndMetadata> committed(String group) {
    return get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
  }
}
