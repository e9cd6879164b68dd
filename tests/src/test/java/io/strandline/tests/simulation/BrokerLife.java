package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.LocalChanges;
import io.strandline.broker.control.isr.IsrChange;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PartitionRuntime;
import io.strandline.broker.partition.PartitionSettings;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.partition.keep.Home;
import io.strandline.broker.partition.meter.ReplicaMeters;
import io.strandline.broker.partition.space.DiskSpace;
import io.strandline.broker.partition.space.SpaceConfig;
import io.strandline.broker.replica.ControlledInSync;
import io.strandline.broker.replica.Fetchers;
import io.strandline.broker.replica.ReplicaSettings;
import io.strandline.broker.replica.Replicas;
import io.strandline.tests.simulation.QuorumModel.Image;
import io.strandline.tiering.compact.CompactionConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.jspecify.annotations.Nullable;

/**
 * One life of a broker: the real partitions, logs, fetchers and tier, on a process, a disk and a
 * network that are simulated.
 */
final class BrokerLife {
  /** MBeans are the process's: all brokers of all runs show theirs under the same names. */
  private static final ReplicaMeters METERS = new ReplicaMeters(new KafkaMeters(() -> 0));

  private static final long LAG_MAX_MS = 900;
  static final ReplicaSettings REPLICATION =
      new ReplicaSettings(() -> LAG_MAX_MS, () -> 1, 50, 1, 900, 4_000, 60);
  private static final PartitionSettings SETTINGS =
      new PartitionSettings(
          1 << 20,
          300,
          700,
          300_000,
          () -> 1_000_000,
          0,
          CompactionConfig::defaults,
          1,
          () -> Long.MAX_VALUE,
          true);

  final int id;
  final SimulatedProcess process;
  final CrashingDisk disk;
  final NodeView view;
  final Partitions partitions;
  private final ReplicationWorld world;
  private final LogDirectory directory;
  private final ReplicatedTier tier;
  private final Deque<Runnable> changes = new ArrayDeque<>();
  private final LeaderObserver observer;
  private boolean open;
  private boolean listening;
  private long heldBackUntilNanos;
  private @Nullable Image heard;

  /**
   * @throws Crash if the disk ends this life already
   */
  BrokerLife(
      SimulatedBroker machine,
      ReplicationWorld world,
      SimulatedProcess process,
      CrashingDisk disk,
      Path root)
      throws IOException {
    this.id = machine.id;
    this.world = world;
    this.process = process;
    this.disk = disk;
    this.view =
        new NodeView(id, world.topic(), world.quorum.newest(), change -> changeIsr(id, change));
    this.observer = new LeaderObserver(this, world);
    disk.begin(root);
    Path logs = root.resolve("log");
    if (Files.notExists(logs)) {
      Files.createDirectories(logs);
      Files.writeString(
          logs.resolve("meta.properties"),
          "version=1\ncluster.id=c\nnode.id="
              + id
              + "\ndirectory.id="
              + new Uuid(9, id + 1)
              + "\n");
    }
    this.directory = LogDirectory.open(logs, logRuntime());
    this.tier =
        new ReplicatedTier(
            new ReplicatedTier.Parts(root, world.store(this), process, world.time, world.random),
            world.policy,
            observer::leads);
    this.partitions =
        new Partitions(
            runtime(), view.control, new Home(List.of(directory), Set::of), tier, this::change);
  }

  // ---- executors

  /** Changes of the metadata, one after another. */
  private void change(Runnable task) {
    changes.add(task);
    if (changes.size() == 1) {
      process.execute(this::nextChange);
    }
  }

  private void nextChange() {
    Runnable next = changes.element();
    world.guard(disk, next::run);
    changes.remove();
    if (!changes.isEmpty()) {
      process.execute(this::nextChange);
    }
  }

  /** Waits its turn once the logs are open; opening waits for its own tasks. */
  private void later(Runnable task) {
    if (open) {
      process.execute(() -> world.guard(disk, task::run));
    } else {
      task.run();
    }
  }

  private LogRuntime logRuntime() {
    Executor executor = this::later;
    return new LogRuntime(
        disk,
        world.time,
        world.random,
        executor,
        process,
        new CompositeMeterRegistry(),
        LogSettings.defaults());
  }

