package io.strandline.tests.fault;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what must come true. */
public final class Waiting {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  private Waiting() {}

  /** A condition that may fail while what it asks is away. */
  public interface Condition {
    boolean met() throws Exception;
  }

  /**
   * Polls until it is enough. Any error ends it: a client that is to bear one does so by itself,
   * and what it tells its application is a failure.
   */
  public static void polling(String what, BooleanSupplier enough) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!enough.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("polled in vain for " + what);
      }
    }
  }

  /**
   * Looks until it is met; an exception of the last look is the cause of the failure. Not for
   * clients whose errors count: see {@link #polling}.
   */
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
