package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestConfig.Fencing;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.manifest.index.Paging;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.FaultPlan;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Leaders of rising epochs write one manifest. Old ones do not know that they are old; processes
 * sleep, longer than versions are kept; requests are lost, late, doubled, slow.
 */
final class ManifestSimulation {
  static final TopicIdPartition PARTITION = new TopicIdPartition(new Uuid(5, 6), 0, "orders");

  private static final Duration KEPT = Duration.ofSeconds(60);
  private static final Duration GRACE = Duration.ofSeconds(20);
  private static final Duration LENGTH = Duration.ofMinutes(8);
  private static final double FAULTS = 0.08;

  /** Pages so small that a few dozen segments fill several levels of them. */
  private static final Paging SMALL_PAGES = new Paging(4, 6);

  final SimulatedTime time;
  final Random random;
  final TierCheck.AcknowledgedIsNamed acknowledged = new TierCheck.AcknowledgedIsNamed();

  private final Fencing fencing;
  private final UnaryOperator<ObjectStore> defect;
  private final ObjectStore truth;
  private final Manifests observer;
  private final Trace trace;
  private final List<TierCheck> checks;
  private final Paging paging;
  private final List<SimulatedLeader> leaders = new ArrayList<>();
  private int epochs;
  private int commits;
  private int fenced;
  private @Nullable Throwable violation;

  ManifestSimulation(long seed, Fencing fencing, UnaryOperator<ObjectStore> defect) {
    this.random = new Random(seed);
    this.time = new SimulatedTime(random);
    this.fencing = fencing;
    this.paging = seed % 2 == 0 ? Paging.USUAL : SMALL_PAGES;
    this.checks =
        List.of(
            new TierCheck.ChainIsLawful(),
            new TierCheck.SegmentsDense(),
            new TierCheck.ObjectsAsNamed(false, object -> false),
            acknowledged,
            new TierCheck.RetiredStay(time, GRACE));
    this.defect = defect;
    this.trace = new Trace(time::nanos);
    ObjectStore bucket = new MemoryObjectStore(Runnable::run, time);
    this.observer = manifests(bucket, Runnable::run);
    this.truth = new TracedStore(bucket, PARTITION, trace, new Versions());
  }

  /** What came of a run; the same seed gives the same. */
  record Outcome(int commits, int fenced, int leaders, long version, long trace) {}

  /** Looks at every version as it comes. */
  private final class Versions implements TracedStore.Watcher {
    @Override
    public void versionWritten() {
      try {
        check();
      } catch (AssertionError | RuntimeException failure) {
        violated(failure);
      }
    }

    @Override
    public void segmentWritten(ObjectKey key) {}

    @Override
    public void deleting(ObjectKey key) {}
  }

  Outcome run() {
    elect();
    time.runFor(LENGTH.toNanos());
    leaders.forEach(SimulatedLeader::stop);
    time.runFor(KEPT.multipliedBy(4).toNanos());
    if (violation != null) {
      throw new AssertionError(violation.getMessage() + "\n" + trace.tail(), violation);
    }
    check();
    settle();
    return new Outcome(
        commits, fenced, leaders.size(), observer.read(PARTITION).join().version(), trace.hash());
  }

  /** When the faults are over, a new leader can go on from whatever they left. */
  private void settle() {
    ManifestWriter last =
        time.await(
            manifests(truth, Runnable::run).acquire(PARTITION, ++epochs),
            Duration.ofMinutes(1).toNanos());
    SegmentEntry next = SimulatedLeader.entry(last.view().endOffset(), 5, "last");
    last.add(SimulatedLeader.upload(truth, List.of(next)).join()).join();
    acknowledged.acknowledge(next);
    check();
  }

  void committed(List<SegmentEntry> entries) {
    commits++;
    entries.forEach(acknowledged::acknowledge);
    check();
  }

  void replacing(List<SegmentEntry> old, List<SegmentEntry> by) {
    acknowledged.replacing(old, by);
  }

  void fenced() {
    fenced++;
  }

  /** The first counts; what follows from it does not. */
  void violated(Throwable what) {
    if (violation == null) {
      violation = what;
    }
  }

  private void check() {
    TierCheck.all(checks, TierCheck.Look.at(observer.read(PARTITION).join(), truth));
  }

  private void elect() {
    SimulatedProcess process = new SimulatedProcess(time);
    ObjectStore store = defect.apply(new FaultyObjectStore(truth, faults(), time));
    leaders.add(new SimulatedLeader(this, process, store, manifests(store, process), ++epochs));
    var unused =
        time.schedule(
            () -> {
              if (time.nanos() < LENGTH.toNanos()) {
                elect();
              }
            },
            between(1, 90_000),
            TimeUnit.MILLISECONDS);
  }

  /** The usual faults, and now and then a request that arrives when the world has moved on. */
  private FaultPlan faults() {
    FaultPlan usual = FaultPlan.random(random, FAULTS, Duration.ofMillis(300));
    return call -> {
      Fault fault = usual.next(call);
      boolean lost = call.operation().writes() && random.nextInt(60) == 0;
      return lost && call.operation() != StoreCall.Operation.DELETE
          ? new Fault(fault.kind(), KEPT.multipliedBy(1 + random.nextInt(3)), fault.after())
          : fault;
    };
  }

  private Manifests manifests(ObjectStore store, Executor executor) {
    ManifestConfig config =
        new ManifestConfig(KEPT.toMillis(), 4, GRACE.toMillis(), 1 << 20, Optional.empty(), fencing)
            .with(paging);
    return StoreManifests.open(
        store,
        config,
        new StoreManifests.Environment(time, random, executor, new CompositeMeterRegistry()));
  }

  long between(long from, long to) {
    return random.nextLong(from, to);
  }

  static Duration kept() {
    return KEPT;
  }
}