  private PartitionRuntime runtime() {
    CompositeMeterRegistry meters = new CompositeMeterRegistry();
    return new PartitionRuntime(
        world.time,
        Runnable::run, // who waits for a partition's owner is on the only thread there is
        this::later,
        process,
        process,
        process,
        tier.replay,
        new DiskSpace(SpaceConfig.none(), path -> new DiskSpace.Room(1L << 40, 1L << 39), meters),
        meters,
        new Replicas(
            new ControlledInSync(view.control),
            REPLICATION,
            new Fetchers(
                (broker, index) -> new SimulatedFetching.Ranges(this, world, broker),
                new SimulatedFetching(this, world),
                REPLICATION,
                world.time)),
        METERS,
        SETTINGS);
  }

  // ---- its life

  void begin(boolean clean) {
    partitions.open(view.view());
    open = true;
    if (!directory.unreadable().isEmpty()) {
      throw new AssertionError("refused after the crash: " + directory.unreadable());
    }
    tier.start(partitions::tiered);
    observer.begin();
    var unused =
        process.schedule(() -> register(clean), world.random.nextInt(60), TimeUnit.MILLISECONDS);
  }

  private void register(boolean clean) {
    if (world.network.cut(id, SimulatedNetwork.QUORUM)) {
      var unused = process.schedule(() -> register(clean), 80, TimeUnit.MILLISECONDS);
      return;
    }
    view.registered(world.quorum.register(id, clean));
    world.heard(id);
    deliver();
    heartbeat();
  }

  /** Takes in what the metadata says by now, or some of it, and looks again later. */
  private void deliver() {
    long newest = world.quorum.newest().offset();
    boolean cut = world.network.cut(SimulatedNetwork.QUORUM, id);
    if (!cut && (!listening || view.offset() < newest)) {
      Image before = heard;
      long from = before == null ? newest - 1 : before.offset();
      boolean all = !listening || world.random.nextInt(3) > 0;
      long to = all ? newest : from + 1 + world.random.nextInt((int) (newest - from));
      Image now = world.quorum.image(to);
      heard = now;
      ClusterView was = listening ? view.view() : view.empty();
      listening = true;
      ClusterView is = view.learn(now);
      LocalChanges mine = view.changes(before, now);
      world.guard(disk, () -> partitions.onChange(was, is, mine));
    }
    var unused = process.schedule(this::deliver, world.metadataDelayMs(), TimeUnit.MILLISECONDS);
  }

  private void heartbeat() {
    long epoch = view.brokerEpoch();
    boolean caughtUp = listening && view.offset() >= epoch;
    world.network.send(
        id, SimulatedNetwork.QUORUM, Runnable::run, () -> world.heartbeat(id, epoch, caughtUp));
    var unused = process.schedule(this::heartbeat, 120, TimeUnit.MILLISECONDS);
  }

  /** The clean stop, once another leads or nobody can. */
  void stop() {
    open = false;
    partitions.close();
  }

  private CompletableFuture<IsrChange.Answer> changeIsr(int from, IsrChange change) {
    CompletableFuture<IsrChange.Answer> answer = new CompletableFuture<>();
    ask(from, change, answer);
    return answer;
  }

  /** Sent again until there is an answer, as the real one is. */
  private void ask(int from, IsrChange change, CompletableFuture<IsrChange.Answer> answer) {
    world.network.send(
        from,
        SimulatedNetwork.QUORUM,
        Runnable::run,
        () -> {
          try {
            IsrChange.Answer given = world.alter(from, view.brokerEpoch(), change);
            back(from, () -> answer.complete(given));
          } catch (ApiException refused) {
            world.trace.add("refused " + change + ": " + refused.getClass().getSimpleName());
            back(from, () -> answer.completeExceptionally(refused));
          }
        });
    var unused =
        process.schedule(
            () -> {
              if (!answer.isDone()) {
                ask(from, change, answer);
              }
            },
            300,
            TimeUnit.MILLISECONDS);
  }

  private void back(int to, Runnable arrival) {
    world.network.send(SimulatedNetwork.QUORUM, to, process, () -> world.guard(disk, arrival::run));
  }

  // ---- what befalls it

  /** What it writes to the store from now on arrives when the time is over. */
  void holdBack(long nanos) {
    world.trace.add("broker " + id + " is held back at the store");
    heldBackUntilNanos = world.time.nanos() + nanos;
  }

  /** How long what it writes to the store now is under way at least. */
  long heldBackNanos() {
    return heldBackUntilNanos - world.time.nanos();
  }

  // ---- what is seen of it

  /** Its replica, once it has one. */
  Optional<Partition> partition() {
    return partitions.hosted(SimulatedCluster.PARTITION.topicPartition());
  }

  LeaderObserver observer() {
    return observer;
  }

  void close() throws IOException {
    tier.close();
    directory.close();
  }
}
