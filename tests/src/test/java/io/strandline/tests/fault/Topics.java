package io.strandline.tests.fault;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/** Topics with small segments, and where they begin and end. */
final class Topics {
  static final int SEGMENT_BYTES = 1 << 20;

  /** Settings of a broker that looks often at what can be released. */
  static final Map<String, String> BROKER =
      Map.of(
          "log.retention.check.interval.ms", "500",
          "log.segment.delete.delay.ms", "500",
          "strandline.tier.check.ms", "200",
          "strandline.tier.reclaim.ms", "1000",
          "offsets.topic.num.partitions", "1");

  private Topics() {}

  /** One partition, little of it kept locally. */
  static TopicPartition create(String bootstrap, String topic) throws Exception {
    return create(
        bootstrap, topic, Map.of("local.retention.bytes", Integer.toString(SEGMENT_BYTES)));
  }

  /** One partition. */
  static TopicPartition create(String bootstrap, String topic, Map<String, String> configs)
      throws Exception {
    Map<String, String> all = new HashMap<>(configs);
    all.put("segment.bytes", Integer.toString(SEGMENT_BYTES));
    try (Admin admin = admin(bootstrap)) {
      NewTopic fresh = new NewTopic(topic, Optional.of(1), Optional.empty());
      fresh.configs(all);
      admin.createTopics(List.of(fresh)).all().get(30, TimeUnit.SECONDS);
    }
    return new TopicPartition(topic, 0);
  }

  static Uuid id(String bootstrap, String topic) throws Exception {
    try (Admin admin = admin(bootstrap)) {
      return admin
          .describeTopics(List.of(topic))
          .topicNameValues()
          .get(topic)
          .get(30, TimeUnit.SECONDS)
          .topicId();
    }
  }

  static void delete(String bootstrap, String topic) throws Exception {
    try (Admin admin = admin(bootstrap)) {
      admin.deleteTopics(List.of(topic)).all().get(30, TimeUnit.SECONDS);
    }
  }

  static long offset(String bootstrap, TopicPartition partition, OffsetSpec spec) throws Exception {
    try (Admin admin = admin(bootstrap)) {
      return admin
          .listOffsets(Map.of(partition, spec))
          .partitionResult(partition)
          .get(30, TimeUnit.SECONDS)
          .offset();
    }
  }

  /** Sets configurations of the topic, or takes those back that are empty. */
  static void alter(String bootstrap, String topic, Map<String, String> configs) throws Exception {
    try (Admin admin = admin(bootstrap)) {
      List<AlterConfigOp> changes = new ArrayList<>();
      configs.forEach(
          (key, value) ->
              changes.add(
                  new AlterConfigOp(
                      new ConfigEntry(key, value),
                      value.isEmpty() ? AlterConfigOp.OpType.DELETE : AlterConfigOp.OpType.SET)));
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      admin.incrementalAlterConfigs(Map.of(resource, changes)).all().get(30, TimeUnit.SECONDS);
    }
  }

  /** Waits until what lies below the offset is in the tier alone. */
  static void awaitReleased(String bootstrap, TopicPartition partition, long offset) {
    Waiting.until(
        partition + " released up to " + offset,
        () -> offset(bootstrap, partition, OffsetSpec.earliestLocal()) >= offset);
  }

  static Admin admin(String bootstrap) {
    return Admin.create(Map.of("bootstrap.servers", bootstrap));
  }
}
