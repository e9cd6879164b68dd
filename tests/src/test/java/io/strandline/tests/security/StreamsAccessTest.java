package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.message.StreamsGroupDescribeRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.Subtopology;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.TopicInfo;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.Topology;
import org.apache.kafka.common.message.StreamsGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.StreamsGroupDescribeRequest;
import org.apache.kafka.common.requests.StreamsGroupDescribeResponse;
import org.apache.kafka.common.requests.StreamsGroupHeartbeatRequest;
import org.apache.kafka.common.requests.StreamsGroupHeartbeatResponse;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a member of a streams group has to be allowed. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class StreamsAccessTest {
  private static final String CHANGELOG = "app-store-changelog";

  private final String member = Uuid.randomUuid().toString();

  @Test
  void aMemberNeedsTheGroupItsTopicsAndTheRightToCreateThem(@TempDir Path dir) throws Exception {
    Secured secured = new Secured(dir);
    Map<String, String> settings = new HashMap<>(secured.settings());
    settings.put(
        "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    settings.put("super.users", "User:node;User:admin");
    try (SecureNode node = new SecureNode(dir, settings);
        Admin admin = node.admin("PLAIN", Secured.admin());
        RawClient alice = new RawClient(node.port("PLAIN"))) {
      SecureNode.create(admin, "orders");
      node.journey("PLAIN", Secured.admin(), "warm-up"); // the coordinator's topic is there
      alice.handshake(1, "PLAIN");
      alice.authenticate(RawClient.plain("alice", Secured.ALICE_PASSWORD));

      assertThat(error(join(alice, "orders"))).isEqualTo(Errors.GROUP_AUTHORIZATION_FAILED);
      assertThat(describe(alice)).isEqualTo(Errors.GROUP_AUTHORIZATION_FAILED);
      grant(admin, ResourceType.GROUP, "app", AclOperation.READ);
      SecureNode.await(
          "the group", () -> error(join(alice, "orders")) != Errors.GROUP_AUTHORIZATION_FAILED);
      assertThat(error(join(alice, "orders"))).isEqualTo(Errors.TOPIC_AUTHORIZATION_FAILED);
      assertThat(error(join(alice, "__consumer_offsets")))
          .isEqualTo(Errors.STREAMS_INVALID_TOPOLOGY);
      assertThat(error(join(alice, "no/such"))).isEqualTo(Errors.STREAMS_INVALID_TOPOLOGY);

      grant(admin, ResourceType.TOPIC, "orders", AclOperation.DESCRIBE);
      grant(admin, ResourceType.TOPIC, CHANGELOG, AclOperation.DESCRIBE);
      SecureNode.await("the topics", () -> error(join(alice, "orders")) == Errors.NONE);
      assertThat(details(join(alice, "orders")))
          .contains("Unauthorized to CREATE on topics " + CHANGELOG + ".");
      assertThat(SecureNode.get(admin.listTopics().names())).doesNotContain(CHANGELOG);

      grant(admin, ResourceType.TOPIC, CHANGELOG, AclOperation.CREATE);
      SecureNode.await(
          "the topic is created",
          () -> {
            join(alice, "orders");
            return SecureNode.get(admin.listTopics().names()).contains(CHANGELOG);
          });
      assertThat(describe(alice)).isEqualTo(Errors.NONE);
      deny(admin, "orders");
      SecureNode.await(
          "its topic is hidden", () -> describe(alice) == Errors.TOPIC_AUTHORIZATION_FAILED);
    }
  }

  private static void grant(Admin admin, ResourceType type, String name, AclOperation operation) {
    rule(admin, type, name, operation, AclPermissionType.ALLOW);
  }

  private static void deny(Admin admin, String topic) {
    rule(admin, ResourceType.TOPIC, topic, AclOperation.DESCRIBE, AclPermissionType.DENY);
  }

  private static void rule(
      Admin admin,
      ResourceType type,
      String name,
      AclOperation operation,
      AclPermissionType permission) {
    AclBinding rule =
        new AclBinding(
            new ResourcePattern(type, name, PatternType.LITERAL),
            new AccessControlEntry("User:alice", "*", operation, permission));
    SecureNode.get(admin.createAcls(List.of(rule)).all());
  }

  /** Joins anew, as a member that has just started. */
  private StreamsGroupHeartbeatResponseData join(RawClient client, String source) {
    Subtopology part =
        new Subtopology()
            .setSubtopologyId("0")
            .setSourceTopics(List.of(source))
            .setStateChangelogTopics(
                List.of(
                    new TopicInfo()
                        .setName(CHANGELOG)
                        .setPartitions(0)
                        .setReplicationFactor((short) 1)));
    StreamsGroupHeartbeatRequestData data =
        new StreamsGroupHeartbeatRequestData()
            .setGroupId("app")
            .setMemberId(member)
            .setMemberEpoch(0)
            .setProcessId("process")
            .setRebalanceTimeoutMs(60_000)
            .setTopology(new Topology().setEpoch(0).setSubtopologies(List.of(part)))
            .setActiveTasks(List.of())
            .setStandbyTasks(List.of())
            .setWarmupTasks(List.of())
            .setClientTags(List.of());
    try {
      var answer = client.ask(new StreamsGroupHeartbeatRequest.Builder(data).build((short) 0));
      return ((StreamsGroupHeartbeatResponse) answer).data();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Errors error(StreamsGroupHeartbeatResponseData answer) {
    return Errors.forCode(answer.errorCode());
  }

  private static String details(StreamsGroupHeartbeatResponseData answer) {
    return answer.status() == null
        ? ""
        : String.join(";", answer.status().stream().map(status -> status.statusDetail()).toList());
  }

  private static Errors describe(RawClient client) {
    var data = new StreamsGroupDescribeRequestData().setGroupIds(List.of("app"));
    try {
      var answer = client.ask(new StreamsGroupDescribeRequest.Builder(data).build((short) 0));
      var group = ((StreamsGroupDescribeResponse) answer).data().groups().get(0);
      return Errors.forCode(group.errorCode());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
