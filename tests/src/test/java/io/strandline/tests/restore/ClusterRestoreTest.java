package io.strandline.tests.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.store.Bucket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** All disks of a cluster are lost; what is left is its bucket. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class ClusterRestoreTest {
  @TempDir Path dir;
  private Bucket bucket;

  @BeforeEach
  void place() {
    bucket = Bucket.of(dir.resolve("objects"));
  }

  @Test
  void aClusterComesBackFromItsBucketAloneAndDeletesNothing() throws Exception {
    Path old = dir.resolve("old");
    Path fresh = dir.resolve("new");
    String uri = bucket.uri();
    Map<String, TopicDescription> before;
    try (BrokerProcess broker = BrokerProcess.start(old, settings(uri), bucket.environment())) {
      fill(broker.bootstrap());
      Clients.until(
          "a backup that knows all topics",
          () -> restore("--dry-run", "--store", uri).contains("table-0: offsets 0 to"));
      before = describe(broker.bootstrap());
      Acls.deny(broker.bootstrap(), "table");
      Acls.denied(broker.bootstrap(), "table");
      Clients.until(
          "a backup that knows the ACLs",
          () -> restore("--dry-run", "--store", uri).contains(" 3 ACLs"));
      broker.kill();
    }
    String said =
        restore("--store", uri, "--dir", fresh.resolve("data").toString(), "--node-id", "7");
    int cut = tierEnd(said, "orders");
    assertThat(cut).isBetween(1_800, 3_000);
    assertThat(said).contains("empty-0: nothing in the store", "generation 1");
    Set<String> segments = objects(".seg");
    Map<String, String> settings = settings(uri);
    settings.put("node.id", "7");
    try (BrokerProcess broker = BrokerProcess.start(fresh, settings, bucket.environment())) {
      producersAreKnown(broker.bootstrap(), cut);
      clientsGoOn(broker.bootstrap(), before, cut);
      Acls.denied(broker.bootstrap(), "table");
      assertThat(objects(".seg"))
          .as("nothing of the lost cluster's is deleted")
          .containsAll(segments);
      anotherClusterIsRefused(uri);
      theLostClusterIsRefused(old, uri);
      Clients.until(
          "a backup of the restored cluster",
          () -> broker.metric("strandline_metadata_backups_total") > 0);
      assertThat(restore("--dry-run", "--store", uri)).contains("generation 2", "[7]");
    }
  }

  private static void fill(String at) throws Exception {
    Map<String, String> small = Map.of("segment.bytes", "1048576", "retention.ms", "86400000");
    Clients.create(at, "orders", 1, small);
    Clients.create(at, "table", 1, Map.of("segment.bytes", "1048576", "cleanup.policy", "compact"));
    Clients.create(at, "empty", 1, Map.of());
    Clients.produce(at, "orders", 0, 3_000);
    Clients.produce(at, "table", 0, 3_000);
    assertThat(Clients.consume(at, "readers", "orders", 400)).hasSize(400);
    assertThat(Clients.consumeAll(at, "ahead", "orders", 3_000)).isEqualTo(3_000);
    for (String topic : List.of("orders", "table")) {
      Clients.until(
          "two segments of " + topic + " in the tier",
          () -> Clients.offset(at, topic, OffsetSpec.latestTiered()) >= 1_800);
    }
    long offsets = Clients.offset(at, "__consumer_offsets", OffsetSpec.latest());
    Clients.until(
        "the group's offsets in the tier",
        () -> Clients.offset(at, "__consumer_offsets", OffsetSpec.latestTiered()) + 1 >= offsets);
  }

  /** Up to the tier's end, and nobody gets an id that was given out. */
  private static void producersAreKnown(String at, int cut) throws Exception {
    Clients.until("its log", () -> Clients.offset(at, "orders", OffsetSpec.latest()) == cut);
    try (Admin admin = Clients.admin(at)) {
      TopicPartition orders = new TopicPartition("orders", 0);
      assertThat(
              admin
                  .describeProducers(List.of(orders))
                  .partitionResult(orders)
                  .get(30, TimeUnit.SECONDS)
                  .activeProducers())
          .singleElement()
          .satisfies(producer -> assertThat(producer.lastSequence()).isEqualTo(cut - 1))
          .satisfies(producer -> assertThat(producer.producerId()).isLessThan(1_000_000));
      TopicPartition empty = new TopicPartition("empty", 0);
      Clients.produce(at, "empty", 0, 1);
      assertThat(
              admin
                  .describeProducers(List.of(empty))
                  .partitionResult(empty)
                  .get(30, TimeUnit.SECONDS)
                  .activeProducers())
          .singleElement()
          .satisfies(fresh -> assertThat(fresh.producerId()).isGreaterThanOrEqualTo(1_000_000));
    }
  }

  private static void clientsGoOn(String at, Map<String, TopicDescription> before, int cut)
      throws Exception {
    Clients.until("all logs", () -> Clients.offset(at, "orders", OffsetSpec.latest()) == cut);
    Map<String, TopicDescription> after = describe(at);
    assertThat(after.keySet()).isEqualTo(before.keySet());
    before.forEach((topic, was) -> assertThat(after.get(topic).topicId()).isEqualTo(was.topicId()));
    assertThat(config(at, "orders", "retention.ms")).isEqualTo("86400000");
    assertThat(Clients.committed(at, "readers", "orders")).isEqualTo(400);
    assertThat(Clients.consume(at, "readers", "orders", 3)).containsExactly(400, 401, 402);
    Clients.produce(at, "orders", 100_000, 100_005);
    TreeMap<Long, Integer> all = Clients.read(at, "orders", 0);
    assertThat(all.headMap((long) cut).values())
        .containsExactlyElementsOf(IntStream.range(0, cut).boxed().toList());
    assertThat(all.tailMap((long) cut).values())
        .containsExactlyElementsOf(IntStream.range(100_000, 100_005).boxed().toList());
    // Its group had read what is lost: the leader epoch it committed tells where to go on.
    assertThat(Clients.committed(at, "ahead", "orders")).isEqualTo(3_000);
    assertThat(Clients.consume(at, "ahead", "orders", 5))
        .containsExactlyElementsOf(IntStream.range(100_000, 100_005).boxed().toList());
    assertThat(Clients.read(at, "table", 0)).isNotEmpty();
    Clients.produce(at, "empty", 0, 5);
    assertThat(Clients.read(at, "empty", 0)).hasSize(1 + 5);
  }

  private void anotherClusterIsRefused(String uri) throws Exception {
    Set<String> there = objects("");
    BrokerProcess.Refusal refusal =
        BrokerProcess.startRefused(dir.resolve("other"), settings(uri), bucket.environment());
    assertThat(refusal.said()).singleElement().asString().contains("belongs to cluster");
    assertThat(objects("")).as("nothing deleted").containsAll(there);
  }

  private void theLostClusterIsRefused(Path old, String uri) throws Exception {
    BrokerProcess.Refusal refusal =
        BrokerProcess.startRefused(old, settings(uri), bucket.environment());
    assertThat(refusal.said()).singleElement().asString().contains("restored elsewhere");
  }

  private static int tierEnd(String said, String topic) {
    Matcher end =
        Pattern.compile(topic + "-0: offsets 0 to [0-9]+, goes on at ([0-9]+)").matcher(said);
    assertThat(end.find()).as(said).isTrue();
    return Integer.parseInt(end.group(1));
  }

  private static Map<String, TopicDescription> describe(String at) throws Exception {
    try (Admin admin = Clients.admin(at)) {
      return admin
          .describeTopics(List.of("orders", "table", "empty", "__consumer_offsets"))
          .allTopicNames()
          .get(30, TimeUnit.SECONDS);
    }
  }

  private static String config(String at, String topic, String key) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    try (Admin admin = Clients.admin(at)) {
      return admin
          .describeConfigs(List.of(resource))
          .all()
          .get(30, TimeUnit.SECONDS)
          .get(resource)
          .get(key)
          .value();
    }
  }

  /** Keys of the objects in the store whose names end so. */
  private Set<String> objects(String end) throws Exception {
    return bucket.objects().keySet().stream()
        .filter(name -> name.endsWith(end) && !name.contains("probe"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private String restore(String... options) throws Exception {
    return String.join("\n", RestoreRun.run(dir, bucket.environment(), options));
  }

  private static Map<String, String> settings(String uri) {
    Map<String, String> settings = new HashMap<>();
    settings.put("strandline.object.store", uri);
    settings.put("strandline.tier.check.ms", "200");
    settings.put("strandline.tier.gather.ms", "0");
    settings.put("strandline.tier.reclaim.ms", "500");
    settings.put("strandline.internal.backup.ms", "500");
    settings.put("strandline.metadata.backup.ms", "500");
    settings.put("offsets.topic.num.partitions", "1");
    settings.put(
        "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    settings.put("allow.everyone.if.no.acl.found", "true");
    return settings;
  }
}
