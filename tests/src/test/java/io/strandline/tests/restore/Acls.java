package io.strandline.tests.restore;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** ACLs as the controller and the broker obey them. */
final class Acls {
  private Acls() {}

  /** Nobody may change the topic or delete of it; everything else is everybody's. */
  static void deny(String at, String topic) throws Exception {
    try (Admin admin = Clients.admin(at)) {
      admin
          .createAcls(
              List.of(
                  rule(topic, AclOperation.ALL, AclPermissionType.ALLOW),
                  rule(topic, AclOperation.ALTER_CONFIGS, AclPermissionType.DENY),
                  rule(topic, AclOperation.DELETE, AclPermissionType.DENY)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
  }

  private static AclBinding rule(
      String topic, AclOperation operation, AclPermissionType permission) {
    return new AclBinding(
        new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
        new AccessControlEntry("User:*", "*", operation, permission));
  }

  /** Requires that it is so, for what the controller does and for what the broker does. */
  static void denied(String at, String topic) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    AlterConfigOp change =
        new AlterConfigOp(new ConfigEntry("flush.ms", "999999"), AlterConfigOp.OpType.SET);
    try (Admin admin = Clients.admin(at)) {
      assertThatThrownBy(
              () ->
                  admin
                      .incrementalAlterConfigs(Map.of(resource, List.of(change)))
                      .all()
                      .get(30, TimeUnit.SECONDS))
          .hasCauseInstanceOf(TopicAuthorizationException.class);
      assertThatThrownBy(
              () ->
                  admin
                      .deleteRecords(
                          Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(0)))
                      .all()
                      .get(30, TimeUnit.SECONDS))
          .hasCauseInstanceOf(TopicAuthorizationException.class);
    }
  }
}
