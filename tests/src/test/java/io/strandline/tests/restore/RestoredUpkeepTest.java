package io.strandline.tests.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sweep, expiry, deletion and compaction forced in a restored cluster: what goes is the restored
 * cluster's own (design D15).
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class RestoredUpkeepTest {
  private static final Uuid UNKNOWN = Uuid.randomUuid();

  @TempDir Path dir;

  @Test
  void onlyWhatTheRestoredClusterOwnsIsDeletedAndTheRestIsSound() throws Exception {
    Path objects = dir.resolve("objects");
    Map<String, Uuid> topics;
    try (BrokerProcess lost = BrokerProcess.start(dir.resolve("lost"), settings(objects))) {
      topics = fill(lost.bootstrap());
      lost.kill();
    }
    ObjectKey orphan =
        SegmentId.of(new TopicIdPartition(topics.get("stays"), 0, "stays"), 0, 4711).key();
    putWhatIsNotInTheMetadata(objects, orphan);
    anEmptyClusterOfTheSameIdDeletesNothing(objects);
    Clients.deleteTree(dir.resolve("lost"));
    List<String> said = restore("--store", "file:" + objects, "--dir", data().toString());
    assertThat(said).anyMatch(line -> line.contains("left alone: topic id " + UNKNOWN));

    Map<String, String> before = lasting(objects);
    Map<String, String> settings = settings(objects);
    settings.put("log.dirs", data().toString());
    try (BrokerProcess node = BrokerProcess.start(dir.resolve("new"), settings)) {
      String at = node.bootstrap();
      long end = Clients.offset(at, "stays", OffsetSpec.latest());
      force(at);
      Clients.until("expiry", () -> segments(objects, topics.get("expires")).isEmpty());
      Clients.until("deletion", () -> segments(objects, topics.get("doomed")).isEmpty());
      Clients.until("the sweep", () -> !files(objects).containsKey(orphan.value()));
      Clients.until("compaction", () -> node.metric("strandline_compaction_rounds_total") > 0);
      Map<String, String> expected = new TreeMap<>(before);
      expected.keySet().removeIf(of(topics.get("expires")).or(of(topics.get("doomed"))));
      expected.keySet().removeIf(of(topics.get("compacted")).or(orphan.value()::equals));
      assertThat(lasting(objects)).as("what stays is as it was").containsAllEntriesOf(expected);
      assertThat(Clients.read(at, "stays", 0)).hasSize((int) end);
      assertThat(Clients.offset(at, "expires", OffsetSpec.earliest())).isPositive();
      verify(objects);
      node.kill();
    }
    verify(objects);
  }

  /** Four topics with segments in the tier, and a backup that knows them. */
  private Map<String, Uuid> fill(String at) throws Exception {
    Map<String, String> small = Map.of("segment.bytes", "1048576", "retention.ms", "-1");
    Map<String, Uuid> ids = new HashMap<>();
    List<String> topics = List.of("expires", "doomed", "stays", "compacted");
    for (String topic : topics) {
      Clients.create(at, topic, 1, small);
      Clients.produce(at, topic, 0, 2_500);
    }
    for (String topic : topics) {
      Clients.until(
          "segments of " + topic + " in the tier",
          () -> Clients.offset(at, topic, OffsetSpec.latestTiered()) >= 1_800);
    }
    try (Admin admin = Clients.admin(at)) {
      admin
          .describeTopics(topics)
          .allTopicNames()
          .get(30, TimeUnit.SECONDS)
          .forEach((topic, description) -> ids.put(topic, description.topicId()));
    }
    Clients.until(
        "a backup that knows all topics",
        () ->
            restore("--dry-run", "--store", "file:" + dir.resolve("objects")).stream()
                .anyMatch(line -> line.startsWith("stays-0: offsets 0 to")));
    return ids;
  }

  /** A topic made after the backup; what has no name of ours; an orphan of ours. */
  private void putWhatIsNotInTheMetadata(Path objects, ObjectKey orphan) throws Exception {
    String cluster = Files.readAllLines(objects.resolve("owner")).get(0);
    try (CraftedTier tier = new CraftedTier(objects, dir)) {
      SimpleRecord record = new SimpleRecord(1L, "k".getBytes(StandardCharsets.UTF_8));
      tier.put(orphan, "in no manifest");
      tier.put(ObjectKey.of("notes/of-somebody-else.txt"), "of no name of ours");
      tier.add(
          new TopicIdPartition(UNKNOWN, new TopicPartition("later", 0)),
          cluster,
          0,
          new CraftedTier.Content(
              List.of(MemoryRecords.withRecords(0, Compression.NONE, 0, record)),
              List.of(),
              CraftedTier.snapshot(Map.of())));
    }
  }

  /** The metadata is lost, and what is left of the logs says whose they were. */
  private void anEmptyClusterOfTheSameIdDeletesNothing(Path objects) throws Exception {
    Path home = dir.resolve("empty");
    Files.createDirectories(home.resolve("data"));
    Files.copy(
        dir.resolve("lost/data/meta.properties"), home.resolve("data").resolve("meta.properties"));
    Map<String, String> settings = settings(objects);
    settings.put("metadata.log.dir", home.resolve("metadata").toString());
    Map<String, String> before = notOfTheCluster(objects);
    try (BrokerProcess empty = BrokerProcess.start(home, settings);
        Admin admin = Clients.admin(empty.bootstrap())) {
      assertThat(admin.listTopics().names().get(30, TimeUnit.SECONDS)).isEmpty();
      String at = empty.bootstrap();
      Clients.create(at, "stays", 1, Map.of("segment.bytes", "1048576"));
      Clients.produce(at, "stays", 0, 1_500);
      Clients.until(
          "a segment of the new topic in the tier",
          () -> Clients.offset(at, "stays", OffsetSpec.latestTiered()) > 0);
      admin.deleteTopics(List.of("stays")).all().get(30, TimeUnit.SECONDS);
      Clients.until(
          "its deletion", () -> empty.metric("strandline_tiering_deleted_segments_total") > 0);
      empty.kill();
    }
    assertThat(notOfTheCluster(objects)).containsAllEntriesOf(before);
  }

  private static void force(String at) throws Exception {
    try (Admin admin = Clients.admin(at)) {
      admin
          .incrementalAlterConfigs(
              Map.of(
                  topic("expires"), List.of(set("retention.ms", "1000")),
                  topic("compacted"), List.of(set("cleanup.policy", "compact"))))
          .all()
          .get(30, TimeUnit.SECONDS);
      admin.deleteTopics(List.of("doomed")).all().get(30, TimeUnit.SECONDS);
    }
  }

  private static ConfigResource topic(String name) {
    return new ConfigResource(ConfigResource.Type.TOPIC, name);
  }

  private static AlterConfigOp set(String key, String value) {
    return new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
  }

  /** All but what a cluster writes for itself: backups, probes. */
  private static Map<String, String> notOfTheCluster(Path objects) throws IOException {
    Map<String, String> found = files(objects);
    found
        .keySet()
        .removeIf(
            key -> key.startsWith("metadata/") || key.startsWith("~") || key.contains("probe"));
    return found;
  }

  /** And but manifests that go on to be written. */
  private static Map<String, String> lasting(Path objects) throws IOException {
    Map<String, String> found = notOfTheCluster(objects);
    found.keySet().removeIf(key -> key.contains("/manifest/") && !key.contains(UNKNOWN.toString()));
    return found;
  }

  /** Every file below, with its length and time. */
  private static Map<String, String> files(Path root) throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.filter(Files::isRegularFile).toList()) {
        String state = Files.size(path) + " " + Files.getLastModifiedTime(path);
        files.put(root.relativize(path).toString().replace("+/", "/"), state);
      }
    }
    return files;
  }

  private static List<String> segments(Path objects, Uuid topic) throws IOException {
    return files(objects).keySet().stream().filter(of(topic)).toList();
  }

  private static Predicate<String> of(Uuid topic) {
    return key -> key.endsWith(".seg") && key.contains("/" + topic + "/");
  }

  private void verify(Path objects) throws Exception {
    ToolProcess.Ended ended =
        ToolProcess.run(
            dir, Map.of(), "tier", "verify", "--store", "file:" + objects, "--grace", "PT0S");
    assertThat(ended.exitCode()).as("%s%n%s", ended.out(), ended.err()).isZero();
  }

  private Path data() {
    return dir.resolve("data");
  }

  private List<String> restore(String... options) throws Exception {
    return RestoreRun.run(dir, Map.of(), options);
  }

  private static Map<String, String> settings(Path objects) {
    Map<String, String> settings = new HashMap<>();
    settings.put("strandline.object.store", "file:" + objects);
    settings.put("strandline.tier.check.ms", "200");
    settings.put("strandline.tier.gather.ms", "0");
    settings.put("strandline.tier.reclaim.ms", "500");
    settings.put("strandline.tier.grace.ms", "0");
    settings.put("strandline.scrub.list.ms", "1000");
    settings.put("strandline.scrub.grace.ms", "1000");
    settings.put("log.cleaner.backoff.ms", "500");
    settings.put("strandline.metadata.backup.ms", "500");
    settings.put("offsets.topic.num.partitions", "1");
    return settings;
  }
}
