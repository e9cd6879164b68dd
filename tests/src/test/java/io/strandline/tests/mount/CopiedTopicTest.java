package io.strandline.tests.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A topic restored with its segments copied needs the other cluster's bucket no more. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class CopiedTopicTest {
  private static final TopicPartition TRIPS = new TopicPartition("trips", 0);

  @TempDir Path dir;

  @Test
  void onceItIsCopiedTheOtherBucketCanGo() throws Exception {
    try (TwoClusters clusters = new TwoClusters(dir)) {
      BrokerProcess here = clusters.here;
      TwoClusters.create(clusters.there, "trips", 3); // Nothing is ever sent to the last.
      TwoClusters.produce(clusters.there, "trips", 2, 0, 2_500);
      TwoClusters.until(
          "most of it is tiered",
          () -> TwoClusters.offset(clusters.there, TRIPS, OffsetSpec.latestTiered()) > 1_900);
      rest(clusters.there);
      TwoClusters.until(
          "a backup that knows the topic",
          () ->
              clusters
                  .tier(
                      "restore",
                      "plan",
                      "--from",
                      "file:" + clusters.theirObjects,
                      "--topic",
                      "trips")
                  .stream()
                  .anyMatch(line -> line.contains("7777")));
      clusters.there.kill();
      Map<String, String> before = TwoClusters.files(clusters.theirObjects);
      clusters.tier(
          "restore",
          "topic",
          "--copy",
          "--from",
          "file:" + clusters.theirObjects,
          "--topic",
          "trips",
          "--bootstrap",
          here.bootstrap(),
          "-c",
          "max.message.bytes=2000000");
      assertThat(partitions(here)).as("as there").isEqualTo(3);
      assertThat(config(here, "segment.bytes")).as("as there").isEqualTo("1048576");
      assertThat(config(here, "retention.ms")).as("as there").isEqualTo("-1");
      assertThat(config(here, "max.message.bytes")).as("as given").isEqualTo("2000000");
      TreeMap<Long, Integer> all = TwoClusters.read(here, TRIPS, 0);
      assertThat(all).hasSizeGreaterThan(1_900);
      TwoClusters.until("all is copied", () -> foreign(clusters) == 0);
      TwoClusters.until("it is told", () -> here.metric("strandline_mount_copying") == 0);
      assertThat(TwoClusters.files(clusters.theirObjects)).isEqualTo(before);
      delete(clusters.theirObjects);
      here.kill();
      delete(here.dir().resolve("data").resolve("trips-0"));
      here.startAgain();
      long end = all.lastKey() + 1;
      TwoClusters.until(
          "the log goes on without its source",
          () -> TwoClusters.offset(here, TRIPS, OffsetSpec.latest()) == end);
      assertThat(TwoClusters.read(here, TRIPS, 0)).isEqualTo(all);
      TwoClusters.produce(here, "trips", 2, 5_000, 7_500);
      TwoClusters.until(
          "its own segments follow",
          () -> TwoClusters.offset(here, TRIPS, OffsetSpec.latestTiered()) > end + 1_000);
      assertThat(TwoClusters.offset(here, TRIPS, OffsetSpec.latest())).isEqualTo(end + 2_500);
      assertThat(
              clusters.tier("verify", "--store", "file:" + clusters.ourObjects, "--grace", "P1D"))
          .anyMatch(line -> line.contains("sound"))
          .noneMatch(line -> line.contains("foreign"));
    }
  }

  /** As the source of a topic restored elsewhere has to; and what the backup is known by. */
  private static void rest(BrokerProcess at) throws Exception {
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "trips");
    List<AlterConfigOp> said =
        List.of(set("remote.storage.enable", "false"), set("index.interval.bytes", "7777"));
    try (Admin admin = TwoClusters.admin(at)) {
      admin.incrementalAlterConfigs(Map.of(topic, said)).all().get();
    }
  }

  private static AlterConfigOp set(String key, String value) {
    return new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
  }

  private static int partitions(BrokerProcess at) throws Exception {
    try (Admin admin = TwoClusters.admin(at)) {
      return admin
          .describeTopics(List.of("trips"))
          .allTopicNames()
          .get()
          .get("trips")
          .partitions()
          .size();
    }
  }

  private static String config(BrokerProcess at, String key) throws Exception {
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "trips");
    try (Admin admin = TwoClusters.admin(at)) {
      return admin.describeConfigs(List.of(topic)).all().get().get(topic).get(key).value();
    }
  }

  /** Segments of the topic that lie in the other cluster's store; -1 before there are any. */
  private static long foreign(TwoClusters clusters) throws Exception {
    List<String> lines =
        clusters.tier("ls", "--foreign", "--json", "--store", "file:" + clusters.ourObjects);
    long count = -1;
    for (String line : lines) {
      if (line.contains("\"trips\"")) {
        String number = line.replaceAll(".*\"foreign\":([0-9]+).*", "$1");
        count = Math.max(0, count) + Long.parseLong(number);
      }
    }
    return count;
  }

  private static void delete(Path root) throws Exception {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
