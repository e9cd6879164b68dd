package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The broker is killed again and again while it takes records, tiers and releases them, and at
 * times while it comes up. Crash model: process.
 */
class KillLoopTest {
  private static final int ROUNDS = Integer.getInteger("fault.rounds", 4);
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));

  @TempDir Path dir;

  @Test
  @Timeout(value = 60, unit = TimeUnit.MINUTES)
  void whatWasAcknowledgedIsThereOnceAndTheBucketHoldsNothingElse() throws Exception {
    System.out.println("KillLoopTest: -Dfault.seed=" + SEED + " -Dfault.rounds=" + ROUNDS);
    Random random = new Random(SEED);
    String store = "file:" + dir.resolve("objects");
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", store);
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings)) {
      TopicPartition partition = Topics.create(broker.bootstrap(), "killed");
      try (NumberedWriter writer = new NumberedWriter(broker.bootstrap(), partition, SEED)) {
        for (int round = 0; round < ROUNDS; round++) {
          writer.awaitMore(500 + random.nextInt(4_000));
          broker.kill();
          if (random.nextInt(3) == 0) {
            broker.startAndKillAfter(Duration.ofMillis(random.nextInt(4_000)));
          }
          broker.startAgain();
        }
        writer.awaitMore(1_000);
        writer.finish();
        NumberedReader.verify(broker.bootstrap(), partition, SEED, writer.acknowledged());
        Topics.awaitReleased(broker.bootstrap(), partition, writer.acknowledged().size() / 2);
      }
      Waiting.until(
          "an audit that finds nothing",
          () -> {
            Audit.Result audit = Audit.of(store);
            assertThat(audit.summary().segments()).isPositive();
            if (!audit.findings().isEmpty()) {
              throw new IllegalStateException(audit.findings().toString());
            }
            return true;
          });
      assertThat(broker.stop()).isZero();
      Audit.Result audit = Audit.of(store);
      System.out.println("KillLoopTest: " + audit.summary());
      assertThat(audit.findings()).isEmpty();
    }
  }
}
