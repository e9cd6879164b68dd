package io.strandline.tests.simulation;

import io.strandline.broker.log.Appended;
import io.strandline.broker.partition.PendingAppend;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;

/**
 * An idempotent producer with acks=all and one batch in flight, sent again until it is
 * acknowledged; and one with acks=1 and without memory, whose records may be lost with a leader,
 * and so make tails that nobody else has.
 */
final class ReplicatedProducer {
  private static final long PRODUCER = 77;
  private static final short ALL = -1;
  private static final int PATIENCE_MS = 700;

  private final ReplicationWorld world;
  private final Random random;
  private SimpleRecord @Nullable [] batch;
  private int sequence;
  private int attempt;
  private boolean stopped;

  ReplicatedProducer(ReplicationWorld world) {
    this.world = world;
    this.random = world.random;
  }

  boolean idle() {
    return batch == null;
  }

  void stop() {
    stopped = true;
  }

  void begin() {
    again(0);
    hurried();
  }

  private void again(int ms) {
    var unused = world.time.schedule(this::send, ms, TimeUnit.MILLISECONDS);
  }

  private void send() {
    if (batch == null && stopped) {
      return;
    }
    SimpleRecord[] records = batch == null ? world.records("v", 1 + random.nextInt(4)) : batch;
    batch = records;
    int mine = ++attempt;
    int first = sequence;
    BrokerLife target = world.takenForLeader();
    if (target != null) {
      world.network.send(
          SimulatedNetwork.CLIENT,
          target.id,
          target.process,
          () -> world.guard(target.disk, () -> arrive(target, records, first, mine)));
    }
    var unused =
        world.time.schedule(
            () -> {
              if (attempt == mine) {
                send();
              }
            },
            target == null ? 40 : PATIENCE_MS,
            TimeUnit.MILLISECONDS);
  }

  private void arrive(BrokerLife target, SimpleRecord[] records, int first, int mine) {
    try {
      PendingAppend pending =
          target
              .partitions
              .leaderOrThrow(SimulatedCluster.PARTITION)
              .append(
                  MemoryRecords.withIdempotentRecords(
                      Compression.NONE, PRODUCER, (short) 0, first, records),
                  ALL);
      var unused =
          pending
              .acknowledged()
              .whenComplete((appended, failure) -> answer(target, mine, appended, failure));
    } catch (ApiException refused) {
      answer(target, mine, null, refused);
    }
  }

  private void answer(
      BrokerLife target, int mine, @Nullable Appended appended, @Nullable Throwable failure) {
    world.guard(
        target.disk,
        () ->
            world.network.send(
                target.id,
                SimulatedNetwork.CLIENT,
                Runnable::run,
                () -> answered(target, mine, appended, failure)));
  }

  private void answered(
      BrokerLife target, int mine, @Nullable Appended appended, @Nullable Throwable failure) {
    SimpleRecord[] records = batch;
    if (mine != attempt || records == null) {
      return;
    }
    attempt++;
    if (appended != null) {
      List<SimpleRecord> all = List.of(records);
      world.trace.add("acknowledged " + appended.firstOffset() + " of " + all.size());
      world.guard(
          () -> {
            for (int i = 0; i < all.size(); i++) {
              world.checks.history.acknowledge(
                  History.name(all.get(i).value(), all.get(i).headers()),
                  appended.firstOffset() + i);
            }
          });
      sequence += all.size();
      batch = null;
    } else {
      Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
      world.trace.add("not acknowledged at " + target.id + ": " + name(cause));
      if (cause instanceof OutOfOrderSequenceException) {
        world.lacks(target, cause);
      }
    }
    again(random.nextInt(failure == null ? 25 : 60));
  }

  private static String name(@Nullable Throwable failure) {
    return failure == null ? "" : failure.getClass().getSimpleName();
  }

  /** Sends once, to whoever says that it leads, and forgets. */
  private void hurried() {
    if (stopped) {
      return;
    }
    BrokerLife target = world.takenForLeader();
    if (target != null && random.nextInt(3) == 0) {
      SimpleRecord[] records = world.records("h", 1 + random.nextInt(3));
      target.process.execute(
          () ->
              world.guard(
                  target.disk,
                  () -> {
                    try {
                      var unused =
                          target
                              .partitions
                              .leaderOrThrow(SimulatedCluster.PARTITION)
                              .append(
                                  MemoryRecords.withRecords(Compression.NONE, records), (short) 1);
                    } catch (ApiException refused) {
                      world.trace.add("refused by " + target.id + ": " + name(refused));
                    }
                  }));
    }
    var unused =
        world.time.schedule(this::hurried, 10 + random.nextInt(150), TimeUnit.MILLISECONDS);
  }
}
