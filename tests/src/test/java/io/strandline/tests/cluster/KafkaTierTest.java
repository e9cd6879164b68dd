package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.server.log.remote.storage.LocalTieredStorage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics that Apache Kafka tiers by itself: a broker of ours keeps away from them. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class KafkaTierTest {
  private static final int KAFKA = 0;
  private static final int OURS = 9;
  private static final TopicPartition TIERED = new TopicPartition("tiered", 0);
  private static final TopicPartition PLAIN = new TopicPartition("plain", 0);

  @TempDir Path dir;

  @Test
  void whatKafkaTiersIsNotFollowedAndWhereItIsThereAlreadyNoBrokerOfOursStarts() throws Exception {
    try (KafkaPeer kafka =
            KafkaPeer.start(dir.resolve("kafka"), KAFKA, Uuid.randomUuid().toString(), theirs());
        BrokerProcess ours = kafka.join(dir.resolve("ours"), OURS, ours());
        Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrap()))) {
      Waiting.until(
          "Kafka's metadata of its tier",
          () ->
              admin
                  .listTopics(new ListTopicsOptions().listInternal(true))
                  .names()
                  .get(30, TimeUnit.SECONDS)
                  .contains("__remote_log_metadata"));
      NewTopic tiered = new NewTopic(TIERED.topic(), Map.of(0, List.of(KAFKA, OURS)));
      tiered.configs(Map.of("remote.storage.enable", "true"));
      admin
          .createTopics(
              List.of(tiered, new NewTopic(PLAIN.topic(), Map.of(0, List.of(KAFKA, OURS)))))
          .all()
          .get(30, TimeUnit.SECONDS);
      Waiting.until(
          "out of the ISR", () -> ClusterTopics.inSync(admin, TIERED).equals(Set.of(KAFKA)));
      assertThat(ClusterTopics.inSync(admin, PLAIN)).containsExactlyInAnyOrder(KAFKA, OURS);
      assertThat(ours.metric("strandline_partition_refused")).isEqualTo(1);
      assertThat(said()).contains("Apache Kafka tiers the topic");

      ours.kill();
      assertThat(ours.startAgainRefused())
          .anyMatch(line -> line.contains("Apache Kafka tiers [tiered]"));

      admin.deleteTopics(List.of(TIERED.topic())).all().get(30, TimeUnit.SECONDS);
      ours.startAgain();
      Waiting.until(
          "back in the ISR", () -> ClusterTopics.inSync(admin, PLAIN).equals(Set.of(KAFKA, OURS)));
    }
  }

  private String said() throws IOException {
    return Files.readString(dir.resolve("ours").resolve("broker.out"));
  }

  private Map<String, String> theirs() {
    Map<String, String> settings = new LinkedHashMap<>(quick());
    settings.put("replica.lag.time.max.ms", "2000");
    settings.put("remote.log.storage.system.enable", "true");
    settings.put("remote.log.storage.manager.class.name", LocalTieredStorage.class.getName());
    settings.put("rsm.config.dir", dir.resolve("remote").toString());
    settings.put("remote.log.metadata.manager.listener.name", "PLAINTEXT");
    settings.put("rlmm.config.remote.log.metadata.topic.replication.factor", "1");
    settings.put("rlmm.config.remote.log.metadata.topic.num.partitions", "1");
    return settings;
  }

  private Map<String, String> ours() {
    Map<String, String> settings = new LinkedHashMap<>(quick());
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    return settings;
  }

  private static Map<String, String> quick() {
    return Map.of(
        "offsets.topic.replication.factor", "1",
        "broker.session.timeout.ms", "3000",
        "broker.heartbeat.interval.ms", "500");
  }
}
