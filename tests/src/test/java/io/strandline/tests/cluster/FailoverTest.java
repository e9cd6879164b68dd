package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * How long a partition is without a leader that acknowledges, after its leader was killed and after
 * it was paused, and how often a broker on a busy machine is taken for dead: figures, no judgement.
 *
 * <p>{@code -Dfailover.session.ms=9000,3000,1000 -Dfailover.rounds=5}; with {@code
 * -Dfailover.burn=N} that many threads compute beside.
 */
@Timeout(value = 2, unit = TimeUnit.HOURS)
@EnabledIfSystemProperty(named = "failover.session.ms", matches = ".+")
class FailoverTest {
  private static final short ALL = -1;
  private static final int ROUNDS = Integer.getInteger("failover.rounds", 3);
  private static final int BURN = Integer.getInteger("failover.burn", 0);
  private static final int QUIET_SECONDS = Integer.getInteger("failover.quiet.seconds", 0);
  private static final TopicPartition PARTITION = new TopicPartition("led", 0);
  private static final Set<Integer> BROKERS = Set.of(2, 3, 4);

  @TempDir Path dir;
  private volatile boolean over;

  @Test
  void tellsHowLongAPartitionIsWithoutALeader() throws Exception {
    for (int i = 0; i < BURN; i++) {
      Thread burner = new Thread(this::burn, "burner");
      burner.setDaemon(true);
      burner.start();
    }
    for (String sessionMs : System.getProperty("failover.session.ms").split(",")) {
      figures(Integer.parseInt(sessionMs));
    }
    over = true;
  }

  private void burn() {
    double sum = 0;
    while (!over) {
      sum += Math.sqrt(sum + 1);
    }
    System.out.println(sum > 0 ? "" : "never");
  }

  private void figures(int sessionMs) throws Exception {
    int heartbeatMs = Math.min(2_000, Math.max(200, sessionMs / 5));
    try (TestCluster cluster =
        new Blueprint(dir.resolve("session-" + sessionMs))
            .with(NodeRole.CONTROLLER, 1)
            .with(NodeRole.BROKER, 2, 3, 4)
            .replicas(3, 2)
            .set("broker.session.timeout.ms", Integer.toString(sessionMs))
            .set("broker.heartbeat.interval.ms", Integer.toString(heartbeatMs))
            .start()) {
      ClusterTopics.create(cluster, PARTITION.topic(), Map.of(0, List.of(2, 3, 4)), Map.of());
      ClusterTopics.awaitInSync(cluster, PARTITION, BROKERS);
      long fencedBefore = fencings(cluster);
      try (SteadyProducer load = new SteadyProducer(cluster.bootstrap(), PARTITION.topic(), 1)) {
        load.awaitMore(500);
        Thread.sleep(QUIET_SECONDS * 1_000L); // nobody is disturbed; who is taken for dead?
        long falseFencings = fencings(cluster) - fencedBefore;
        System.out.printf(
            "FailoverTest: session %d ms, heartbeat %d ms, %d burners: %d brokers taken for dead in"
                + " %d s%n",
            sessionMs, heartbeatMs, BURN, falseFencings, QUIET_SECONDS);
        tell(sessionMs, "kill -9", rounds(cluster, true));
        tell(sessionMs, "SIGSTOP", rounds(cluster, false));
        load.stop();
      }
    }
  }

  private static void tell(int sessionMs, String how, List<Long> all) {
    long[] sorted = all.stream().mapToLong(Long::longValue).sorted().toArray();
    System.out.printf(
        "FailoverTest: session %d ms, %s: median %d ms, all %s%n",
        sessionMs, how, sorted[sorted.length / 2], Arrays.toString(sorted));
  }

  private static List<Long> rounds(TestCluster cluster, boolean kill) throws Exception {
    List<Long> all = new ArrayList<>();
    for (int i = 0; i < ROUNDS; i++) {
      ClusterTopics.awaitInSync(cluster, PARTITION, BROKERS);
      int leader = ClusterTopics.leader(cluster, PARTITION);
      BrokerProcess dying = cluster.node(leader);
      long begin = System.nanoTime();
      if (kill) {
        dying.kill();
      } else {
        dying.pause();
      }
      awaitAcknowledged(cluster, leader);
      all.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
      if (kill) {
        dying.startAgain();
      } else {
        dying.resume();
      }
    }
    return all;
  }

  /** The others are asked in turn until one takes a record for all. */
  private static void awaitAcknowledged(TestCluster cluster, int without) throws Exception {
    List<Integer> others = BROKERS.stream().filter(broker -> broker != without).toList();
    try (OneBroker one = new OneBroker(cluster.bootstrap(others.get(0)));
        OneBroker other = new OneBroker(cluster.bootstrap(others.get(1)))) {
      Errors answer = Errors.NOT_LEADER_OR_FOLLOWER;
      for (int i = 0; answer != Errors.NONE; i++) {
        answer = (i % 2 == 0 ? one : other).produce(PARTITION, "probe", ALL, 30_000);
        Thread.sleep(5);
      }
      assertThat(answer).isEqualTo(Errors.NONE);
    }
  }

  /** Whoever was taken for dead has to be let in again: so often leaders have asked for that. */
  private static long fencings(TestCluster cluster) throws Exception {
    long all = 0;
    for (int broker : BROKERS) {
      all +=
          cluster
              .node(broker)
              .output()
              .lines()
              .filter(line -> line.contains(PARTITION + "\" state=\"expands"))
              .count();
    }
    return all;
  }
}
