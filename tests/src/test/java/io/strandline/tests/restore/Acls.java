package io.strandline.tests.restore;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** ACLs as the controller takes and obeys them: the broker does not serve their APIs yet. */
final class Acls {
  private Acls() {}

  /**
   * Nobody may do anything with the topic.
   *
   * @param data of a node, which says where its controller listens
   */
  static void deny(Path data, String topic) throws Exception {
    String port = Files.readString(data.resolve("strandline.controller.port")).trim();
    try (Admin admin = Admin.create(Map.of("bootstrap.controllers", "127.0.0.1:" + port))) {
      AclBinding binding =
          new AclBinding(
              new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
              new AccessControlEntry("User:*", "*", AclOperation.ALL, AclPermissionType.DENY));
      admin.createAcls(List.of(binding)).all().get(30, TimeUnit.SECONDS);
    }
  }

  /** Requires that it is so, for what the controller does. */
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
    }
  }
}
