package io.strandline.tests.simulation;

import io.strandline.broker.partition.FoundOffset;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.ReadRequest;
import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayRead;
import io.strandline.tests.simulation.History.Written;
import io.strandline.tests.simulation.Transactions.Aborted;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.jspecify.annotations.Nullable;

/**
 * A consumer that reads everything from offset 0 on, over and over, from whoever says that it leads
 * and sometimes from a follower, and asks where the end is.
 */
final class ReplicatedReader {
  private static final int READ_BYTES = 2_000;

  private final ReplicationWorld world;
  private final FetchIsolation isolation;
  private long offset;
  private int epoch = -1;
  private long latest;
  private int reads;
  private int cold;
  private boolean waiting;
  private int waits;
  private boolean lastly;
  private boolean through;

  /**
   * @param isolation the high watermark, or what is committed of transactions only
   */
  ReplicatedReader(ReplicationWorld world, FetchIsolation isolation) {
    this.world = world;
    this.isolation = isolation;
  }

  int reads() {
    return reads;
  }

  /** How many of them came from the tier. */
  int cold() {
    return cold;
  }

  void begin() {
    var unused =
        world.time.schedule(
            () -> {
              act();
              begin();
            },
            world.slowly(15 + world.random.nextInt(60)),
            TimeUnit.MILLISECONDS);
  }

  /** From the log's start to the end, from who leads, a last time. */
  void lastly() {
    lastly = true;
    offset = 0;
  }

  /** Whether it has come to the end since. */
  boolean through() {
    return through;
  }

  void act() {
    BrokerLife target =
        world.living(
            lastly ? world.quorum.state().leader() : world.random.nextInt(world.brokers.size()));
    if (waiting || target == null || !target.process.awake()) {
      return;
    }
    world.guard(
        target.disk,
        () -> {
          Partition there = target.partition().orElse(null);
          if (there == null) {
            return;
          }
          try {
            if (there.leads() && world.random.nextInt(3) == 0) {
              latest(there);
            } else {
              read(target, there);
            }
          } catch (OffsetOutOfRangeException beyond) {
            outOfRange(target, there, beyond);
          } catch (ApiException refused) {
            world.trace.add("reader: " + refused.getClass().getSimpleName());
          }
        });
  }

  /**
   * The end, as ListOffsets tells it (KIP-207): clients believe no leader of an earlier epoch than
   * one they have heard of.
   */
  private void latest(Partition there) {
    int of = there.leaderEpoch();
    if (of < epoch) {
      return;
    }
    FoundOffset end =
        there
            .offsetFor(ListOffsetsRequest.LATEST_TIMESTAMP, isolation, OptionalInt.empty())
            .exceptionally(notYet -> FoundOffset.NONE)
            .join();
    if (end.offset() < 0) {
      return;
    }
    world.trace.add("the end is " + end.offset() + " in epoch " + of);
    if (end.offset() < latest) {
      throw new AssertionError(
          "EndNeverFalls: it was "
              + latest
              + " in epoch "
              + epoch
              + " and is "
              + end.offset()
              + " in "
              + of);
    }
    epoch = of;
    latest = end.offset();
  }

  private void read(BrokerLife target, Partition there) {
    boolean committed = isolation == FetchIsolation.TXN_COMMITTED;
    if (committed && !ReplicaChecks.sure(there, there.highWatermark())) {
      return;
    }
    if (offset < there.logStartOffset()) {
      offset = there.logStartOffset();
    }
    long from = offset;
    boolean leads = there.leads() && there.leaderEpoch() >= epoch;
    PartitionRead read =
        there.readReplica(
            new ReadRequest(from, READ_BYTES, true, OptionalInt.empty(), isolation, "reader"));
    if (leads) {
      epoch = there.leaderEpoch();
    }
    take(target, from, read);
  }

