package io.strandline.tests.simulation;

import io.strandline.broker.partition.Partition;
import io.strandline.tests.simulation.ReplicationPlan.Kind;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A partition on several brokers, its leaders changing, its replicas moving, each machine dying as
 * it likes, every message late, lost or doubled. In the end all is quiet, and everyone must have
 * the same.
 */
final class ReplicationSimulation {
  private static final long MS = 1_000_000L;

  /** What came of a run; the same seed gives the same. */
  record Outcome(
      int acknowledged,
      long committed,
      long tierEnd,
      int epoch,
      int lives,
      int reassignments,
      int reads,
      int coldReads,
      int lost,
      int doubled,
      long trace) {}

  private final ReplicationWorld world;
  private final SimulatedTime time;
  private final Random random;
  private final ReplicatedProducer producer;
  private final ReplicatedReader reader;
  private final long stormMs;

  ReplicationSimulation(long seed, Kind kind, long stormMs, Path directory) throws IOException {
    this.random = new Random(seed);
    this.time = new SimulatedTime(random);
    this.stormMs = stormMs;
    this.world =
        new ReplicationWorld(
            ReplicationPlan.draw(kind, random),
            random,
            time,
            new MemoryObjectStore(Runnable::run, time),
            directory);
    this.producer = new ReplicatedProducer(world);
    this.reader = new ReplicatedReader(world);
  }

  Outcome run() throws IOException {
    try {
      world.brokers.forEach(SimulatedBroker::boot);
      world.watch();
      producer.begin();
      reader.begin();
      var unused = time.schedule(this::chaos, 800, TimeUnit.MILLISECONDS);
      during(stormMs);
      settle();
      return new Outcome(
          world.checks.history.acknowledged(),
          world.checks.history.endOffset(),
          world.checks.newest().endOffset(),
          world.quorum.state().leaderEpoch(),
          world.brokers.stream().mapToInt(SimulatedBroker::lives).sum(),
          world.quorum.reassignments(),
          reader.reads(),
          reader.cold(),
          world.network.lost(),
          world.network.doubled(),
          world.trace.hash());
    } finally {
      for (SimulatedBroker broker : world.brokers) {
        broker.close();
      }
    }
  }

  private void during(long ms) {
    long until = time.nanos() + ms * MS;
    while (time.nanos() < until && !world.violated()) {
      time.runFor(Math.min(200 * MS, until - time.nanos()));
    }
    world.throwIfViolated();
  }

  /** No faults any more: everyone comes back, catches up, is in sync. */
  private void settle() {
    world.quiet();
    during(7_000);
    producer.stop();
    world.idle(true);
    during(5_000);
    require(producer.idle(), "a batch is still not acknowledged");
    List<Integer> replicas = world.quorum.state().replicas();
    require(
        world.quorum.state().isr().size() == replicas.size(),
        "in sync " + world.quorum.state().isr() + " of " + replicas);
    require(!world.quorum.state().reassigning(), "a reassignment is not over");
    long end = -1;
    for (int id : replicas) {
      BrokerLife there = world.living(id);
      Partition partition = there == null ? null : there.partition().orElse(null);
      if (there == null || partition == null) {
        require(false, "broker " + id + " has no replica");
        return;
      }
      world.guard(there.disk, there.observer()::look);
      require(end < 0 || end == partition.logEndOffset(), "the logs end apart");
      end = partition.logEndOffset();
      require(partition.highWatermark() == end, "the high watermark of " + id + " lags behind");
    }
    require(end == world.checks.history.endOffset(), "not all is committed");
    world.throwIfViolated();
  }

  private void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError("Progress: " + what + "\n" + world.standing() + world.trace.tail());
    }
  }

  // ---- chaos

  private void chaos() {
    if (world.isQuiet()) {
      return;
    }
    int id = random.nextInt(world.brokers.size());
    BrokerLife there = world.living(id);
    int leader = world.quorum.state().leader();
    switch (random.nextInt(16)) {
      case 0, 1, 2 -> crash(id, there);
      case 3 -> crash(leader, world.living(leader));
      case 4, 5, 6 -> handOver();
      case 7 -> {
        handOver();
        var unused =
            time.schedule(
                () -> crash(leader, world.living(leader)),
                random.nextInt(60),
                TimeUnit.MILLISECONDS);
      }
      case 8, 9 -> cutOff(id);
      case 10 -> pairCut();
      case 11 -> {
        if (there != null) {
          world.trace.add("broker " + id + " sleeps");
          there.process.sleep(random.nextInt(3_000) * MS + 1);
        }
      }
      case 12 -> reassign();
      case 13 -> stopInOrder(id, there);
      default -> {}
    }
    var unused = time.schedule(this::chaos, 30 + random.nextInt(500), TimeUnit.MILLISECONDS);
  }

  private void crash(int id, @Nullable BrokerLife there) {
    if (there != null && world.mayCrash(id)) {
      there.disk.crash();
    }
  }

  private void handOver() {
    List<Integer> inSync = world.quorum.state().isr();
    if (!inSync.isEmpty()) {
      world.quorum.handOver(inSync.get(random.nextInt(inSync.size())));
    }
  }

  /** From the quorum: it hears nothing, and is fenced before long. */
  private void cutOff(int id) {
    long nanos = random.nextInt(2_500) * MS;
    world.network.cut(id, SimulatedNetwork.QUORUM, nanos);
    world.network.cut(SimulatedNetwork.QUORUM, id, nanos);
    if (random.nextBoolean()) {
      for (int other = 0; other < world.brokers.size(); other++) {
        world.network.cut(id, other, nanos);
        world.network.cut(other, id, nanos);
      }
    }
  }

  private void pairCut() {
    int from = random.nextInt(world.brokers.size());
    int to = random.nextInt(world.brokers.size());
    world.network.cut(from, to, random.nextInt(3_000) * MS);
  }

  private void reassign() {
    List<Integer> replicas = world.quorum.state().replicas();
    int to = random.nextInt(world.brokers.size());
    int from = replicas.get(random.nextInt(replicas.size()));
    world.quorum.reassign(from, to);
  }

  /** The quorum lets it go; it does so when it is awake, whatever else happens. */
  private void stopInOrder(int id, @Nullable BrokerLife there) {
    if (there == null || there.view.brokerEpoch() < 0) {
      return;
    }
    world.quorum.leave(id, there.view.brokerEpoch());
    stopLater(id, there);
  }

  private void stopLater(int id, BrokerLife there) {
    var unused =
        there.process.schedule(
            () -> world.brokers.get(id).stopInOrder(),
            50 + random.nextInt(400),
            TimeUnit.MILLISECONDS);
  }
}
