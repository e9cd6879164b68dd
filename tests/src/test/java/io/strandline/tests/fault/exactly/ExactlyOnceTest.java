package io.strandline.tests.fault.exactly;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Transactional and plain producers, members of groups that make records into others, readers of
 * both isolations, all at once, while the broker is killed and paused; then {@link Checker} looks
 * at what all of them saw. Longer: {@code -Dexactly.rounds=N}; again: {@code -Dfault.seed=S}. Crash
 * model: process.
 */
@Timeout(value = 6, unit = TimeUnit.HOURS)
class ExactlyOnceTest {
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));
  private static final int ROUNDS = Integer.getInteger("exactly.rounds", 2);
  private static final int TRANSACTIONS_PER_ROUND = 60;

  @TempDir Path dir;

  private final Random random = new Random(SEED);

  private static Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>();
    settings.put("transaction.state.log.num.partitions", "3");
    settings.put("offsets.topic.num.partitions", "3");
    settings.put("group.initial.rebalance.delay.ms", "0");
    settings.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500");
    settings.put("log.retention.check.interval.ms", "500");
    settings.put("log.segment.delete.delay.ms", "500");
    settings.put("strandline.tier.check.ms", "200");
    settings.put("strandline.tier.reclaim.ms", "1000");
    return settings;
  }

  @Test
  void whatAllClientsSawIsWhatKafkaPromises() throws Exception {
    Map<String, String> settings = settings();
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings)) {
      run(broker);
    }
  }

  private void run(BrokerProcess broker) throws Exception {
    System.out.println("ExactlyOnceTest: -Dfault.seed=" + SEED + " -Dexactly.rounds=" + ROUNDS);
    try (Workload workload = new Workload(broker.bootstrap(), "", random, Map.of())) {
      for (int round = 0; round < ROUNDS; round++) {
        workload.awaitTransactions(
            TRANSACTIONS_PER_ROUND / 2 + random.nextInt(TRANSACTIONS_PER_ROUND));
        shake(broker, round);
      }
      workload.awaitTransactions(TRANSACTIONS_PER_ROUND / 2);
      workload.finish();
      workload.assertTiered();
    }
  }

  private void shake(BrokerProcess broker, int round) throws IOException, InterruptedException {
    if (round % 3 == 1) {
      broker.pause();
      LockSupport.parkNanos((500 + random.nextInt(7_000)) * 1_000_000L);
      broker.resume();
    } else {
      broker.kill();
      broker.startAgain();
    }
  }
}
