package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.LocalChanges;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.partition.keep.Home;
import io.strandline.broker.partition.meter.ReplicaMeters;
import io.strandline.broker.partition.space.DiskSpace;
import io.strandline.broker.partition.space.SpaceConfig;
import io.strandline.broker.replica.Alone;
import io.strandline.broker.replica.FollowerFetch;
import io.strandline.broker.replica.Replicas;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.FencedLeaderEpochException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.storage.internals.log.LogConfig;

/** A node's partitions over real directories; cluster, clock and threads are the test's. */
final class Rig implements AutoCloseable {
  static final int NODE = 1;
  static final Uuid TOPIC = new Uuid(3, 4);
  static final String NAME = "orders";

  final Map<String, String> config = new HashMap<>();
  final Map<TopicPartition, PartitionState> states = new LinkedHashMap<>();
  final List<Uuid> failed = new ArrayList<>();
  final Map<TopicIdPartition, Uuid> assigned = new HashMap<>();
  boolean assigns = true; // whether the controller agrees to directories
  final HistoryFake history = new HistoryFake();
  final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  final ControlPlane control = fake(ControlPlane.class, this::control);
  volatile DiskSpace.Room room = new DiskSpace.Room(1_000_000, 1_000_000);

  /** When the room of a directory is looked at. */
  volatile Runnable onLook = () -> {};

  /** Before something is renamed to this path. */
  volatile Consumer<Path> onRename = to -> {};

  final DiskSpace space =
      new DiskSpace(
          SpaceConfig.of("", "", ""),
          directory -> {
            onLook.run();
            return room;
          },
          new SimpleMeterRegistry());
  Tier tier = Tier.NONE;
  PartitionSettings settings = PartitionSettings.defaults();
  long nowMs = 1_700_000_000_000L;
  Executor writes = Runnable::run;
  Executor changes = Runnable::run;
  Replicas replicas = Alone.replicas(() -> Instant.ofEpochMilli(nowMs));
  Executor moving = Runnable::run;
  Partitions partitions;
  private List<LogDirectory> directories = List.of();
  private int epoch;
  private volatile Map<TopicPartition, PartitionState> heard = Map.of();

  Rig() {
    config.put(TopicConfig.INDEX_INTERVAL_BYTES_CONFIG, "0");
  }

  /** Starts a node on these directories, which are formatted if they are new. */
  Rig start(Path... paths) {
    directories = new ArrayList<>();
    for (int i = 0; i < paths.length; i++) {
      directories.add(directory(paths[i], directoryId(i)));
    }
    PartitionRuntime runtime =
        new PartitionRuntime(
            () -> Instant.ofEpochMilli(nowMs),
            writes,
            Runnable::run,
            Runnable::run,
            task -> moving.execute(task),
            timer,
            history,
            space,
            new SimpleMeterRegistry(),
            replicas,
            new ReplicaMeters(new KafkaMeters(() -> 0)),
            settings);
    partitions =
        new Partitions(
            runtime,
            control,
            new Home(directories, control::cordonedDirectories),
            tier,
            task -> changes.execute(task));
    partitions.open(view());
    return this;
  }

  static Uuid directoryId(int index) {
    return new Uuid(1, index + 1);
  }

