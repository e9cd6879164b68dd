package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.FaultPlan;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One partition's replicas and its tier. Brokers append, replicate, seal, upload, commit, release,
 * expire; they die at a step of their disk, at a request to the store or at any time, sleep, lose
 * touch, and lead on when another already does. Others begin on what is left. In the end all is
 * quiet, and what remains must be in order.
 */
final class LogTierSimulation implements SimulatedMachine.World {
  private static final long MS = 1_000_000L;

  /**
   * How it is shaken.
   *
   * @param stormMs how long
   * @param atRandom whether chance decides what fails; else only the crash below happens
   * @param diskStep at which the first replica's first life ends; 0 for none
   * @param storeRequest likewise
   * @param tearing seed of what that crash leaves, where it is not at random
   */
  record Shaking(long stormMs, boolean atRandom, int diskStep, int storeRequest, long tearing) {
    static final Shaking RANDOM = new Shaking(22_000, true, 0, 0, 0);
  }

  /**
   * What came of a run; the same seed gives the same.
   *
   * @param mountReads by a cluster that shows the partition
   * @param restoredElsewhere how often it was restored in another cluster
   * @param cleaned offsets that are left and that compaction has passed; 0 where nothing is
   * @param stormSteps changes of the first replica's disk in its first life, until all was quiet
   * @param stormRequests to the store, likewise
   */
  record Outcome(
      int acknowledged,
      long version,
      long tierEnd,
      int lives,
      int elections,
      long cleaned,
      Misfortunes.Met met,
      int mountReads,
      int restoredElsewhere,
      int stormSteps,
      int stormRequests,
      long trace) {}

  private final LogTierPlan plan;
  private final Shaking shaking;
  private final SimulatedTime time;
  private final Random random;
  private final Random tearing;
  private final Trace trace;
  private final SimulatedCluster cluster;
  private final ObjectStore traced;
  private final LogTierChecks checks;
  private final PlantedDamage damage;
  private final ForeignObjects foreign;
  private final Misfortunes misfortunes;
  private final SimulatedClient client;
  private final List<SimulatedMachine> machines = new ArrayList<>();
  private final Map<Integer, SimulatedReader> readers = new HashMap<>();
  private final long[] deafUntil;
  private long cutUntil;
  private boolean quiet;
  private boolean clientStopped;
  private boolean topicDeleted;
  private int requests;
  private final Path directory;
  private final ObjectStore bucket;
  private final Optional<MountedElsewhere> mounted;
  private int restoredElsewhere;

  LogTierSimulation(long seed, LogTierPlan plan, Shaking shaking, Path directory)
      throws IOException {
    this.plan = plan;
    this.shaking = shaking;
    this.random = new Random(seed);
    this.tearing = shaking.atRandom() ? random : new Random(shaking.tearing());
    this.time = new SimulatedTime(random);
    this.trace = new Trace(time::nanos);
    this.cluster = new SimulatedCluster(plan, time, random, trace);
    this.directory = directory;
    this.bucket = new MemoryObjectStore(Runnable::run, time);
    this.foreign = new ForeignObjects(bucket);
    this.damage = new PlantedDamage(bucket, new Random(seed));
    this.checks =
        new LogTierChecks(
            cluster,
            bucket,
            StoreManifests.open(
                bucket,
                SimulatedCluster.manifestConfig(),
                new StoreManifests.Environment(
                    time, new Random(0), Runnable::run, new CompositeMeterRegistry())),
            damage);
    this.traced = new TracedStore(bucket, SimulatedCluster.PARTITION, trace, checks);
    this.client = new SimulatedClient(cluster);
    this.mounted =
        shaking.atRandom() && random.nextInt(4) == 0
            ? Optional.of(new MountedElsewhere(cluster, bucket, damage))
            : Optional.empty();
    this.misfortunes =
        new Misfortunes(
            shaking.atRandom() ? Misfortunes.Kind.of(seed, plan) : Misfortunes.Kind.NONE,
            plan,
            cluster,
            checks,
            damage,
            new SimulatedRestore(
                traced,
                StoreManifests.open(
                    traced,
                    SimulatedCluster.manifestConfig(),
                    new StoreManifests.Environment(
                        time, new Random(seed), Runnable::run, new CompositeMeterRegistry())),
                directory));
    this.deafUntil = new long[plan.replicas()];
    for (int id = 0; id < plan.replicas(); id++) {
      machines.add(new SimulatedMachine(id, cluster, this, directory, plan.model()));
    }
  }

  Outcome run() throws IOException {
    try {
      machines.forEach(SimulatedMachine::boot);
      produce();
      if (shaking.atRandom()) {
        chaos();
        misfortunes.schedule(machines, shaking.stormMs());
      }
      during(shaking.stormMs());
      int stormSteps = machines.get(0).firstLifeSteps();
      int stormRequests = requests;
      settle();
      ManifestView view = checks.newest();
      return new Outcome(
          cluster.history.acknowledged(),
          view.version(),
          view.endOffset(),
          machines.stream().mapToInt(SimulatedMachine::lives).sum(),
          cluster.epoch(),
          cluster.compacts() ? view.compaction().cleanedOffset() - view.startOffset() : 0,
          misfortunes.met(),
          mounted.map(MountedElsewhere::reads).orElse(0),
          restoredElsewhere,
          stormSteps,
          stormRequests,
          trace.hash());
    } finally {
      for (SimulatedMachine machine : machines) {
        machine.close();
      }
    }
  }

