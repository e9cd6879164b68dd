package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.ClusterTopics;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tests.store.S3MockProcess;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The store is away, or slow, for one of three brokers and not for the others: what it leads goes
 * on to be written and read, what others lead to be tiered, and whoever leads next brings the tier
 * up to date. In the end everything is there once, for readers and in the tier.
 *
 * <p>Crash model: none. On demand: {@code -Daway.rounds=N}.
 */
@Timeout(value = 30, unit = TimeUnit.MINUTES)
@EnabledIfSystemProperty(named = "away.rounds", matches = "[1-9][0-9]*")
class StoreAwayForOneTest {
  private static final String BUCKET = "strandline";
  private static final int ROUNDS = Integer.getInteger("away.rounds", 1);
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));
  private static final Map<String, String> ANY_KEYS =
      Map.of("AWS_ACCESS_KEY_ID", "any", "AWS_SECRET_ACCESS_KEY", "any-secret");
  private static final Set<Integer> ALL = Set.of(1, 2, 3);

  /** Whose store is disturbed. */
  private static final int CUT_OFF = 2;

  private static final TopicPartition THERE = new TopicPartition("there", 0);
  private static final TopicPartition ELSEWHERE = new TopicPartition("elsewhere", 0);

  /** Of records of two kilobytes on average, several segments. */
  private static final int A_LOT = 1_400;

  @TempDir Path dir;

  @Test
  void oneBrokerWithoutTheStoreHoldsNobodyUp() throws Exception {
    System.out.println("StoreAwayForOneTest: -Dfault.seed=" + SEED);
    try (S3MockProcess store = S3MockProcess.start(dir.resolve("s3"), BUCKET);
        StoreProxy proxy = new StoreProxy(store.endpoint(), SEED)) {
      try (TestCluster cluster = start(store, proxy)) {
        create(cluster, THERE, 2, 3, 1);
        create(cluster, ELSEWHERE, 3, 2, 1);
        try (NumberedWriter there = new NumberedWriter(cluster.bootstrap(), THERE, SEED);
            NumberedWriter elsewhere = new NumberedWriter(cluster.bootstrap(), ELSEWHERE, SEED)) {
          for (int i = 0; i < ROUNDS; i++) {
            round(cluster, proxy, there, elsewhere, i);
          }
          there.finish();
          elsewhere.finish();
          NumberedReader.verify(cluster.bootstrap(), THERE, SEED, there.acknowledged());
          NumberedReader.verify(cluster.bootstrap(), ELSEWHERE, SEED, elsewhere.acknowledged());
        }
      }
      ToolProcess.Ended verified =
          ToolProcess.run(dir, ANY_KEYS, "tier", "verify", "--store", uri(store.endpoint()));
      assertThat(verified.exitCode()).as("%s%n%s", verified.out(), verified.err()).isZero();
    }
  }

  private static void round(
      TestCluster cluster,
      StoreProxy proxy,
      NumberedWriter there,
      NumberedWriter elsewhere,
      int round)
      throws Exception {
    there.awaitMore(A_LOT);
    elsewhere.awaitMore(A_LOT);
    awaitTiered(cluster, THERE, there.acknowledged().size() - A_LOT / 2);
    awaitTiered(cluster, ELSEWHERE, elsewhere.acknowledged().size() - A_LOT / 2);

    proxy.serve(round % 2 == 0 ? StoreProxy.Mode.REFUSE : StoreProxy.Mode.HOLD);
    served(cluster, there);
    served(cluster, elsewhere);
    awaitTiered(cluster, ELSEWHERE, elsewhere.acknowledged().size() - A_LOT / 2);
    long before = tieredEnd(cluster, THERE);
    Waiting.until(
        "the lag is told where it is", () -> lagBytes(cluster, CUT_OFF) > A_LOT * 1_000L / 2);
    Waiting.until("another has none", () -> lagBytes(cluster, 3) == 0);
    joins(cluster, new TopicPartition("local-" + round, 0));
    assertThat(before).as("tiered").isLessThan(there.acknowledged().size() - A_LOT / 2);

    ClusterTopics.move(cluster, THERE, 3, 2, 1);
    served(cluster, there);
    awaitTiered(cluster, THERE, there.acknowledged().size() - A_LOT / 2);
    Waiting.until("nothing waits there", () -> lagBytes(cluster, CUT_OFF) == 0);

    ClusterTopics.move(cluster, THERE, 2, 3, 1); // which leads again, and sees nothing still
    served(cluster, there);
    proxy.serve(StoreProxy.Mode.SLOW);
    served(cluster, there);
    awaitTiered(cluster, THERE, there.acknowledged().size() - A_LOT / 2);
    proxy.serve(StoreProxy.Mode.PASS);
    ClusterTopics.awaitInSync(cluster, THERE, ALL);
    ClusterTopics.awaitInSync(cluster, ELSEWHERE, ALL);
  }

  /** A new replica where the store is away copies what its leader has, as far as that has all. */
  private static void joins(TestCluster cluster, TopicPartition local) throws Exception {
    ClusterTopics.create(cluster, local.topic(), Map.of(0, List.of(3, 1)), Map.of());
    try (NumberedWriter writer = new NumberedWriter(cluster.bootstrap(), local, SEED)) {
      writer.awaitMore(A_LOT);
      ClusterTopics.move(cluster, local, 3, 1, CUT_OFF);
      ClusterTopics.awaitInSync(cluster, local, ALL);
      ClusterTopics.move(cluster, local, CUT_OFF, 1, 3);
      writer.awaitMore(A_LOT);
      writer.finish();
      NumberedReader.verify(cluster.bootstrap(), local, SEED, writer.acknowledged());
    }
  }

  /** Writes with acks=all, and reads that at the leader. */
  private static void served(TestCluster cluster, NumberedWriter writer) throws Exception {
    int from = writer.acknowledged().size();
    writer.awaitMore(A_LOT);
    try (NumberedReader hot = new NumberedReader(cluster.bootstrap(), writer.partition(), SEED)) {
      hot.seekTo(from + A_LOT / 2);
      hot.readTo(from + A_LOT);
    }
  }

  private TestCluster start(S3MockProcess store, StoreProxy proxy) throws Exception {
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", uri(store.endpoint()));
    settings.put("strandline.store.timeout.ms", "1000");
    settings.put("strandline.cache.disk.bytes", "0");
    Blueprint blueprint =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(3, 2)
            .set(settings)
            .set(CUT_OFF, "strandline.object.store", uri(proxy.endpoint()));
    ALL.forEach(
        node -> ANY_KEYS.forEach((name, value) -> blueprint.environment(node, name, value)));
    return blueprint.start();
  }

  private static String uri(String endpoint) {
    return "s3://" + BUCKET + "/one?region=us-east-1&endpoint=" + endpoint;
  }

  /** Whoever is named first leads. */
  private static void create(TestCluster cluster, TopicPartition partition, Integer... brokers)
      throws Exception {
    ClusterTopics.create(
        cluster,
        partition.topic(),
        Map.of(0, List.of(brokers)),
        Map.of(
            "segment.bytes",
            Integer.toString(Topics.SEGMENT_BYTES),
            "local.retention.bytes",
            Integer.toString(Topics.SEGMENT_BYTES)));
  }

  private static void awaitTiered(TestCluster cluster, TopicPartition partition, long offset) {
    Waiting.until(
        partition + " tiered up to " + offset, () -> tieredEnd(cluster, partition) >= offset);
  }

  /** As the leader tells clients (KIP-1005). */
  private static long tieredEnd(TestCluster cluster, TopicPartition partition) throws Exception {
    return cluster
            .admin()
            .listOffsets(Map.of(partition, OffsetSpec.latestTiered()))
            .partitionResult(partition)
            .get(30, TimeUnit.SECONDS)
            .offset()
        + 1;
  }

  private static double lagBytes(TestCluster cluster, int node) throws Exception {
    return cluster.node(node).metric("strandline_tiering_lag_bytes");
  }
}
