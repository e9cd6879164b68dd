package io.strandline.tests.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A topic restored from the bucket of the very cluster it is restored into. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class OwnTopicTest {
  private static final TopicPartition TRIPS = new TopicPartition("trips", 0);
  private static final ConfigResource CLUSTER = new ConfigResource(ConfigResource.Type.BROKER, "");

  @TempDir Path dir;

  @Test
  void onlyACopyOfItCanBeMade() throws Exception {
    String store = "file:" + dir.resolve("objects");
    try (LosingProxy proxy = new LosingProxy();
        BrokerProcess broker =
            BrokerProcess.start(dir.resolve("broker"), settings(store, proxy.address()))) {
      proxy.to(broker.bootstrap());
      TwoClusters.create(broker, "trips", 1);
      TwoClusters.produce(broker, "trips", 1, 0, 1_500);
      TwoClusters.until(
          "most of it is tiered",
          () -> TwoClusters.offset(broker, TRIPS, OffsetSpec.latestTiered()) > 900);
      ToolProcess.Ended refused = restore(store, broker, "again");
      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.err()).contains("a topic of this very cluster", "give --copy");
      try (Admin admin = TwoClusters.admin(broker)) {
        assertThat(admin.listTopics().names().get()).doesNotContain("again");
        assertThat(admin.describeConfigs(List.of(CLUSTER)).all().get().get(CLUSTER).entries())
            .noneMatch(entry -> entry.name().startsWith("strandline.origin."));
        sayItWithoutTheTool(admin);
      }
      TwoClusters.until(
          "the broker says why it does not serve it",
          () -> broker.output().contains("is to name segments of this cluster's own topic"));

      // The client asks again, and hears that there is such a topic already.
      proxy.loseAnswerTo(ApiKeys.CREATE_TOPICS);
      ToolProcess.Ended copied = restore(store, broker, "copy", "--copy");
      assertThat(proxy.hasLost()).as("the answer").isTrue();
      assertThat(copied.exitCode()).as("%s%n%s", copied.out(), copied.err()).isZero();
      TwoClusters.until("the copy", () -> broker.metric("strandline_mount_copying") == 0);
      TreeMap<Long, Integer> copy = TwoClusters.read(broker, new TopicPartition("copy", 0), 0);
      assertThat(copy).hasSizeGreaterThan(900);
      try (Admin admin = TwoClusters.admin(broker)) {
        admin.deleteTopics(List.of("trips")).all().get();
      }
      TwoClusters.until(
          "the topic that it was is deleted in the tier too",
          () -> broker.metric("strandline_tiering_deleted_segments_total") > 0);
      assertThat(TwoClusters.read(broker, new TopicPartition("copy", 0), 0)).isEqualTo(copy);
    }
  }

  private static Map<String, String> settings(String store, String advertised) {
    Map<String, String> settings = new HashMap<>(TwoClusters.settings(store, ""));
    settings.put("advertised.listeners", "PLAINTEXT://" + advertised);
    return settings;
  }

  private static void sayItWithoutTheTool(Admin admin) throws Exception {
    Uuid id = admin.describeTopics(List.of("trips")).allTopicNames().get().get("trips").topicId();
    ConfigEntry origin =
        new ConfigEntry(
            "strandline.origin.byhand",
            "restore:" + admin.describeCluster().clusterId().get() + ":" + id);
    admin
        .incrementalAlterConfigs(
            Map.of(CLUSTER, List.of(new AlterConfigOp(origin, AlterConfigOp.OpType.SET))))
        .all()
        .get();
    admin.createTopics(List.of(new NewTopic("byhand", 1, (short) 1))).all().get();
  }

  private ToolProcess.Ended restore(String store, BrokerProcess broker, String as, String... more)
      throws Exception {
    List<String> arguments =
        new ArrayList<>(
            List.of("tier", "restore", "topic", "--from", store, "--topic", "trips", "--as", as));
    arguments.addAll(List.of("--bootstrap", broker.bootstrap()));
    arguments.addAll(List.of(more));
    return ToolProcess.run(dir, Map.of(), arguments.toArray(String[]::new));
  }
}