  private LogDirectory directory(Path path, Uuid id) {
    try {
      Files.createDirectories(path);
      Path meta = path.resolve("meta.properties");
      if (Files.notExists(meta)) {
        Files.writeString(meta, "version=1\ncluster.id=c\nnode.id=1\ndirectory.id=" + id + "\n");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return LogDirectory.open(
        path,
        new LogRuntime(
            disk(),
            () -> Instant.ofEpochMilli(nowMs),
            new Random(1),
            Runnable::run,
            timer,
            new SimpleMeterRegistry(),
            LogSettings.defaults()));
  }

  private Disk disk() {
    Disk real = new NioDisk();
    return (Disk)
        Proxy.newProxyInstance(
            Disk.class.getClassLoader(),
            new Class<?>[] {Disk.class},
            (self, method, arguments) -> {
              if (method.getName().equals("rename")) {
                onRename.accept((Path) arguments[1]);
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException failure) {
                throw failure.getCause();
              }
            });
  }

  /** The process ends without a word. */
  void crash() {
    directories.forEach(LogDirectory::close);
    directories = List.of();
  }

  void stop() {
    partitions.close();
    directories = List.of();
  }

  /** Nothing writes any more when this returns: JUnit takes the directories away next. */
  @Override
  public void close() {
    timer.shutdownNow();
    try {
      assertThat(timer.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    crash();
  }

  // ---- the cluster

  /** A follower that believes in this epoch asks for this offset. */
  void followerFetched(Partition partition, int replica, int epoch, long offset) {
    ReadRequest request =
        new ReadRequest(
            offset, 1 << 20, true, OptionalInt.of(epoch), FetchIsolation.LOG_END, "follower");
    try {
      partition.readAsFollower(
          request, new FollowerFetch(replica, -1, epoch, offset, 0, nowMs), OptionalInt.empty());
    } catch (FencedLeaderEpochException refused) {
      // Told so, and nothing else happens.
    }
  }

  Partition lead(int partition) {
    return lead(partition, List.of(NODE), List.of(NODE));
  }

  Partition lead(int partition, List<Integer> replicas, List<Integer> isr) {
    epoch++;
    return put(partition, NODE, replicas, isr);
  }

  /** The same leader and epoch with another ISR. */
  Partition isr(int partition, Integer... isr) {
    PartitionState now = states.get(new TopicPartition(NAME, partition));
    return put(partition, now.leader(), now.replicas(), List.of(isr));
  }

  Partition follow(int partition) {
    return follow(partition, 2);
  }

  Partition follow(int partition, int leader) {
    epoch++;
    return put(partition, leader, List.of(leader, NODE), List.of(leader, NODE));
  }

  private Partition put(int partition, int leader, List<Integer> replicas, List<Integer> isr) {
    Optional<Partition> there = announce(partition, leader, replicas, isr);
    // What the tier may still hold of it is asked first: on real threads that takes a moment.
    long deadline = System.nanoTime() + 10_000_000_000L;
    while (there.isEmpty() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000L);
      there = partitions.hosted(new TopicPartition(NAME, partition));
    }
    return there.orElseThrow();
  }

  /** This node leads, and may have no log to lead with yet. */
  Optional<Partition> announce(int partition) {
    epoch++;
    return announce(partition, NODE, List.of(NODE), List.of(NODE));
  }

  /** Nobody leads, and this node may have no log. */
  Optional<Partition> announceLeaderless(int partition) {
    return announce(partition, -1, List.of(NODE), List.of(NODE));
  }

  /** Broker 2 leads, and this node may have no log to follow with yet. */
  Optional<Partition> announceFollower(int partition) {
    epoch++;
    return announce(partition, 2, List.of(2, NODE), List.of(2, NODE));
  }

  /** As above, of a topic that was made a moment ago. */
  Optional<Partition> announceNewFollower(int partition) {
    return announce(partition, 2, List.of(2, NODE), List.of(2, NODE));
  }

  /** This node is elected though it was not in sync. */
  void announceUnclean(int partition) {
    epoch++;
    var unused = announce(partition, NODE, List.of(2, NODE), List.of(NODE), true);
  }

  private Optional<Partition> announce(
      int partition, int leader, List<Integer> replicas, List<Integer> isr) {
    return announce(partition, leader, replicas, isr, false);
  }

  private Optional<Partition> announce(
      int partition, int leader, List<Integer> replicas, List<Integer> isr, boolean recovering) {
    TopicIdPartition id = new TopicIdPartition(TOPIC, partition, NAME);
    return announce(
        new PartitionState(
            id,
            leader,
            epoch,
            epoch,
            replicas,
            isr,
            List.of(),
            List.of(),
            List.of(),
            directoryId(0),
            recovering));
  }

  /** Made a moment ago, and led by this node from the first; changed so many times since. */
  Optional<Partition> announceNew(int partition, int changes) {
    TopicIdPartition id = new TopicIdPartition(TOPIC, partition, NAME);
    List<Integer> both = List.of(NODE, 2);
    return announce(
        new PartitionState(
            id,
            NODE,
            0,
            changes,
            both,
            both,
            List.of(),
            List.of(),
            List.of(),
            directoryId(0),
            false));
  }

  private Optional<Partition> announce(PartitionState state) {
    TopicIdPartition id = state.id();
    states.put(id.topicPartition(), state);
    Map<TopicIdPartition, PartitionState> one = Map.of(id, state);
    boolean leads = state.leader() == NODE;
    change(leads ? one : Map.of(), leads ? Map.of() : one, Set.of());
    return partitions.hosted(id.topicPartition());
  }

  void delete(int partition) {
    PartitionState gone = states.remove(new TopicPartition(NAME, partition));
    change(Map.of(), Map.of(), Set.of(gone.id()));
  }

  private void change(
      Map<TopicIdPartition, PartitionState> leaders,
      Map<TopicIdPartition, PartitionState> followers,
      Set<TopicIdPartition> deleted) {
    ClusterView before = view(1, heard);
    heard = Map.copyOf(states);
    partitions.onChange(
        before,
        view(),
        new LocalChanges(
            Map.of(),
            leaders,
            followers,
            deleted,
            deleted.isEmpty() ? Set.of() : Set.of(TOPIC),
            Map.of(),
            Set.of()));
  }

  /** The first word of the metadata after a start. */
  void hearAll() {
    Map<TopicIdPartition, PartitionState> leaders = new HashMap<>();
    states.values().forEach(state -> leaders.put(state.id(), state));
    heard = Map.copyOf(states);
    ClusterView empty = view(-1, Map.of());
    partitions.onChange(
        empty,
        view(),
        new LocalChanges(leaders, leaders, Map.of(), Set.of(), Set.of(), Map.of(), Set.of()));
  }

  ClusterView view() {
    return view(1, states);
  }

  private ClusterView view(long offset, Map<TopicPartition, PartitionState> states) {
    return fake(
        ClusterView.class,
        (method, arguments) ->
            switch (method) {
              case "offset" -> offset;
              case "nodeId" -> NODE;
              case "topicId" -> NAME.equals(arguments[0]) ? TOPIC : Uuid.ZERO_UUID;
              case "topicName" -> TOPIC.equals(arguments[0]) ? NAME : null;
              case "topics" -> states.isEmpty() ? Set.of() : Set.of(NAME);
              case "partition" -> Optional.ofNullable(states.get(arguments[0]));
              case "logConfig" -> new LogConfig(config);
              default -> throw new UnsupportedOperationException(method);
            });
  }

  private Object control(String method, Object[] arguments) {
    switch (method) {
      case "view" -> {
        return view();
      }
      case "brokerEpoch" -> {
        return 5L;
      }
      case "cordonedDirectories" -> {
        return Set.of();
      }
      case "directoryFailed" -> failed.add((Uuid) arguments[0]);
      case "assignDirectory" -> {
        assigned.put((TopicIdPartition) arguments[0], (Uuid) arguments[1]);
        if (assigns) {
          ((Runnable) arguments[3]).run();
        }
      }
      default -> throw new UnsupportedOperationException(method);
    }
    return null;
  }

  private static <T> T fake(Class<T> type, BiFunction<String, Object[], Object> answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> answers.apply(method.getName(), arguments)));
  }

  // ---- records

  MemoryRecords records(String... values) {
    SimpleRecord[] records = new SimpleRecord[values.length];
    for (int i = 0; i < values.length; i++) {
      records[i] = new SimpleRecord(nowMs, null, values[i].getBytes(StandardCharsets.UTF_8));
    }
    return MemoryRecords.withRecords(Compression.NONE, records);
  }
}
