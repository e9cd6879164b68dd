package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An orderly stop and what comes after it; two processes for one place. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class CleanRestartTest {
  private static final long SEED = 7;

  @TempDir Path dir;

  @Test
  void anOrderlyStopNeedsNoRecoveryAndOffsetsGoOn() throws Exception {
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings())) {
      TopicPartition partition = Topics.create(broker.bootstrap(), "stopped");
      long end;
      int epoch;
      try (NumberedWriter writer = new NumberedWriter(broker.bootstrap(), partition, SEED)) {
        writer.awaitMore(1_000);
        end = writer.acknowledged().size();
        epoch = leaderEpoch(broker, partition);
        assertThat(broker.stop()).as("exit code").isZero();
        broker.startAgain();
        assertThat(opened(broker)).last().asString().contains("state=\"clean\"");
        assertThat(scannedBytes(broker)).isZero();
        writer.awaitMore(1_000);
        writer.finish();
        NumberedReader.verify(broker.bootstrap(), partition, SEED, writer.acknowledged());
      }
      assertThat(leaderEpoch(broker, partition)).isGreaterThanOrEqualTo(epoch);
      assertThat(Topics.offset(broker.bootstrap(), partition, OffsetSpec.latest()))
          .isGreaterThan(end);
      broker.kill();
      broker.startAgain();
      assertThat(opened(broker)).last().asString().contains("state=\"recovered\"");
      assertThat(scannedBytes(broker)).as("after a kill").isPositive();
    }
  }

  @Test
  void aDirectoryInUseAndAPortInUseRefuseTheStart() throws Exception {
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings())) {
      Map<String, String> sameDirectory = settings();
      sameDirectory.put("log.dirs", broker.dir().resolve("data").toString());
      BrokerProcess.Refusal directory =
          BrokerProcess.startRefused(dir.resolve("second"), sameDirectory, Map.of());
      assertThat(directory.exitCode()).isEqualTo(1);
      assertThat(directory.said()).singleElement().asString().contains("in use by another process");
      Map<String, String> samePort = settings();
      samePort.put("listeners", "PLAINTEXT://" + broker.bootstrap());
      samePort.put("strandline.object.store", "file:" + dir.resolve("third-objects"));
      BrokerProcess.Refusal port =
          BrokerProcess.startRefused(dir.resolve("third"), samePort, Map.of());
      assertThat(port.exitCode()).isEqualTo(1);
      assertThat(port.said())
          .singleElement()
          .asString()
          .contains(broker.bootstrap().substring("127.0.0.1:".length()))
          .contains("listeners");
      assertThat(broker.alive()).isTrue();
      assertThat(broker.admin("/readyz").status()).isEqualTo(200);
    }
  }

  private Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    return settings;
  }

  private static List<String> opened(BrokerProcess broker) throws IOException {
    return broker.output().lines().filter(line -> line.contains(" opened path=")).toList();
  }

  private static double scannedBytes(BrokerProcess broker) throws IOException {
    return broker.metric("strandline_log_recovery_scanned_bytes_total");
  }

  private static int leaderEpoch(BrokerProcess broker, TopicPartition partition) throws Exception {
    try (Admin admin = Topics.admin(broker.bootstrap())) {
      return admin
          .listOffsets(Map.of(partition, OffsetSpec.latest()))
          .partitionResult(partition)
          .get(30, TimeUnit.SECONDS)
          .leaderEpoch()
          .orElseThrow();
    }
  }
}
