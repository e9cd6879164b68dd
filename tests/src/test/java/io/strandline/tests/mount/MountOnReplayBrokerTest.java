package io.strandline.tests.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A mounted topic by a replay broker, which hosts no partition of it. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class MountOnReplayBrokerTest {
  private static final TopicPartition THEIRS = new TopicPartition("trips", 0);
  private static final TopicPartition SHOWN = new TopicPartition("live", 0);
  private static final int RECORD = 2_000;

  @TempDir Path dir;

  @Test
  void itReadsTheOtherClustersStoreAndNotThroughTheLeader() throws Exception {
    String store = "file:" + dir.resolve("theirs");
    try (BrokerProcess there =
            BrokerProcess.start(dir.resolve("there"), TwoClusters.settings(store, ""));
        TestCluster here =
            new Blueprint(dir.resolve("here"))
                .with(NodeRole.COMBINED, 1)
                .with(NodeRole.REPLAY, 11)
                .replicas(1, 1)
                .set("strandline.mount.stores", store)
                .set("strandline.mount.refresh.ms", "200")
                .start()) {
      TwoClusters.create(there, "trips", 1);
      long first = tiered(there, 0, 1_500);
      mount(here, store);
      TwoClusters.until("it shows what is tiered", () -> end(here) >= first);
      double before = replayed(here, 1);
      try (KafkaConsumer<String, String> reader = TwoClusters.consumer(here.node(11), "none")) {
        reader.assign(List.of(SHOWN));
        reader.seek(SHOWN, 0);
        readTo(reader, end(here));
        assertThat(replayed(here, 1)).as("asked the leader for history").isEqualTo(before);
        assertThat(replayed(here, 11)).isGreaterThan((double) first * RECORD);

        long more = tiered(there, 1_500, 3_000);
        TwoClusters.until("it grows", () -> end(here) >= more);
        readTo(reader, more);
        assertThat(replayed(here, 11)).isGreaterThan((double) more * RECORD);
      }
    }
  }

  private static long tiered(BrokerProcess there, int from, int to) throws Exception {
    TwoClusters.produce(there, "trips", 1, from, to);
    TwoClusters.until(
        "most of it is tiered",
        () -> TwoClusters.offset(there, THEIRS, OffsetSpec.latestTiered()) > to - 600);
    return TwoClusters.offset(there, THEIRS, OffsetSpec.latestTiered()) + 1;
  }

  private static void mount(TestCluster at, String store) throws Exception {
    ToolProcess.Ended ended =
        ToolProcess.run(
            at.directory(1),
            Map.of(),
            "tier",
            "mount",
            "--from",
            store,
            "--topic",
            "trips",
            "--as",
            "live",
            "--bootstrap",
            at.bootstrap(1));
    assertThat(ended.exitCode()).as("%s%n%s", ended.out(), ended.err()).isZero();
  }

  private static long end(TestCluster at) throws Exception {
    return TwoClusters.offset(at.node(1), SHOWN, OffsetSpec.latest());
  }

  /** Bytes of history that a broker gave to readers. */
  private static double replayed(TestCluster at, int node) throws IOException {
    return at.node(node).metric("strandline_replay_bytes_total");
  }

  private static void readTo(KafkaConsumer<String, String> reader, long end) {
    TwoClusters.until(
        "all up to " + end,
        () -> {
          long next = reader.position(SHOWN);
          for (ConsumerRecord<String, String> r : reader.poll(Duration.ofMillis(200))) {
            assertThat(r.offset()).isEqualTo(next++);
            assertThat(TwoClusters.number(r)).isEqualTo((int) r.offset());
          }
          return reader.position(SHOWN) >= end;
        });
  }
}