  private void during(long ms) {
    long until = time.nanos() + ms * MS;
    while (time.nanos() < until && !cluster.violated()) {
      time.runFor(Math.min(200 * MS, until - time.nanos()));
    }
    cluster.throwIfViolated();
  }

  /** No faults any more: everyone comes back, catches up, cleans up. */
  private void settle() throws IOException {
    quiet = true;
    misfortunes.end();
    during(10_000);
    clientStopped = true;
    during(6_000);
    require(client.idle(), "a batch is still not acknowledged");
    for (SimulatedMachine machine : machines) {
      boolean back = machine.replica() != null && cluster.inSync(machine.id);
      require(back, "replica " + machine.id + " is not back");
    }
    misfortunes.lastly();
    during(35_000);
    checkAll();
    SimulatedReplica leader = on(cluster.leader());
    if (leader != null) {
      misfortunes.settled(leader, this::during);
    }
    readThrough();
    checks.orphansGone();
    foreign.untouched();
    mounted.ifPresent(MountedElsewhere::end);
    switch (random.nextInt(4)) {
      case 0 -> deleteTopic();
      case 1 -> restoreElsewhere();
      default -> {}
    }
  }

  /** Nothing is in the way of a reader any more, unless what it reads was damaged. */
  private void readThrough() {
    SimulatedReplica leader = on(cluster.leader());
    if (leader == null || damage.count() > 0) {
      return;
    }
    SimulatedReader reader = Objects.requireNonNull(readers.get(leader.id));
    reader.beginAnew();
    for (int reads = 0; reads < 2_000 && !reader.through(); reads++) {
      cluster.guard(leader, reader::act);
      during(20);
    }
    require(reader.through(), "a reader does not get from the log's start to its end");
  }

