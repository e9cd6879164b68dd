package io.strandline.tests.fault.exactly;

import io.strandline.tests.fault.exactly.Attempt.Outcome;
import io.strandline.tests.fault.exactly.History.Offset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What all writers know of their attempts. Thread-safe. */
final class Ledger {
  private final Map<String, Attempt> attempts = new ConcurrentHashMap<>();
  private final List<Offset> groups = new ArrayList<>();
  private final AtomicLong ended = new AtomicLong();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  /** Before the first record of it is sent; nothing is known of its end until it is told. */
  void begin(String id, List<TopicPartition> placed, Set<String> reads) {
    attempts.put(id, new Attempt(id, List.copyOf(placed), Outcome.UNKNOWN, Set.copyOf(reads)));
  }

  /** A transaction is over, for its writer. */
  void end(String id, Outcome outcome) {
    told(id, outcome);
    ended.incrementAndGet();
  }

  void told(String id, Outcome outcome) {
    attempts.computeIfPresent(
        id, (same, was) -> new Attempt(id, was.placed(), outcome, was.reads()));
  }

  synchronized void offset(Offset offset) {
    groups.add(offset);
  }

  synchronized List<Offset> groups() {
    return List.copyOf(groups);
  }

  Map<String, Attempt> attempts() {
    return Map.copyOf(attempts);
  }

  /** Transactions that are over, in whichever way. */
  long ended() {
    return ended.get();
  }

  long count(Outcome outcome) {
    return attempts.values().stream().filter(attempt -> attempt.outcome() == outcome).count();
  }

  /** A client met with what no client should meet. */
  void failed(Throwable thrown) {
    failure.compareAndSet(null, thrown);
  }

  void check() {
    Throwable thrown = failure.get();
    if (thrown != null) {
      throw new AssertionError("a client failed", thrown);
    }
  }
}
