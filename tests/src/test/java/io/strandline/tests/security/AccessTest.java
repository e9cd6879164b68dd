package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * With an authorizer nobody may do anything but what he was granted; super users may do all. Each
 * API of records, groups and topics is asked without and with the ACL that it needs.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class AccessTest {
  private static final Map<String, String> ALICE = Secured.plain("alice", Secured.ALICE_PASSWORD);

  private Secured secured;
  private SecureNode node;
  private Admin admin;
  private Admin alice;

  @BeforeAll
  void start(@TempDir Path dir) throws Exception {
    secured = new Secured(dir);
    Map<String, String> settings = new HashMap<>(secured.settings());
    settings.put(
        "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    settings.put("super.users", "User:node;User:admin");
    node = new SecureNode(dir, settings);
    admin = node.admin("PLAIN", Secured.admin());
    alice = node.admin("PLAIN", ALICE);
  }

  @AfterAll
  void stop() {
    admin.close();
    alice.close();
    node.close();
  }

  @Test
  void aNodeThatItsOwnControllerWouldRefuseDoesNotStart(@TempDir Path other) {
    Map<String, String> settings =
        Map.of(
            "listeners",
            "PLAINTEXT://127.0.0.1:0",
            "authorizer.class.name",
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users",
            "User:admin");
    assertThatThrownBy(() -> new SecureNode(other, settings).close())
        .hasMessageContaining("CONTROLLER asks nobody who he is");
  }

  private AclBinding grant(ResourceType type, String name, AclOperation operation) {
    AclBinding rule = rule(type, name, operation, AclPermissionType.ALLOW);
    SecureNode.get(admin.createAcls(List.of(rule)).all());
    return rule;
  }

  private static AclBinding rule(
      ResourceType type, String name, AclOperation operation, AclPermissionType permission) {
    return new AclBinding(
        new ResourcePattern(type, name, PatternType.LITERAL),
        new AccessControlEntry("User:alice", "*", operation, permission));
  }

  private void revoke(AclBinding binding) {
    SecureNode.get(admin.deleteAcls(List.of(binding.toFilter())).all());
  }

  /** The rules reach the broker with the metadata, a moment after the controller took them. */
  private static void soon(String what, Runnable works) {
    SecureNode.await(
        what,
        () -> {
          try {
            works.run();
            return true;
          } catch (RuntimeException | AssertionError refused) {
            return false;
          }
        });
  }

  @Test
  void aTopicIsHiddenWrittenAndReadByItsRules() {
    SecureNode.create(admin, "orders");
    assertThatThrownBy(
            () -> SecureNode.get(alice.describeTopics(List.of("orders")).allTopicNames()))
        .isInstanceOf(TopicAuthorizationException.class);
    assertThatThrownBy(
            () -> SecureNode.get(alice.describeTopics(List.of("no-such")).allTopicNames()))
        .as("whether it exists is not told")
        .isInstanceOf(TopicAuthorizationException.class);
    assertThat(SecureNode.get(alice.listTopics().names())).doesNotContain("orders");
    try (KafkaProducer<String, String> producer = node.producer("PLAIN", ALICE)) {
      assertThatThrownBy(() -> SecureNode.send(producer, "orders", "x"))
          .isInstanceOf(TopicAuthorizationException.class);
    } catch (RuntimeException closed) {
      // a producer that may not have an id can not be closed without its error
    }

    AclBinding write = grant(ResourceType.TOPIC, "orders", AclOperation.WRITE);
    try (KafkaProducer<String, String> producer = node.producer("PLAIN", ALICE)) {
      soon("alice may write", () -> SecureNode.send(producer, "orders", "one"));
      Map<String, String> group = new HashMap<>(ALICE);
      group.put("group.id", "readers");
      try (KafkaConsumer<String, String> consumer = node.consumer("PLAIN", group)) {
        consumer.subscribe(List.of("orders"));
        assertThatThrownBy(() -> consumer.poll(Duration.ofSeconds(20)))
            .isInstanceOf(GroupAuthorizationException.class);
        grant(ResourceType.GROUP, "readers", AclOperation.READ);
        soon(
            "a reader without READ is refused",
            () ->
                assertThatThrownBy(() -> consumer.poll(Duration.ofSeconds(5)))
                    .isInstanceOf(TopicAuthorizationException.class));
        grant(ResourceType.TOPIC, "orders", AclOperation.READ);
        int[] seen = {0};
        soon(
            "alice reads",
            () -> {
              seen[0] += consumer.poll(Duration.ofMillis(500)).count();
              assertThat(seen[0]).isPositive();
            });
        revoke(rule(ResourceType.TOPIC, "orders", AclOperation.READ, AclPermissionType.ALLOW));
        soon(
            "a reader of a quiet topic hears that he may no more",
            () ->
                assertThatThrownBy(() -> consumer.poll(Duration.ofSeconds(2)))
                    .isInstanceOf(TopicAuthorizationException.class));
      }
      revoke(write);
      soon(
          "alice may write no more",
          () ->
              assertThatThrownBy(() -> SecureNode.send(producer, "orders", "late"))
                  .isInstanceOf(TopicAuthorizationException.class));
    }
  }

  /** The first of them fills the response: the others are judged all the same. */
  @ParameterizedTest
  @ValueSource(shorts = {12, 17})
  void aFullFetchTellsNothingOfTheTopicsOfOthers(short version) throws Exception {
    TopicIdPartition own = filled("own-" + version);
    TopicIdPartition victim = filled("victim-" + version);
    TopicIdPartition none = new TopicIdPartition(Uuid.randomUuid(), 0, "none-" + version);
    AclBinding read = grant(ResourceType.TOPIC, own.topic(), AclOperation.READ);
    Map<TopicPartition, FetchRequest.PartitionData> asked = new LinkedHashMap<>();
    for (TopicIdPartition one : List.of(own, victim, none)) {
      asked.put(
          one.topicPartition(),
          new FetchRequest.PartitionData(one.topicId(), 0, -1, 1, Optional.empty()));
    }
    FetchRequest fetch =
        FetchRequest.Builder.forConsumer(version, 0, 1, asked).setMaxBytes(1).build(version);
    try (RawClient raw = new RawClient(node.port("PLAIN"))) {
      raw.handshake(1, "PLAIN");
      raw.authenticate(RawClient.plain("alice", Secured.ALICE_PASSWORD));
      soon(
          "alice reads her own",
          () -> assertThat(told(raw, fetch, own, version)).startsWith("NONE"));
      assertThat(told(raw, fetch, own, version)).isEqualTo("NONE to 1");
      assertThat(told(raw, fetch, victim, version)).isEqualTo("TOPIC_AUTHORIZATION_FAILED to -1");
      assertThat(told(raw, fetch, none, version))
          .isEqualTo(version < 13 ? "TOPIC_AUTHORIZATION_FAILED to -1" : "UNKNOWN_TOPIC_ID to -1");
    }
    revoke(read);
  }

  private TopicIdPartition filled(String topic) {
    SecureNode.create(admin, topic);
    try (KafkaProducer<String, String> producer = node.producer("PLAIN", Secured.admin())) {
      SecureNode.send(producer, topic, "secret");
    }
    Uuid id =
        SecureNode.get(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic).topicId();
    return new TopicIdPartition(id, 0, topic);
  }

  private static String told(
      RawClient raw, FetchRequest fetch, TopicIdPartition partition, short version) {
    try {
      FetchResponse response = (FetchResponse) raw.ask(fetch);
      var one =
          response
              .responseData(Map.of(partition.topicId(), partition.topic()), version)
              .get(partition.topicPartition());
      return Errors.forCode(one.errorCode()) + " to " + one.highWatermark();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void offsetsAskForDescribeAndDelete() {
    SecureNode.create(admin, "ledger");
    TopicPartition partition = new TopicPartition("ledger", 0);
    grant(ResourceType.TOPIC, "ledger", AclOperation.DESCRIBE);
    soon(
        "alice sees the end",
        () -> SecureNode.get(alice.listOffsets(Map.of(partition, OffsetSpec.latest())).all()));
    assertThatThrownBy(
            () ->
                SecureNode.get(
                    alice.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(0))).all()))
        .isInstanceOf(TopicAuthorizationException.class);
    grant(ResourceType.TOPIC, "ledger", AclOperation.DELETE);
    soon(
        "alice deletes records",
        () ->
            SecureNode.get(
                alice.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(0))).all()));
    revoke(rule(ResourceType.TOPIC, "ledger", AclOperation.DESCRIBE, AclPermissionType.ALLOW));
  }

  @Test
  void aTransactionOfAnotherTakesTheWholeRequestWithIt() throws Exception {
    SecureNode.get(admin.createTopics(List.of(new NewTopic("mixed", 2, (short) 1))).all());
    grant(ResourceType.TOPIC, "mixed", AclOperation.WRITE);
    try (KafkaProducer<String, String> producer = node.producer("PLAIN", ALICE)) {
      soon("alice may write", () -> SecureNode.send(producer, "mixed", "one"));
    }
    long before = ends();
    SimpleRecord record = new SimpleRecord(System.currentTimeMillis(), new byte[10]);
    var plain = MemoryRecords.withRecords(Compression.NONE, record);
    var transactional =
        MemoryRecords.withTransactionalRecords(Compression.NONE, 7, (short) 0, 0, record);
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    topics.add(
        new TopicProduceData()
            .setName("mixed")
            .setPartitionData(
                List.of(
                    new PartitionProduceData().setIndex(0).setRecords(plain),
                    new PartitionProduceData().setIndex(1).setRecords(transactional))));
    ProduceRequestData data =
        new ProduceRequestData()
            .setTransactionalId("not-hers")
            .setAcks((short) -1)
            .setTimeoutMs(10_000)
            .setTopicData(topics);
    try (RawClient raw = new RawClient(node.port("PLAIN"))) {
      raw.handshake(1, "PLAIN");
      raw.authenticate(RawClient.plain("alice", Secured.ALICE_PASSWORD));
      assertThat(raw.ask(new ProduceRequest(data, (short) 12)).errorCounts())
          .isEqualTo(Map.of(Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 2));
    }
    assertThat(ends()).isEqualTo(before);
  }

  private long ends() {
    return SecureNode.get(
            admin
                .listOffsets(
                    Map.of(
                        new TopicPartition("mixed", 0), OffsetSpec.latest(),
                        new TopicPartition("mixed", 1), OffsetSpec.latest()))
                .all())
        .values()
        .stream()
        .mapToLong(end -> end.offset())
        .sum();
  }

  @Test
  void theControllerJudgesWhoAsksThroughTheBroker() {
    assertThatThrownBy(
            () ->
                SecureNode.get(
                    alice.createTopics(List.of(new NewTopic("hers", 1, (short) 1))).all()))
        .isInstanceOf(TopicAuthorizationException.class);
    grant(ResourceType.TOPIC, "hers", AclOperation.CREATE);
    soon(
        "alice creates her topic",
        () ->
            SecureNode.get(alice.createTopics(List.of(new NewTopic("hers", 1, (short) 1))).all()));
    AlterConfigOp change =
        new AlterConfigOp(new ConfigEntry("retention.ms", "1000000"), AlterConfigOp.OpType.SET);
    assertThatThrownBy(
            () ->
                SecureNode.get(
                    alice
                        .incrementalAlterConfigs(
                            Map.of(
                                new ConfigResource(ConfigResource.Type.TOPIC, "hers"),
                                List.of(change)))
                        .all()))
        .isInstanceOf(TopicAuthorizationException.class);
    assertThatThrownBy(
            () ->
                SecureNode.get(
                    alice
                        .createAcls(
                            List.of(
                                rule(
                                    ResourceType.TOPIC,
                                    "hers",
                                    AclOperation.ALL,
                                    AclPermissionType.ALLOW)))
                        .all()))
        .isInstanceOf(ClusterAuthorizationException.class);
  }

  @Test
  void whatIsAboutTheClusterAsksForTheCluster() {
    assertThatThrownBy(() -> SecureNode.get(alice.describeAcls(AclBindingFilter.ANY).values()))
        .isInstanceOf(ClusterAuthorizationException.class);
    assertThatThrownBy(() -> SecureNode.get(alice.describeUserScramCredentials().all()))
        .isInstanceOf(ClusterAuthorizationException.class);
    assertThatThrownBy(() -> SecureNode.get(alice.describeLogDirs(List.of(1)).allDescriptions()))
        .isInstanceOf(ClusterAuthorizationException.class);
    assertThat(SecureNode.get(admin.describeAcls(AclBindingFilter.ANY).values())).isNotNull();
    AlterConfigOp change =
        new AlterConfigOp(new ConfigEntry("num.io.threads", "100000"), AlterConfigOp.OpType.SET);
    for (ConfigResource.Type type :
        List.of(ConfigResource.Type.BROKER, ConfigResource.Type.BROKER_LOGGER)) {
      ConfigResource broker = new ConfigResource(type, "1");
      assertThatThrownBy(
              () ->
                  SecureNode.get(
                      alice.incrementalAlterConfigs(Map.of(broker, List.of(change))).all()))
          .as("what is wrong with it is not told")
          .isInstanceOf(ClusterAuthorizationException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("io.strandline.tests.security.Pretender#requests")
  void whoIsRefusedWhatBrokersAskIsChargedForIt(AbstractRequest request) throws Exception {
    String clientId = "pretends-" + request.apiKey();
    ClientQuotaEntity entity =
        new ClientQuotaEntity(
            Map.of(ClientQuotaEntity.USER, "alice", ClientQuotaEntity.CLIENT_ID, clientId));
    quota(entity, 0.01);
    try (Pretender alice = new Pretender(node.port("PLAIN"), clientId)) {
      soon(
          "alice is charged",
          () -> {
            assertThat(alice.told(request))
                .containsAnyOf(
                    Errors.CLUSTER_AUTHORIZATION_FAILED, Errors.TOPIC_AUTHORIZATION_FAILED);
            assertThat(alice.charged()).isPositive();
          });
    }
    quota(entity, null);
  }

  private void quota(ClientQuotaEntity of, Double percent) {
    var op = new ClientQuotaAlteration.Op("request_percentage", percent);
    SecureNode.get(
        admin.alterClientQuotas(List.of(new ClientQuotaAlteration(of, List.of(op)))).all());
  }

  @Test
  void whatOneMayDoIsTold() {
    SecureNode.create(admin, "shown");
    grant(ResourceType.TOPIC, "shown", AclOperation.WRITE);
    soon(
        "the operations of alice",
        () ->
            assertThat(
                    SecureNode.get(
                            alice
                                .describeTopics(
                                    List.of("shown"),
                                    new DescribeTopicsOptions().includeAuthorizedOperations(true))
                                .allTopicNames())
                        .get("shown")
                        .authorizedOperations())
                .containsExactlyInAnyOrder(AclOperation.WRITE, AclOperation.DESCRIBE));
    Set<AclOperation> cluster =
        SecureNode.get(
            admin
                .describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true))
                .authorizedOperations());
    assertThat(cluster).contains(AclOperation.ALTER, AclOperation.CLUSTER_ACTION);
    assertThat(
            SecureNode.get(
                alice
                    .describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true))
                    .authorizedOperations()))
        .isEmpty();
  }

  @Test
  void whomACertificateNamesIsWhomTheRulesName() {
    SecureNode.create(admin, "certified");
    ResourcePattern topic =
        new ResourcePattern(ResourceType.TOPIC, "certified", PatternType.LITERAL);
    try (Admin client = node.admin("MTLS", secured.mutual())) {
      assertThatThrownBy(
              () -> SecureNode.get(client.describeTopics(List.of("certified")).allTopicNames()))
          .isInstanceOf(TopicAuthorizationException.class);
      AclBinding mapped =
          new AclBinding(
              topic,
              new AccessControlEntry(
                  "User:CLIENT-ONE", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW));
      SecureNode.get(admin.createAcls(List.of(mapped)).all());
      soon(
          "CN=client-one,… is CLIENT-ONE",
          () -> SecureNode.get(client.describeTopics(List.of("certified")).allTopicNames()));
    }
  }

  @Test
  void aDenyWinsOverWhatWasGranted() {
    SecureNode.create(admin, "denied");
    grant(ResourceType.TOPIC, "denied", AclOperation.WRITE);
    try (KafkaProducer<String, String> producer = node.producer("PLAIN", ALICE)) {
      soon("alice may write", () -> SecureNode.send(producer, "denied", "one"));
      SecureNode.get(
          admin
              .createAcls(
                  List.of(
                      rule(
                          ResourceType.TOPIC,
                          "denied",
                          AclOperation.WRITE,
                          AclPermissionType.DENY)))
              .all());
      soon(
          "alice may write no more",
          () ->
              assertThatThrownBy(() -> SecureNode.send(producer, "denied", "two"))
                  .isInstanceOf(TopicAuthorizationException.class));
    }
  }
}
