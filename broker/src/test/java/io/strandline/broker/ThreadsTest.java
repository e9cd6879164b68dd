package io.strandline.broker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The threads on which coordinators load. */
@Timeout(60)
class ThreadsTest {
  @Test
  void aCoordinatorThatLoadsForLongOrHasEndedHoldsUpNoOther() throws Exception {
    try (Threads threads = new Threads()) {
      ScheduledExecutorService groups = threads.loading("groups");
      ScheduledExecutorService transactions = threads.loading("transactions");
      CountDownLatch read = new CountDownLatch(1);
      CountDownLatch reading = new CountDownLatch(1);
      groups.execute(
          () -> {
            reading.countDown();
            try {
              read.await();
            } catch (InterruptedException ended) {
              Thread.currentThread().interrupt();
            }
          });
      reading.await();
      assertThat(transactions.submit(() -> {})).succeedsWithin(Duration.ofSeconds(30));
      groups.shutdown();
      assertThat(transactions.submit(() -> {})).succeedsWithin(Duration.ofSeconds(30));
      read.countDown();
    }
  }
}
