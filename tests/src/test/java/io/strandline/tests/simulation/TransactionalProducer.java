package io.strandline.tests.simulation;

import io.strandline.broker.log.Appended;
import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.partition.Partition;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.jspecify.annotations.Nullable;

/**
 * A transactional producer and its coordinator, which is always there and forgets nothing: one
 * transaction after another, of an epoch each (version 2, KIP-890), each batch sent again until it
 * is acknowledged or given up, each marker until it is acknowledged; all of it late, lost or
 * doubled.
 */
final class TransactionalProducer {
  private static final short ALL = -1;
  private static final short VERSION = 2;
  private static final int PATIENCE_MS = 700;

  private final ReplicationWorld world;
  private final Random random;
  private final long id;
  private final List<String> acknowledged = new ArrayList<>();
  private short epoch;
  private int sequence;
  private int batchesLeft;
  private boolean ongoing;
  private boolean ending;
  private boolean commits;
  private SimpleRecord @Nullable [] batch;
  private int attempt;
  private boolean stopped;

  TransactionalProducer(long id, ReplicationWorld world) {
    this.id = id;
    this.world = world;
    this.random = world.random;
  }

  boolean idle() {
    return !ongoing;
  }

  /** Begins no other one. */
  void stop() {
    stopped = true;
  }

  void begin() {
    again(random.nextInt(400));
  }

  private void again(int ms) {
    var unused = world.time.schedule(this::step, ms, TimeUnit.MILLISECONDS);
  }

  private void step() {
    if (!ongoing) {
      if (stopped) {
        return;
      }
      ongoing = true;
      ending = false;
      commits = random.nextInt(3) > 0;
      batchesLeft = 1 + random.nextInt(3);
      acknowledged.clear();
      sequence = 0;
    }
    boolean gaveUp = batch != null && random.nextInt(12) == 0;
    if (!ending && (gaveUp || (batch == null && batchesLeft == 0))) {
      end(commits && !gaveUp);
    }
    if (ending) {
      short of = epoch;
      boolean commit = commits;
      send(target -> mark(target, of, commit));
      return;
    }
    if (batch == null) {
      batch = world.records("t", 1 + random.nextInt(3));
      batchesLeft--;
    }
    SimpleRecord[] records = batch;
    short of = epoch;
    int first = sequence;
    send(target -> verified(target, records, of, first));
  }

  private void end(boolean commit) {
    ending = true;
    commits = commit;
    batch = null;
    world.trace.add((commit ? "commit " : "abort ") + id + " " + epoch);
    world.checks.transactions.decided(id, epoch, commit, acknowledged);
  }

  /** To whom is taken for the leader, and again if nothing comes back. */
  private void send(Function<BrokerLife, CompletableFuture<Appended>> request) {
    int mine = ++attempt;
    BrokerLife target = world.takenForLeader();
    if (target != null) {
      world.network.send(
          SimulatedNetwork.CLIENT,
          target.id,
          target.process,
          () -> world.guard(target.disk, () -> arrive(target, request, mine)));
    }
    var unused =
        world.time.schedule(
            () -> {
              if (attempt == mine) {
                step();
              }
            },
            target == null ? 40 : PATIENCE_MS,
            TimeUnit.MILLISECONDS);
  }

  private void arrive(
      BrokerLife target, Function<BrokerLife, CompletableFuture<Appended>> request, int mine) {
    CompletableFuture<Appended> appended;
    try {
      appended = request.apply(target);
    } catch (ApiException refused) {
      appended = CompletableFuture.failedFuture(refused);
    }
    var unused =
        appended.whenComplete(
            (done, failure) ->
                world.guard(
                    target.disk,
                    () ->
                        world.network.send(
                            target.id,
                            SimulatedNetwork.CLIENT,
                            Runnable::run,
                            () -> answered(target, mine, failure))));
  }

  // ---- at the leader

  /** The leader asks the coordinator before a transaction begins there (KIP-890). */
  private CompletableFuture<Appended> verified(
      BrokerLife target, SimpleRecord[] records, short of, int first) {
    return leader(target)
        .verify(id, of, first, true)
        .thenCompose(
            guard ->
                guard.equals(VerificationGuard.SENTINEL)
                    ? append(target, records, of, first, guard)
                    : later(target, () -> asked(target, records, of, first, guard)));
  }

  private CompletableFuture<Appended> asked(
      BrokerLife target, SimpleRecord[] records, short of, int first, VerificationGuard guard) {
    if (!ongoing || ending || of != epoch) {
      throw new InvalidTxnStateException(id + " " + of + " is not ongoing");
    }
    return later(target, () -> append(target, records, of, first, guard));
  }

  private interface Work {
    CompletableFuture<Appended> go();
  }

  private CompletableFuture<Appended> later(BrokerLife target, Work work) {
    CompletableFuture<Void> then = new CompletableFuture<>();
    var unused =
        target.process.schedule(
            () -> world.guard(target.disk, () -> then.complete(null)),
            random.nextInt(40),
            TimeUnit.MILLISECONDS);
    return then.thenCompose(now -> work.go());
  }

  private CompletableFuture<Appended> append(
      BrokerLife target, SimpleRecord[] records, short of, int first, VerificationGuard guard) {
    MemoryRecords batches =
        MemoryRecords.withTransactionalRecords(Compression.NONE, id, of, first, records);
    return leader(target)
        .append(
            batches,
            ALL,
            new AppendTerms(
                AppendTerms.PRESENT_EPOCH,
                AppendOrigin.CLIENT,
                guard,
                AppendTerms.CLIENT.transactionVersion()))
        .acknowledged();
  }

  private CompletableFuture<Appended> mark(BrokerLife target, short of, boolean commit) {
    ControlRecordType type = commit ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
    return leader(target)
        .append(
            MemoryRecords.withEndTransactionMarker(
                world.time.millis(), id, (short) (of + 1), new EndTransactionMarker(type, 0)),
            ALL,
            new AppendTerms(
                AppendTerms.PRESENT_EPOCH,
                AppendOrigin.COORDINATOR,
                VerificationGuard.SENTINEL,
                VERSION))
        .acknowledged();
  }

  private static Partition leader(BrokerLife target) {
    return target.partitions.leaderOrThrow(SimulatedCluster.PARTITION);
  }

  // ---- answers

  private void answered(BrokerLife target, int mine, @Nullable Throwable failure) {
    if (mine != attempt) {
      return;
    }
    attempt++;
    if (failure != null) {
      Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
      world.trace.add(
          "transaction "
              + id
              + " "
              + epoch
              + " at "
              + target.id
              + ": "
              + (cause == null ? failure : cause).getClass().getSimpleName());
      if (cause instanceof OutOfOrderSequenceException) {
        world.lacks(target, cause);
      }
    } else if (ending) {
      ongoing = false;
      epoch++;
    } else if (batch != null) {
      for (SimpleRecord record : batch) {
        acknowledged.add(History.name(record.value(), record.headers()));
      }
      sequence += batch.length;
      batch = null;
    }
    again(random.nextInt(failure == null ? 60 : 80));
  }
}
