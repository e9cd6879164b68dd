package io.strandline.broker.partition.owner;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One at a time, in order, none lost, whatever throws. */
class MailboxTest {
  private final List<String> log = new ArrayList<>();

  @Test
  void aTaskThatCannotSayWhetherItBlocksDoesNotKeepTheToken() {
    Mailbox mailbox = new Mailbox(Runnable::run, () -> {});
    mailbox.submit(
        new Mailbox.Task() {
          @Override
          public boolean inline() {
            throw new IllegalArgumentException("for the test");
          }

          @Override
          public void run() {
            log.add("ran");
          }
        });
    mailbox.submitInline(() -> log.add("next"));
    assertThat(log).containsExactly("ran", "next");
  }

  @Test
  void whatThrowsDoesNotStopWhatFollows() {
    AtomicInteger rests = new AtomicInteger();
    Mailbox mailbox =
        new Mailbox(
            Runnable::run,
            () -> {
              if (rests.getAndIncrement() == 0) {
                throw new IllegalStateException("for the test");
              }
            });
    mailbox.submitInline(
        () -> {
          mailbox.after(
              () -> {
                throw new AssertionError("for the test");
              });
          mailbox.after(() -> log.add("told"));
          throw new AssertionError("for the test");
        });
    mailbox.submitInline(() -> log.add("next"));
    assertThat(log).containsExactly("told", "next");
  }

  /** A pool that has no thread for a task may have queued it all the same. */
  @Test
  void aPoolThatFailsDoesNotKeepTheToken() {
    List<Runnable> kept = new ArrayList<>();
    Mailbox mailbox =
        new Mailbox(
            drain -> {
              kept.add(drain);
              throw new InternalError("for the test");
            },
            () -> log.add("at rest"));
    mailbox.submitSlow(() -> log.add("ran"));
    mailbox.submitInline(() -> log.add("next"));
    List<String> before = List.copyOf(log);
    assertThat(before).containsExactly("at rest", "ran", "at rest", "next", "at rest");
    kept.forEach(Runnable::run);
    assertThat(log).isEqualTo(before);
  }

  /** The pool may carry a task out before the thread that passed it on has gone on. */
  @Test
  void whatIsToldAfterwardsIsToldOnceByTheThreadThatGatheredIt() {
    Mailbox mailbox =
        new Mailbox(
            drain -> {
              log.add("passed on");
              drain.run();
              log.add("drained");
            },
            () -> {});
    mailbox.submitSlow(() -> mailbox.after(() -> log.add("told")));
    assertThat(log).containsExactly("passed on", "told", "drained");
  }

  @Test
  @Timeout(60)
  void noneIsLostBetweenThreadsThatMayAndMayNotBlock() throws Exception {
    int threads = 4;
    int each = 20_000;
    ExecutorService slow = Executors.newFixedThreadPool(2);
    ExecutorService loops = Executors.newFixedThreadPool(threads);
    int[] last = new int[threads];
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger broken = new AtomicInteger();
    CountDownLatch told = new CountDownLatch(threads * each);
    Mailbox mailbox = new Mailbox(slow, () -> {});
    for (int t = 0; t < threads; t++) {
      int thread = t;
      loops.execute(
          () -> {
            for (int i = 1; i <= each; i++) {
              int number = i;
              Runnable step =
                  () -> {
                    if (inside.getAndIncrement() != 0 || last[thread] != number - 1) {
                      broken.incrementAndGet();
                    }
                    last[thread] = number;
                    inside.decrementAndGet();
                    mailbox.after(told::countDown);
                  };
              if (number % 97 == 0) {
                mailbox.submitSlow(step);
              } else {
                mailbox.submitInline(step);
              }
            }
          });
    }
    told.await();
    loops.shutdown();
    slow.shutdown();
    assertThat(broken).hasValue(0);
    assertThat(last).containsOnly(each);
  }
}
