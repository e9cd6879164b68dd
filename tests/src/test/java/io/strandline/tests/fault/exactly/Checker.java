package io.strandline.tests.fault.exactly;

import io.strandline.tests.fault.exactly.History.Offset;
import io.strandline.tests.fault.exactly.History.Reading;
import io.strandline.tests.fault.exactly.Violation.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/**
 * Holds a history against what Kafka promises of transactions: each is seen whole or not at all,
 * once, in its writer's order, where it was sent; what was read is what stays; what is made out of
 * what was read in one transaction with its offsets is made once.
 *
 * <p>Names of anomalies are those of Adya, Liskov and O'Neil, Generalized Isolation Level
 * Definitions (2000), read for logs as Jepsen's analyses of Redpanda and Bufstream do. Write cycles
 * (G0) are no violation: transactions that write to the same partitions lie between one another
 * there, in whichever order each partition got them; {@link #writeCycles} counts them. G1c is
 * looked for among reads alone for the same reason.
 */
final class Checker {
  private final History history;
  private final List<Violation> found = new ArrayList<>();

  private Checker(History history) {
    this.history = history;
  }

  static List<Violation> check(History history) {
    Checker checker = new Checker(history);
    checker.attempts();
    checker.order();
    checker.origin();
    history.readers().forEach(checker::reader);
    checker.circles();
    history.flows().forEach(checker::flow);
    checker.offsets();
    return checker.found;
  }

  private void add(Kind kind, String what) {
    found.add(new Violation(kind, what));
  }

  /** Each is there whole, once, or not at all, as its writer was told; not once, if it repeats. */
  private void attempts() {
    Map<String, Map<Integer, Integer>> there = counts(history.committed());
    history.attempts().values().forEach(attempt -> attempt(attempt, there));
    counts(history.all())
        .forEach(
            (id, counts) ->
                counts.forEach(
                    (index, count) -> {
                      if (count > 1 && !id.contains(Entry.REPEATS)) {
                        add(Kind.DUPLICATE, id + " record " + index + " " + count + " times");
                      }
                    }));
  }

  private void attempt(Attempt attempt, Map<String, Map<Integer, Integer>> there) {
    int present = there.getOrDefault(attempt.id(), Map.of()).size();
    int all = attempt.placed().size();
    switch (attempt.outcome()) {
      case COMMITTED -> {
        if (present < all) {
          add(Kind.LOST, attempt.id() + " has " + present + " of " + all);
        }
      }
      case ABORTED -> {
        if (present > 0) {
          add(Kind.ABORTED_READ, attempt.id() + " has " + present + " of " + all);
        }
      }
      case UNKNOWN -> {
        if (present > 0 && present < all) {
          add(Kind.TORN, attempt.id() + " has " + present + " of " + all);
        }
      }
    }
  }

  /** How often each index of each attempt is there. */
  private static Map<String, Map<Integer, Integer>> counts(Map<TopicPartition, List<Seen>> seen) {
    Map<String, Map<Integer, Integer>> counts = new HashMap<>();
    each(seen)
        .forEach(
            entry ->
                counts
                    .computeIfAbsent(entry.attempt(), id -> new HashMap<>())
                    .merge(entry.index(), 1, Integer::sum));
    return counts;
  }

  private static List<Entry> each(Map<TopicPartition, List<Seen>> seen) {
    return seen.values().stream().flatMap(Collection::stream).map(Seen::entry).toList();
  }

  private void order() {
    history
        .all()
        .forEach(
            (partition, records) -> {
              Map<String, Entry> last = new HashMap<>();
              for (Seen seen : records) {
                Entry entry = seen.entry();
                Entry before = last.put(entry.writer(), entry);
                if (before != null && later(before, entry) && !entry.repeats()) {
                  add(Kind.REORDERED, seen + " after " + before + " in " + partition);
                }
              }
            });
  }

  private static boolean later(Entry one, Entry other) {
    return one.number() > other.number()
        || (one.number() == other.number() && one.index() > other.index());
  }

  /** What is there was sent there. */
  private void origin() {
    history
        .all()
        .forEach(
            (partition, records) ->
                records.forEach(
                    seen -> {
                      Entry entry = seen.entry();
                      Attempt attempt = history.attempts().get(entry.attempt());
                      if (attempt == null
                          || entry.index() >= attempt.placed().size()
                          || !attempt.placed().get(entry.index()).equals(partition)) {
                        add(Kind.FOREIGN, seen + " in " + partition);
                      }
                    }));
    history
        .committed()
        .forEach(
            (partition, records) -> {
              Map<Long, String> all = byOffset(history.all().getOrDefault(partition, List.of()));
              records.stream()
                  .filter(seen -> !seen.value().equals(all.get(seen.offset())))
                  .forEach(seen -> add(Kind.UNSTABLE_READ, seen + " in " + partition));
            });
  }

  private static Map<Long, String> byOffset(List<Seen> records) {
    return records.stream().collect(Collectors.toMap(Seen::offset, Seen::value, (a, b) -> b));
  }

  private void reader(Reading reading) {
    Set<String> attempts =
        each(reading.seen()).stream().map(Entry::attempt).collect(Collectors.toSet());
    Map<TopicPartition, List<Seen>> ends = history.end(reading.isolation());
    reading
        .seen()
        .forEach(
            (partition, seen) ->
                seenStays(reading, partition, seen, ends.getOrDefault(partition, List.of())));
    ends.forEach(
        (partition, end) ->
            nothingSkipped(
                attempts, partition, reading.seen().getOrDefault(partition, List.of()), end));
  }

