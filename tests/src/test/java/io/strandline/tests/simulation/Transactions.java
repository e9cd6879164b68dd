package io.strandline.tests.simulation;

import io.strandline.tests.simulation.History.Written;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * Invariant 6: what the committed log says of transactions, held against what their coordinator
 * decided, and what readers of what is committed must be given by it.
 */
final class Transactions {
  /** A producer's, of one epoch; its marker has the next one (transactions of version 2). */
  private record Name(long producer, int epoch) {}

  /** How one ends: all of these records, or none of them. */
  private record Decision(boolean commits, List<String> values) {}

  /** What tells of an aborted one, wherever it does. */
  record Aborted(long producer, long firstOffset) {}

  /** Offsets, the last one excluded. */
  record Range(long from, long to) {}

  /** One as far as the log is committed. */
  private static final class Transaction {
    private final Name name;
    private final long firstOffset;
    private final List<String> values = new ArrayList<>();
    private long markerOffset = Long.MAX_VALUE;

    Transaction(Name name, long firstOffset) {
      this.name = name;
      this.firstOffset = firstOffset;
    }

    boolean meant(Aborted told, long firstThere) {
      return told.producer() == name.producer()
          && told.firstOffset() >= firstOffset
          && told.firstOffset() <= firstThere;
    }

    @Override
    public String toString() {
      return name + " from " + firstOffset + " to " + markerOffset;
    }
  }

  private final History history;
  private final Map<Name, Decision> decisions = new HashMap<>();
  private final Map<Long, Transaction> open = new HashMap<>();
  private final Set<Name> ended = new HashSet<>();
  private final List<Transaction> all = new ArrayList<>();
  private final NavigableMap<Long, Transaction> byOffset = new TreeMap<>();

  Transactions(History history) {
    this.history = history;
  }

  /** The coordinator's word, before anyone writes a marker. */
  void decided(long producer, int epoch, boolean commits, List<String> acknowledged) {
    decisions.put(new Name(producer, epoch), new Decision(commits, List.copyOf(acknowledged)));
  }

  int ended() {
    return ended.size();
  }

  int aborted() {
    return (int) all.stream().filter(this::aborted).count();
  }

  // ---- the log

  /** Each batch once, in order, when all of it is committed. */
  void committed(RecordBatch batch) {
    if (batch.isControlBatch()) {
      marker(batch, batch.iterator().next());
    } else if (batch.isTransactional()) {
      data(batch);
    }
  }

  private void data(RecordBatch batch) {
    Name name = new Name(batch.producerId(), batch.producerEpoch());
    if (ended.contains(name)) {
      throw new AssertionError("NothingAfterItsEnd: of " + name + " at " + batch.baseOffset());
    }
    Transaction transaction = open.get(name.producer());
    if (transaction == null) {
      transaction = new Transaction(name, batch.baseOffset());
      open.put(name.producer(), transaction);
      all.add(transaction);
    }
    if (!transaction.name.equals(name)) {
      throw new AssertionError("OneAtATime: " + name + " while there is " + transaction.name);
    }
    for (Record record : batch) {
      byOffset.put(record.offset(), transaction);
      transaction.values.add(History.name(record.value(), record.headers()));
    }
  }

  /** One written twice is lawful, and ends nothing. */
  private void marker(RecordBatch batch, Record record) {
    Name name = new Name(batch.producerId(), batch.producerEpoch() - 1);
    Decision decision = decisions.get(name);
    boolean commits = ControlRecordType.parse(record.key()) == ControlRecordType.COMMIT;
    if (decision == null || decision.commits() != commits) {
      throw new AssertionError(
          "EndsAsDecided: " + name + " by a marker at " + record.offset() + ", not " + decision);
    }
    Transaction transaction = open.get(name.producer());
    if (transaction != null && !transaction.name.equals(name)) {
      throw new AssertionError(
          "EndsAsDecided: the marker of " + name + " at " + record.offset() + " ends another");
    }
    boolean first = ended.add(name);
    List<String> there = transaction == null ? List.of() : transaction.values;
    if (first && commits && !there.equals(decision.values())) {
      throw new AssertionError(
          "CommittedWhole: of " + name + " there is " + there + ", not " + decision.values());
    }
    if (transaction != null) {
      open.remove(name.producer());
      transaction.markerOffset = record.offset();
    }
  }

