package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.LogDirNotFoundException;
import org.apache.kafka.common.errors.ReplicaNotAvailableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ApiMessageType.ListenerType;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.DescribeAclsRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is advertised is what Apache Kafka advertises, and each version of it is served: a request
 * gets an answer that can be read in that version, over a connection that stays.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class EveryApiTest {
  /** Kafka's request classes themselves refuse such with unknown types: the connection ends. */
  private static final Set<ApiKeys> REFUSED_BY_PARSER =
      Set.of(ApiKeys.CREATE_ACLS, ApiKeys.DELETE_ACLS, ApiKeys.DESCRIBE_ACLS);

  /** Kafka's answer to a kind of resource or entity that it does not know. */
  private static final Set<ApiKeys> UNSUPPORTED_KINDS =
      Set.of(
          ApiKeys.ALTER_CONFIGS, ApiKeys.INCREMENTAL_ALTER_CONFIGS, ApiKeys.DESCRIBE_CLIENT_QUOTAS);

  private Node node;
  private final Map<ApiKeys, ApiVersion> advertised = new EnumMap<>(ApiKeys.class);

  @BeforeAll
  void start(@TempDir Path dir) throws Exception {
    node = new Node(dir, Map.of("strandline.telemetry.clients.max", "1"));
    ApiVersionsResponse answer =
        (ApiVersionsResponse)
            ask(
                ApiKeys.API_VERSIONS,
                (short) 4,
                new ApiVersionsRequestData()
                    .setClientSoftwareName("every-api")
                    .setClientSoftwareVersion("1"));
    answer
        .data()
        .apiKeys()
        .forEach(version -> advertised.put(ApiKeys.forId(version.apiKey()), version));
  }

  @AfterAll
  void stop() {
    node.close();
  }

  @Test
  void whatKafkaServesIsServed() {
    Set<String> kafka = new TreeSet<>();
    for (ApiKeys api : ApiKeys.apisForListener(ListenerType.BROKER)) {
      // Of Produce more is advertised than is served, for the sake of old clients.
      int oldest = api == ApiKeys.PRODUCE ? 0 : api.oldestVersion();
      kafka.add(api + " " + oldest + " to " + api.latestVersion(false));
    }
    Set<String> ours = new TreeSet<>();
    advertised.forEach(
        (api, range) -> ours.add(api + " " + range.minVersion() + " to " + range.maxVersion()));
    assertThat(ours).isEqualTo(kafka);
  }

  @Test
  void everyVersionIsAnsweredToWhoAsksForNothing() {
    List<String> wrong = new ArrayList<>();
    everyVersion((api, version) -> wrong.addAll(judged(api, version, empty(api))));
    assertThat(wrong).isEmpty();
  }

  @Test
  void everyVersionIsAnsweredToWhoNamesWhatIsNotThere() {
    List<String> wrong = new ArrayList<>();
    everyVersion(
        (api, version) -> {
          ApiMessage request = empty(api);
          Filled.fill(request, version);
          if (!Filled.writable(request, version)) {
            wrong.add(api + " version " + version + " is not asked");
          } else if (!REFUSED_BY_PARSER.contains(api)) {
            wrong.addAll(judged(api, version, request));
          }
        });
    assertThat(wrong).isEmpty();
  }

  @Test
  void replicasAreInTheOneDirectoryThereIs() {
    try (Admin admin = node.admin()) {
      Node.get(admin.createTopics(List.of(new NewTopic("here", 1, (short) 1))).all());
      String here =
          Node.get(admin.describeLogDirs(List.of(1)).allDescriptions())
              .values()
              .iterator()
              .next()
              .keySet()
              .iterator()
              .next();
      TopicPartitionReplica replica = new TopicPartitionReplica("here", 0, 1);
      Node.await("the replica to be known", () -> moved(admin, replica, here));
      assertThatThrownBy(
              () -> Node.get(admin.alterReplicaLogDirs(Map.of(replica, "/elsewhere")).all()))
          .isInstanceOf(LogDirNotFoundException.class);
    }
  }

  private static boolean moved(Admin admin, TopicPartitionReplica replica, String where) {
    try {
      Node.get(admin.alterReplicaLogDirs(Map.of(replica, where)).all());
      return true;
    } catch (ReplicaNotAvailableException | UnknownTopicOrPartitionException notYet) {
      return false;
    }
  }

  @Test
  void theDocumentSaysSo() throws IOException {
    ApiDocument.check(advertised);
  }

  private interface Step {
    void at(ApiKeys api, short version);
  }

  private void everyVersion(Step step) {
    advertised.forEach(
        (api, range) -> {
          short oldest = (short) Math.max(api.oldestVersion(), range.minVersion());
          for (short version = oldest; version <= range.maxVersion(); version++) {
            step.at(api, version);
          }
        });
  }

  private static ApiMessage empty(ApiKeys api) {
    ApiMessage request = ApiMessageType.fromApiKey(api.id).newRequest();
    if (request instanceof ProduceRequestData produce) {
      produce.setAcks((short) -1); // else nothing is answered
    }
    if (request instanceof DescribeAclsRequestData acls) {
      acls.setResourceTypeFilter(ResourceType.ANY.code())
          .setOperation(AclOperation.ANY.code())
          .setPermissionType(AclPermissionType.ANY.code());
    }
    return request;
  }

  private List<String> judged(ApiKeys api, short version, ApiMessage request) {
    String what = api + " version " + version;
    try {
      List<String> wrong = new ArrayList<>();
      for (Errors error : ask(api, version, request).errorCounts().keySet()) {
        boolean unsupported =
            error == Errors.UNSUPPORTED_VERSION && !UNSUPPORTED_KINDS.contains(api);
        if (unsupported || error == Errors.UNKNOWN_SERVER_ERROR) {
          wrong.add(what + ": " + error);
        }
      }
      return wrong;
    } catch (IOException | RuntimeException e) {
      return List.of(what + ": " + e);
    }
  }

  private AbstractResponse ask(ApiKeys api, short version, ApiMessage request) throws IOException {
    RequestHeader header = new RequestHeader(api, version, "every-api", 7);
    ByteBuffer head =
        MessageUtil.toByteBufferAccessor(header.data(), header.headerVersion()).buffer();
    ByteBuffer body = MessageUtil.toByteBufferAccessor(request, version).buffer();
    try (Socket socket = new Socket("127.0.0.1", node.port())) {
      socket.setSoTimeout(20_000);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      byte[] frame = new byte[head.remaining() + body.remaining()];
      int headBytes = head.remaining();
      head.get(frame, 0, headBytes);
      body.get(frame, headBytes, body.remaining());
      out.writeInt(frame.length);
      out.write(frame);
      out.flush();
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = in.readNBytes(in.readInt());
      return AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
    }
  }
}
