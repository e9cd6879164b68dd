package io.strandline.tests.fault;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * How late a thread wakes up that wanted to sleep for a millisecond: what of a latency seen here is
 * the machine's and this process's, not the broker's.
 */
final class Lateness implements AutoCloseable {
  private static final long SLEEP_NANOS = 1_000_000;
  private static final long LONG_NANOS = 200_000_000;

  private final Supplier<String> phase;
  private final Map<String, ConcurrentLinkedQueue<Long>> late = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<String> longest = new ConcurrentLinkedQueue<>();
  private final Thread thread = new Thread(this::run, "lateness");
  private volatile boolean stopped;

  Lateness(Supplier<String> phase) {
    this.phase = phase;
    thread.start();
  }

  private void run() {
    while (!stopped) {
      long begin = System.nanoTime();
      LockSupport.parkNanos(SLEEP_NANOS);
      long nanos = System.nanoTime() - begin - SLEEP_NANOS;
      late.computeIfAbsent(phase.get(), any -> new ConcurrentLinkedQueue<>()).add(nanos);
      if (nanos > LONG_NANOS) {
        longest.add(Instant.now() + " " + nanos / 1_000_000 + " ms");
      }
    }
  }

  /** A line for people. */
  String told(String inPhase) {
    List<Long> all = new ArrayList<>(late.getOrDefault(inPhase, new ConcurrentLinkedQueue<>()));
    all.sort(null);
    return all.isEmpty()
        ? "not seen"
        : String.format(
            Locale.ROOT,
            "p99 %.1f ms, p99.9 %.1f ms, max %.0f ms",
            all.get(all.size() * 99 / 100) / 1e6,
            all.get(all.size() * 999 / 1000) / 1e6,
            all.get(all.size() - 1) / 1e6);
  }

  /** When it was a fifth of a second and more, and for how long. */
  List<String> longest() {
    return List.copyOf(longest);
  }

  @Override
  public void close() throws InterruptedException {
    stopped = true;
    thread.join();
  }
}