  private void take(BrokerLife target, long from, PartitionRead read) {
    if (read instanceof PartitionRead.Hot hot) {
      try (var records = hot.read()) {
        List<AbortedTransaction> told = hot.aborted();
        List<Aborted> aborted =
            (told == null ? List.<AbortedTransaction>of() : told)
                .stream().map(t -> new Aborted(t.producerId(), t.firstOffset())).toList();
        arrived("hot", from, new Arrived(records.toMemory(), records.nextOffset(), aborted));
      }
    } else if (read instanceof PartitionRead.Old old) {
      waiting = true;
      var unused = old.read().whenComplete((found, failure) -> late(target, from, found, failure));
    } else if (read instanceof PartitionRead.Cold tier) {
      waiting = true;
      var unused = tier.read().whenComplete((found, failure) -> late(target, from, found, failure));
    }
    if (waiting) {
      forgetIfDead(target, ++waits);
    }
  }

  /** A broker that dies meanwhile never answers. */
  private void forgetIfDead(BrokerLife target, int wait) {
    var unused =
        world.time.schedule(
            () -> {
              if (waiting && wait == waits) {
                waiting = target.process.alive();
                forgetIfDead(target, wait);
              }
            },
            1_000,
            TimeUnit.MILLISECONDS);
  }

  private void late(
      BrokerLife target, long from, @Nullable Object found, @Nullable Throwable failure) {
    world.guard(
        target.disk,
        () -> {
          waiting = false;
          if (from != offset) {
            return;
          }
          if (found instanceof ReplayRead history) {
            try (history) {
              cold++;
              List<Aborted> aborted =
                  history.abortedTransactions().stream()
                      .map(told -> new Aborted(told.producerId(), told.firstOffset()))
                      .toList();
              arrived(
                  "tier",
                  from,
                  new Arrived(SimulatedReader.copied(history), history.nextOffset(), aborted));
            }
          } else if (found instanceof PartitionRead read) {
            take(target, from, read);
          } else {
            failed(from, failure);
          }
        });
  }

  /** What was read, and what was told beside it of aborted transactions. */
  private record Arrived(MemoryRecords batches, long next, List<Aborted> aborted) {}

  private void arrived(String where, long from, Arrived read) {
    long next = read.next();
    History history = world.checks.history;
    if (next == from) {
      through |= lastly && from >= history.endOffset();
      offset = world.random.nextInt(8) == 0 ? again(history) : offset;
      return;
    }
    world.trace.add("read " + where + " " + from + " to " + next);
    if (next > history.endOffset()) {
      throw new AssertionError("ReadIsCommitted: " + where + " gave up to " + next);
    }
    if (isolation == FetchIsolation.TXN_COMMITTED) {
      world.checks.transactions.read(where, from, next, read.batches(), read.aborted());
    } else {
      Map<Long, Written> records = new TreeMap<>();
      History.collect(records, read.batches());
      history.compare(where, records, from, next);
    }
    reads++;
    offset = next;
  }

  /** From the first record, or from amidst some transaction. */
  private long again(History history) {
    return isolation == FetchIsolation.TXN_COMMITTED && history.endOffset() > 0
        ? (long) (world.random.nextDouble() * history.endOffset())
        : 0;
  }

  /** A follower may lag behind, and a leader that is none any more; the one that leads may not. */
  private void outOfRange(BrokerLife target, Partition there, Throwable why) {
    if (there.leads() && there.leaderEpoch() == world.quorum.state().leaderEpoch()) {
      throw new AssertionError(
          "AcknowledgedReadable: at the leader " + target.id + ", " + offset + ": " + why, why);
    }
  }

  private void failed(long from, @Nullable Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    boolean later =
        cause instanceof ReplayException replayed
            && replayed.kind() == ReplayException.Kind.UNAVAILABLE;
    if (!later) {
      throw new AssertionError("AcknowledgedReadable: history from " + from + ": " + cause, cause);
    }
  }
}
