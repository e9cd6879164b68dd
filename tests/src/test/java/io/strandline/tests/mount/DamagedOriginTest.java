package io.strandline.tests.mount;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strandline.tests.process.ToolProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A bucket with a manifest and a backup of the metadata that are damaged: the tools tell of them,
 * and do what does not need them.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class DamagedOriginTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path dir;
  private TwoClusters clusters;
  private String store;
  private String broken;
  private String trips;

  @Test
  void whatIsDamagedIsToldAndTheRestIsListedReadAndRestored() throws Exception {
    try (TwoClusters both = new TwoClusters(dir)) {
      clusters = both;
      store = "file:" + both.theirObjects;
      fill();
      Files.writeString(files(broken, "v-").get(0), "no manifest");
      Files.writeString(backups().get(0), "no snapshot");
      jobsOfOtherTopics();
      othersAreMountedAndRestored();
      Files.delete(files(trips, "00000000000000000000-").get(0));
      theTierIsListedAndVerified();
      for (Path backup : backups()) {
        Files.writeString(backup, "no snapshot");
      }
      withoutItsConfigsNothingIsRestored();
    }
  }

  /** Ends with the backup that is damaged later, and one before that knows the topics. */
  private void fill() throws Exception {
    TwoClusters.create(clusters.there, "broken", 1);
    TwoClusters.create(clusters.there, "trips", 3);
    TwoClusters.produce(clusters.there, "broken", 1, 0, 1_500);
    TwoClusters.produce(clusters.there, "trips", 2, 0, 1_500);
    for (String topic : List.of("broken", "trips")) {
      TopicPartition first = new TopicPartition(topic, 0);
      TwoClusters.until(
          "most of it is tiered",
          () -> TwoClusters.offset(clusters.there, first, OffsetSpec.latestTiered()) > 900);
    }
    TwoClusters.until("a backup that knows it", () -> plan().contains("retention.ms"));
    Path known = backups().get(0);
    TwoClusters.create(clusters.there, "later", 1);
    TwoClusters.until("a later one", () -> !backups().get(0).equals(known));
    try (Admin admin = TwoClusters.admin(clusters.there)) {
      var topics = admin.describeTopics(List.of("broken", "trips")).allTopicNames().get();
      broken = topics.get("broken").topicId() + "-0";
      trips = topics.get("trips").topicId() + "-0";
    }
    clusters.there.kill();
  }

  private List<Path> backups() throws IOException {
    return files(path -> path.toString().endsWith(".checkpoint"));
  }

  /** Objects of the first partition of a topic whose names begin so. */
  private List<Path> files(String partition, String name) throws IOException {
    String topic = partition.substring(0, partition.length() - "-0".length());
    return files(
        path ->
            path.toString().contains("/" + topic + "+/0+/")
                && path.getFileName().toString().startsWith(name));
  }

  /** In the order of their names: what counts down shows the newest first. */
  private List<Path> files(Predicate<Path> wanted) throws IOException {
    try (Stream<Path> all = Files.walk(clusters.theirObjects)) {
      return all.filter(Files::isRegularFile).filter(wanted).sorted().toList();
    }
  }

  private String plan() throws Exception {
    return String.join(
        "\n", clusters.tier("restore", "plan", "--from", store, "--topic", "trips", "--json"));
  }

  private void jobsOfOtherTopics() throws Exception {
    ToolProcess.Ended read = run("replay", "trips", "--store", store);
    assertThat(read.exitCode()).as(read.err()).isZero();
    assertThat(read.out()).hasSizeGreaterThan(900);
    assertThat(read.err()).contains("the manifest of " + broken + " is damaged");
    assertThat(plan()).contains("{\"config\":\"retention.ms\",\"value\":\"-1\"}");
    for (String[] asked :
        List.of(
            new String[] {"replay", "broken", "--store", store},
            new String[] {"tier", "restore", "plan", "--from", store, "--topic", "broken"})) {
      ToolProcess.Ended refused = run(asked);
      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.err()).contains("unless it is one whose manifests are damaged");
    }
  }

  private void othersAreMountedAndRestored() throws Exception {
    String to = clusters.here.bootstrap();
    clusters.tier("mount", "--from", store, "--topic", "trips", "--as", "live", "--bootstrap", to);
    ToolProcess.Ended restored = restore("again");
    assertThat(restored.exitCode()).as("%s%n%s", restored.out(), restored.err()).isZero();
    assertThat(restored.err()).contains(".checkpoint is passed over");
    ConfigResource again = new ConfigResource(ConfigResource.Type.TOPIC, "again");
    try (Admin admin = TwoClusters.admin(clusters.here)) {
      Config configs = admin.describeConfigs(List.of(again)).all().get().get(again);
      assertThat(configs.get("retention.ms").value()).isEqualTo("-1");
      assertThat(configs.get("segment.bytes").value()).isEqualTo("1048576");
      assertThat(
              admin
                  .describeTopics(List.of("again"))
                  .allTopicNames()
                  .get()
                  .get("again")
                  .partitions())
          .as("one was never tiered")
          .hasSize(3);
    }
  }

  private void theTierIsListedAndVerified() throws Exception {
    Map<String, String> terminal = Map.of("JAVA_TOOL_OPTIONS", "-Dstrandline.terminal=true");
    ToolProcess.Ended verified =
        ToolProcess.run(dir, terminal, "tier", "verify", "--json", "--store", store);
    assertThat(verified.exitCode()).as(verified.err()).isEqualTo(1);
    assertThat(verified.out())
        .anyMatch(line -> line.contains("\"manifest\"") && line.contains(broken))
        .anyMatch(line -> line.contains("\"missing\"") && line.contains(trips));
    ToolProcess.Ended listed = run("tier", "ls", "--json", "--store", store);
    assertThat(listed.exitCode()).isEqualTo(1);
    assertThat(state(listed, broken)).isEqualTo("damaged");
    assertThat(state(listed, trips)).isEqualTo("live");
    ToolProcess.Ended segments = run("tier", "ls", "--segments", "--store", store);
    assertThat(segments.exitCode()).isEqualTo(1);
    assertThat(segments.out()).anyMatch(line -> line.startsWith(trips));
    ToolProcess.Ended cost = run("tier", "cost", "--store", store);
    assertThat(cost.exitCode()).isEqualTo(1);
    assertThat(cost.err()).contains("the manifest of " + broken + " is damaged");
    assertThat(cost.out()).anyMatch(line -> line.contains("a month, "));
  }

  private static String state(ToolProcess.Ended listed, String partition) throws IOException {
    for (String line : listed.out()) {
      JsonNode row = JSON.readTree(line);
      if (row.path("partition").asText().equals(partition)) {
        return row.path("state").asText();
      }
    }
    return "not there";
  }

  private void withoutItsConfigsNothingIsRestored() throws Exception {
    ToolProcess.Ended refused = restore("never");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err()).contains("are not known", "strandline tier restore plan");
    try (Admin admin = TwoClusters.admin(clusters.here)) {
      assertThat(admin.listTopics().names().get()).doesNotContain("never");
    }
    ToolProcess.Ended told = restore("told", "-c", "retention.ms=-1");
    assertThat(told.exitCode()).as("%s%n%s", told.out(), told.err()).isZero();
  }

  private ToolProcess.Ended restore(String as, String... more) throws Exception {
    List<String> arguments =
        new ArrayList<>(List.of("tier", "restore", "topic", "--from", store, "--topic", "trips"));
    arguments.addAll(List.of("--as", as, "--bootstrap", clusters.here.bootstrap()));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  private ToolProcess.Ended run(String... arguments) throws Exception {
    return ToolProcess.run(dir, Map.of(), arguments);
  }
}
