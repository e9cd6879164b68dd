package io.strandline.tests.simulation;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.partition.Partition;
import io.strandline.tests.simulation.ReplicationPlan.Kind;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.server.storage.log.FetchIsolation;
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
      int disks,
      int reassignments,
      int reads,
      int coldReads,
      int transactions,
      int aborted,
      int committedReads,
      int coldCommittedReads,
      int lost,
      int doubled,
      long trace) {}

  private final ReplicationWorld world;
  private final SimulatedTime time;
  private final Random random;
  private final ReplicatedProducer producer;
  private final ReplicatedReader reader;
  private final ReplicatedReader committedReader;
  private final List<TransactionalProducer> transactional;
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
    this.reader = new ReplicatedReader(world, FetchIsolation.HIGH_WATERMARK);
    this.committedReader = new ReplicatedReader(world, FetchIsolation.TXN_COMMITTED);
    this.transactional =
        List.of(new TransactionalProducer(100, world), new TransactionalProducer(101, world));
  }

  Outcome run() throws IOException {
    try {
      world.brokers.forEach(SimulatedBroker::boot);
      world.watch();
      producer.begin();
      reader.begin();
      committedReader.begin();
      transactional.forEach(TransactionalProducer::begin);
      var unused = time.schedule(this::chaos, 800, TimeUnit.MILLISECONDS);
      during(stormMs);
      settle();
      return new Outcome(
          world.checks.history.acknowledged(),
          world.checks.history.endOffset(),
          world.checks.newest().endOffset(),
          world.quorum.state().leaderEpoch(),
          world.brokers.stream().mapToInt(SimulatedBroker::lives).sum(),
          world.brokers.stream().mapToInt(SimulatedBroker::disksLost).sum(),
          world.quorum.reassignments(),
          reader.reads(),
          reader.cold(),
          world.checks.transactions.ended(),
          world.checks.transactions.aborted(),
          committedReader.reads(),
          committedReader.cold(),
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
    // What was held back in the storm is still to come; in some runs all of it.
    during(random.nextInt(8) == 0 ? 4_000 : 800);
    await("in sync", 7_000, this::notInSync);
    producer.stop();
    transactional.forEach(TransactionalProducer::stop);
    await("answered", 5_000, this::notAnswered);
    world.idle(true);
    await("alike", 5_000, () -> notInSync().or(this::notAlike));
    for (int id : world.quorum.state().replicas()) {
      BrokerLife there = Objects.requireNonNull(world.living(id));
      world.guard(there.disk, there.observer()::look);
    }
    world.throwIfViolated();
    reader.lastly();
    committedReader.lastly();
    await("read", 60_000, this::notRead);
  }

  /** What is still to come, if anything is. */
  private void await(String what, long limitMs, Supplier<Optional<String>> lacking) {
    long until = time.nanos() + limitMs * MS;
    Optional<String> still = lacking.get();
    while (still.isPresent() && time.nanos() < until) {
      during(100);
      still = lacking.get();
    }
    if (still.isPresent()) {
      throw new AssertionError(
          "Progress, " + what + ": " + still.get() + "\n" + world.standing() + world.trace.tail());
    }
  }

  private Optional<String> notInSync() {
    PartitionState state = world.quorum.state();
    if (state.isr().size() != state.replicas().size()) {
      return Optional.of("in sync " + state.isr() + " of " + state.replicas());
    }
    return state.reassigning() ? Optional.of("a reassignment is not over") : Optional.empty();
  }

  /** Nothing is in the way of readers any more. */
  private Optional<String> notRead() {
    reader.act();
    committedReader.act();
    return reader.through() && committedReader.through()
        ? Optional.empty()
        : Optional.of("a reader does not get from the log's start to its end");
  }

  private Optional<String> notAnswered() {
    if (!producer.idle()) {
      return Optional.of("a batch is still not acknowledged");
    }
    return transactional.stream().allMatch(TransactionalProducer::idle)
        ? Optional.empty()
        : Optional.of("a transaction is still open");
  }

  /** All there is committed everywhere, and everybody knows. */
  private Optional<String> notAlike() {
    long end = world.checks.history.endOffset();
    for (int id : world.quorum.state().replicas()) {
      BrokerLife there = world.living(id);
      Partition partition = there == null ? null : there.partition().orElse(null);
      if (partition == null) {
        return Optional.of("broker " + id + " has no replica");
      }
      if (partition.logEndOffset() != end) {
        return Optional.of(id + " ends at " + partition.logEndOffset() + ", committed to " + end);
      }
      if (partition.highWatermark() != end || partition.lastStableOffset() != end) {
        return Optional.of("the high watermark or last stable offset of " + id + " lags behind");
      }
    }
    return Optional.empty();
  }

  // ---- chaos

  private void chaos() {
    if (world.isQuiet()) {
      return;
    }
    int id = random.nextInt(world.brokers.size());
    BrokerLife there = world.living(id);
    int leader = world.quorum.state().leader();
    switch (random.nextInt(18)) {
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
      case 14, 15 -> depose();
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
    cutOff(id, random.nextInt(2_500) * MS, random.nextBoolean());
  }

  private void cutOff(int id, long nanos, boolean entirely) {
    world.network.cut(id, SimulatedNetwork.QUORUM, nanos);
    world.network.cut(SimulatedNetwork.QUORUM, id, nanos);
    if (entirely) {
      for (int other = 0; other < world.brokers.size(); other++) {
        world.network.cut(id, other, nanos);
        world.network.cut(other, id, nanos);
      }
    }
  }

  /**
   * The leader loses the quorum, perhaps the others too, but neither clients nor the store, where
   * what it writes arrives late: another leads meanwhile, and has written there.
   */
  private void depose() {
    int leader = world.quorum.state().leader();
    BrokerLife there = world.living(leader);
    if (there == null) {
      return;
    }
    long nanos = (400 + random.nextInt(2_600)) * MS;
    there.holdBack(nanos - random.nextInt(1_000) * MS);
    cutOff(leader, nanos, random.nextBoolean());
    var unused = time.schedule(this::handOver, random.nextInt(300), TimeUnit.MILLISECONDS);
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