  private void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError("Progress: " + what + "\n" + trace.tail());
    }
  }

  private void deleteTopic() {
    SimulatedReplica leader = on(cluster.leader());
    if (leader == null) {
      return;
    }
    trace.add("topic deleted");
    cluster.history.deleteBelow(Long.MAX_VALUE);
    topicDeleted = true;
    var unused = leader.deleteTier();
    during(60_000);
    checks.deletedIsGone();
    foreign.untouched();
  }

  /** Its cluster is gone for good, the bucket is there. */
  private void restoreElsewhere() throws IOException {
    if (!shaking.atRandom() || damage.count() > 0) {
      return; // of damage a reader is told here and there alike
    }
    for (SimulatedMachine machine : machines) {
      SimulatedReplica there = machine.replica();
      if (there != null) {
        there.process.die();
      }
    }
    during(7_000); // what is on its way arrives
    new RestoredElsewhere(cluster, bucket, checks.newest(), directory.resolve("elsewhere"))
        .run(this::during);
    restoredElsewhere++;
    foreign.untouched();
  }

  private void checkAll() {
    for (SimulatedMachine machine : machines) {
      SimulatedReplica there = machine.replica();
      if (there != null) {
        cluster.guard(there, () -> checks.replica(there));
      }
    }
    cluster.throwIfViolated();
  }

  private @Nullable SimulatedReplica on(int id) {
    return id < 0 || id >= machines.size() ? null : machines.get(id).replica();
  }

  // ---- the world of a machine

  @Override
  public int steps(int id, int life) {
    if (shaking.diskStep() > 0 && id == 0 && life == 0) {
      return shaking.diskStep();
    }
    if (quiet || !shaking.atRandom()) {
      return Integer.MAX_VALUE;
    }
    // Some die while they recover, some at a step of their work, the rest at any time.
    return switch (random.nextInt(4)) {
      case 0 -> 1 + random.nextInt(40);
      case 1 -> 1 + random.nextInt(400);
      default -> Integer.MAX_VALUE;
    };
  }

  @Override
  public Random tearing(int id, int life) {
    return id == 0 && life == 0 ? tearing : random;
  }

  @Override
  public boolean mayCrash(int id) {
    if (quiet) {
      return false;
    }
    int other = 1 - id;
    return !plan.oneAtATime() || (on(other) != null && cluster.inSync(other));
  }

  @Override
  public boolean losesDisk(int id) {
    return misfortunes.losesDisk();
  }

  @Override
  public void refilled(SimulatedReplica replica) {
    misfortunes.refilled(replica);
  }

  @Override
  public void segmentGone(SimulatedReplica replica) {
    time.execute(
        () -> {
          if (replica.process.alive()) {
            checks.seam(replica.log);
          }
        });
  }

  @Override
  public ObjectStore store(int id, int life, Runnable crash) {
    FaultPlan usual = FaultPlan.random(random, 0.05, Duration.ofMillis(200));
    FaultPlan mine =
        call -> {
          SimulatedReplica sender = on(id);
          if (call.operation().writes() && sender != null && sender.leads()) {
            checks.removes(sender);
          }
          if (id == 0 && life == 0 && ++requests == shaking.storeRequest()) {
            boolean arrives = tearing.nextBoolean();
            crash.run();
            return Fault.of(arrives ? Fault.Kind.NONE : Fault.Kind.LOST_REQUEST);
          }
          if (misfortunes.away(call)) {
            return Fault.of(Fault.Kind.LOST_REQUEST);
          }
          return quiet || !shaking.atRandom() ? Fault.NONE : late(call, usual.next(call));
        };
    return new FaultyObjectStore(traced, mine, time);
  }

  /** Now and then a write arrives when the world has moved on. */
  private Fault late(StoreCall call, Fault fault) {
    return call.operation().writes() && random.nextInt(100) == 0
        ? new Fault(fault.kind(), Duration.ofMillis(random.nextInt(6_000)), fault.after())
        : fault;
  }

  @Override
  public void born(SimulatedReplica replica) {
    SimulatedReader reader = new SimulatedReader(replica, cluster, damage);
    readers.put(replica.id, reader);
    every(replica, 30, 250, () -> listen(replica));
    every(replica, 20, 120, () -> fetch(replica));
    every(replica, 400, 600, replica::maintain);
    every(replica, 20, 150, () -> read(reader));
    every(replica, 500, 3_000, () -> checks.replica(replica));
  }

  private void every(
      SimulatedReplica replica, int minMs, int maxMs, SimulatedCluster.Action action) {
    var unused =
        replica.process.schedule(
            () -> {
              cluster.guard(replica, action);
              every(replica, minMs, maxMs, action);
            },
            slowly(minMs + random.nextInt(maxMs - minMs)),
            TimeUnit.MILLISECONDS);
  }

  /** When nothing happens any more, nobody needs to look often. */
  private int slowly(int ms) {
    return clientStopped ? 10 * ms : ms;
  }

  private void listen(SimulatedReplica replica) {
    if (time.nanos() >= deafUntil[replica.id] && cluster.leader() >= 0) {
      replica.become(cluster.leader(), cluster.epoch());
    }
  }

  private void read(SimulatedReader reader) {
    if (!topicDeleted) {
      reader.act();
    }
  }

  private void fetch(SimulatedReplica replica) {
    SimulatedReplica other = on(1 - replica.id);
    if (time.nanos() >= cutUntil && other != null && other.process.awake()) {
      replica.fetch(other);
      replica.fetch(other); // of short segments there are many
    }
  }

  // ---- clients and chaos

  private void produce() {
    int target = random.nextInt(6) == 0 ? random.nextInt(plan.replicas()) : cluster.leader();
    SimulatedReplica replica = on(target);
    boolean reachable = replica != null && replica.process.awake();
    boolean stop = clientStopped && client.idle();
    if (replica != null && reachable && !stop) {
      cluster.guard(replica, () -> client.act(replica));
    } else if (!stop) {
      client.act(null);
    }
    var unused =
        time.schedule(this::produce, slowly(5 + random.nextInt(60)), TimeUnit.MILLISECONDS);
  }

  private void chaos() {
    if (quiet) {
      return;
    }
    int id = random.nextInt(plan.replicas());
    SimulatedReplica replica = on(id);
    switch (random.nextInt(9)) {
      case 0, 1 -> {
        if (replica != null && mayCrash(id)) {
          replica.disk.crash();
        }
      }
      case 2, 3 -> handOver();
      case 4 -> cutUntil = time.nanos() + random.nextInt(3_000) * MS;
      case 5 -> {
        if (replica != null) {
          replica.process.sleep(random.nextInt(5_000) * MS + 1);
        }
      }
      case 6 -> deleteRecords();
      default -> {}
    }
    var unused = time.schedule(this::chaos, 100 + random.nextInt(1_000), TimeUnit.MILLISECONDS);
  }

  /** The old leader hears of it when it hears of it, and leads on until then. */
  private void handOver() {
    int old = cluster.leader();
    if (old >= 0) {
      deafUntil[old] = time.nanos() + random.nextInt(8_000) * MS;
      cluster.handOver();
    }
  }

  private void deleteRecords() {
    SimulatedReplica leader = on(cluster.leader());
    if (leader == null
        || !leader.leads()
        || leader.epoch() != cluster.epoch()
        || !leader.process.awake()) {
      return;
    }
    cluster.guard(
        leader,
        () -> {
          long start = leader.log.logStartOffset();
          long room = leader.highWatermark() - start;
          if (room > 1) {
            long to = start + 1 + (long) (random.nextDouble() * room / 3);
            cluster.history.deleteBelow(to);
            leader.log.advanceLogStart(to);
          }
        });
  }
}
