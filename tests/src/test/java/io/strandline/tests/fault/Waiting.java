package io.strandline.tests.fault;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Waits for what must come true. */
public final class Waiting {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  private Waiting() {}

  /** A condition that may fail while what it asks is away. */
  public interface Condition {
    boolean met() throws Exception;
  }

  /** Looks until it is met; an exception of the last look is the cause of the failure. */
  public static void until(String what, Condition condition) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      Exception why = null;
      try {
        if (condition.met()) {
          return;
        }
      } catch (Exception e) {
        why = e;
      }
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what, why);
      }
      LockSupport.parkNanos(20_000_000L);
    }
  }
}