  private void seenStays(
      Reading reading, TopicPartition partition, List<Seen> records, List<Seen> end) {
    Map<Long, String> there = byOffset(end);
    long last = -1;
    for (Seen seen : records) {
      if (seen.offset() <= last) {
        add(Kind.REORDERED, seen + " given after offset " + last + " of " + partition);
      }
      last = Math.max(last, seen.offset());
      if (!seen.value().equals(there.get(seen.offset()))) {
        boolean aborted =
            reading.isolation() == IsolationLevel.READ_COMMITTED
                && !there.containsKey(seen.offset());
        add(aborted ? Kind.ABORTED_READ : Kind.UNSTABLE_READ, seen + " of " + partition);
      }
    }
  }

  private void nothingSkipped(
      Set<String> attempts, TopicPartition partition, List<Seen> records, List<Seen> end) {
    Set<Long> given = records.stream().map(Seen::offset).collect(Collectors.toSet());
    for (Seen seen : end) {
      if (!given.contains(seen.offset())) {
        boolean others = attempts.contains(seen.entry().attempt());
        add(others ? Kind.INTERMEDIATE_READ : Kind.SKIPPED, seen + " of " + partition);
      }
    }
  }

  /** Takes away what is made out of nothing that is left, until nothing goes; circles stay. */
  private void circles() {
    Map<String, Set<String>> reads = new HashMap<>();
    history.attempts().forEach((id, attempt) -> reads.put(id, new HashSet<>(attempt.reads())));
    Deque<String> free = new ArrayDeque<>();
    Map<String, List<String>> readBy = new HashMap<>();
    reads.forEach(
        (id, from) -> {
          from.retainAll(reads.keySet());
          from.forEach(source -> readBy.computeIfAbsent(source, s -> new ArrayList<>()).add(id));
          if (from.isEmpty()) {
            free.add(id);
          }
        });
    while (!free.isEmpty()) {
      String id = free.remove();
      reads.remove(id);
      for (String reader : readBy.getOrDefault(id, List.of())) {
        Set<String> from = reads.get(reader);
        if (from != null && from.remove(id) && from.isEmpty()) {
          free.add(reader);
        }
      }
    }
    if (!reads.isEmpty()) {
      add(Kind.CIRCULAR, reads.toString());
    }
  }

  private void flow(String from, String to) {
    Map<String, Integer> made = new HashMap<>();
    history
        .committed()
        .forEach(
            (partition, records) -> {
              if (partition.topic().equals(to)) {
                records.forEach(seen -> made.merge(seen.entry().source(), 1, Integer::sum));
              }
            });
    Map<String, Integer> outOfNothing = new HashMap<>(made);
    outOfNothing.remove("");
    history
        .committed()
        .forEach(
            (partition, records) -> {
              if (partition.topic().equals(from)) {
                for (Seen seen : records) {
                  once(partition, seen, made);
                  outOfNothing.remove(Entry.at(partition, seen.offset()));
                }
              }
            });
    outOfNothing.forEach(
        (source, times) ->
            add(Kind.ABORTED_READ, source + " is not committed and was made into " + times));
  }

  private void once(TopicPartition partition, Seen seen, Map<String, Integer> made) {
    int wanted = seen.entry().hops() < history.hopsMax() ? 1 : 0;
    int times = made.getOrDefault(Entry.at(partition, seen.offset()), 0);
    if (times != wanted) {
      add(Kind.NOT_ONCE, seen + " of " + partition + " was made into " + times);
    }
  }

  private void offsets() {
    Map<TopicPartition, Long> acknowledged = new HashMap<>();
    for (Offset offset : history.groups()) {
      long before = acknowledged.getOrDefault(offset.partition(), -1L);
      if (offset.acknowledged()) {
        acknowledged.put(offset.partition(), offset.offset());
      } else if (offset.offset() < before) {
        add(Kind.OFFSET_LOST, offset + " after " + before);
      }
    }
  }

  /** Pairs of attempts that two partitions hold in different orders: G0, which is lawful. */
  static long writeCycles(History history) {
    Map<TopicPartition, Map<String, Long>> first = new HashMap<>();
    history
        .committed()
        .forEach(
            (partition, records) ->
                records.forEach(
                    seen ->
                        first
                            .computeIfAbsent(partition, p -> new HashMap<>())
                            .putIfAbsent(seen.entry().attempt(), seen.offset())));
    Set<String> cycles = new HashSet<>();
    List<TopicPartition> partitions = List.copyOf(first.keySet());
    for (TopicPartition one : partitions) {
      for (TopicPartition other : partitions) {
        cycles.addAll(opposite(first.get(one), first.get(other)));
      }
    }
    return cycles.size();
  }

  /** Neighbours in one that are the other way round in the other. */
  private static List<String> opposite(Map<String, Long> one, Map<String, Long> other) {
    List<String> both =
        one.keySet().stream()
            .filter(other::containsKey)
            .sorted((a, b) -> Long.compare(one.get(a), one.get(b)))
            .toList();
    List<String> cycles = new ArrayList<>();
    for (int i = 1; i < both.size(); i++) {
      String a = both.get(i - 1);
      String b = both.get(i);
      if (other.get(a) > other.get(b)) {
        cycles.add(a.compareTo(b) < 0 ? a + " " + b : b + " " + a);
      }
    }
    return cycles;
  }
}