  /**
   * The last stable offset by what is below this high watermark, itself at or below what is
   * committed.
   */
  long stableOffset(long mark) {
    return all.stream()
        .filter(transaction -> transaction.markerOffset >= mark)
        .mapToLong(transaction -> transaction.firstOffset)
        .reduce(mark, Math::min);
  }

  /** The same by what the coordinator has decided: no replica may believe in a higher one. */
  long decidedOffset(long mark) {
    return all.stream()
        .filter(transaction -> !decisions.containsKey(transaction.name))
        .mapToLong(transaction -> transaction.firstOffset)
        .reduce(mark, Math::min);
  }

  private boolean aborted(Transaction transaction) {
    Decision decision = decisions.get(transaction.name);
    return decision != null && !decision.commits();
  }

  // ---- lists of aborted transactions

  /**
   * What a log or a segment says of a range of its own. A log whose start came back after a power
   * cut may not know the first offset of what began below: then it tells of what it has.
   *
   * @param decided whether it may tell of what the coordinator has decided, marker or not
   * @param sure whether it may not tell of any other
   */
  void listed(String who, List<Aborted> told, Range range, boolean decided, boolean sure) {
    Map<Transaction, Long> firstThere = new LinkedHashMap<>();
    byOffset
        .subMap(range.from(), range.to())
        .forEach((offset, transaction) -> firstThere.putIfAbsent(transaction, offset));
    firstThere.forEach(
        (transaction, first) -> {
          boolean is = told.stream().anyMatch(one -> transaction.meant(one, first));
          boolean ended = decided || transaction.markerOffset < range.to();
          boolean must = ended && aborted(transaction);
          boolean mayNot = sure && !aborted(transaction);
          if ((must && !is) || (mayNot && is)) {
            throw new AssertionError(
                "AbortedAreListed: "
                    + who
                    + " tells "
                    + told
                    + " of "
                    + range
                    + ", there is "
                    + transaction);
          }
        });
  }

  // ---- readers

  /**
   * Holds a read of what is committed to it: exactly the records outside of transactions and those
   * of committed ones, up to nothing that is not decided.
   */
  void read(String where, long from, long next, MemoryRecords batches, List<Aborted> aborted) {
    long decided = decidedOffset(history.endOffset());
    if (next > decided) {
      throw new AssertionError(
          "ReadIsDecided: " + where + " gave up to " + next + " of " + decided);
    }
    Map<Long, Written> seen = seen(batches, aborted);
    seen.keySet().removeIf(offset -> offset < from);
    Map<Long, Written> wanted = new TreeMap<>();
    history
        .committed()
        .subMap(Math.max(from, history.startOffset()), next)
        .forEach(
            (offset, written) -> {
              Transaction of = byOffset.get(offset);
              if (!History.marker(written) && (of == null || !aborted(of))) {
                wanted.put(offset, written);
              }
            });
    if (!seen.equals(wanted)) {
      throw new AssertionError(
          "CommittedIsRead: "
              + where
              + " from "
              + from
              + " to "
              + next
              + " gave "
              + seen
              + ", not "
              + wanted
              + ", telling "
              + aborted);
    }
  }

  /** What Kafka's consumer makes of it (KIP-98). */
  private static Map<Long, Written> seen(MemoryRecords batches, List<Aborted> told) {
    PriorityQueue<Aborted> aborted =
        new PriorityQueue<>(Comparator.comparingLong(Aborted::firstOffset));
    aborted.addAll(told);
    Set<Long> skipped = new HashSet<>();
    Map<Long, Written> seen = new TreeMap<>();
    for (RecordBatch batch : batches.batches()) {
      for (Aborted next = aborted.peek(); begins(next, batch); next = aborted.peek()) {
        skipped.add(aborted.remove().producer());
      }
      if (batch.isControlBatch()) {
        Record marker = batch.iterator().next();
        if (ControlRecordType.parse(marker.key()) == ControlRecordType.ABORT) {
          skipped.remove(batch.producerId());
        }
      } else if (!batch.isTransactional() || !skipped.contains(batch.producerId())) {
        History.collect(seen, batch);
      }
    }
    return seen;
  }

  private static boolean begins(@Nullable Aborted aborted, RecordBatch batch) {
    return aborted != null && aborted.firstOffset() <= batch.lastOffset();
  }
}
