package io.strandline.broker.request.data;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.LocalChanges;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.guard.quota.Quotas;
import io.strandline.broker.history.ReplayBrokers;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PartitionRuntime;
import io.strandline.broker.partition.PartitionSettings;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.partition.PendingAppend;
import io.strandline.broker.partition.Tier;
import io.strandline.broker.partition.keep.Home;
import io.strandline.broker.partition.meter.ReplicaMeters;
import io.strandline.broker.partition.space.DiskSpace;
import io.strandline.broker.partition.space.SpaceConfig;
import io.strandline.broker.replica.Alone;
import io.strandline.broker.replica.Replicas;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.tiering.segment.BatchBounds;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.replica.ReplicaSelector;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;

/** A node's partitions on a real disk, with cluster, time, tier and threads in the test's hand. */
public final class DataRig {
  final Replicas replicas = Alone.replicas(InstantSource.system());
  public static final Uuid TOPIC = new Uuid(3, 4);
  public static final String NAME = "orders";
  static final int NODE = 1;
  static final long HOT_WINDOW_BYTES = 64 << 10;

  public final ManualTime time = new ManualTime();
  public final FakeReplay replay = new FakeReplay();
  public final ProducerStateManagerConfig producers =
      new ProducerStateManagerConfig(86_400_000, true);
  final Map<String, String> config = new HashMap<>();
  final Map<TopicPartition, PartitionState> states = new LinkedHashMap<>();
  public final ControlPlane control;
  public final Partitions partitions;
  DataConfig data = new DataConfig(1 << 20, 100, 120_000, 64, 10, topic -> false);
  FetchSessions sessions;

  /** Steps for the executor of reads, held back when {@link #holdReads} is set. */
  final Queue<Runnable> heldReads = new ArrayDeque<>();

  boolean holdReads;
  Guard guard = Guard.open();
  Quotas quotas = Quotas.none();
  Optional<ReplicaSelector> selector = Optional.empty();
  ReplayBrokers replays = ReplayBrokers.none();
  private int epoch;

  public DataRig(Path dir) throws IOException {
    this(dir, Runnable::run);
  }

  DataRig(Path dir, Executor writes) throws IOException {
    config.put(TopicConfig.INDEX_INTERVAL_BYTES_CONFIG, "0");
    Files.writeString(
        dir.resolve("meta.properties"),
        "version=1\ncluster.id=c\nnode.id=1\ndirectory.id=" + new Uuid(1, 1) + "\n");
    LogDirectory directory =
        LogDirectory.open(
            dir,
            new LogRuntime(
                new NioDisk(),
                Instant::now,
                new Random(1),
                Runnable::run,
                time,
                new SimpleMeterRegistry(),
                new LogSettings(
                    producers,
                    600_000,
                    900_000,
                    true,
                    false,
                    HOT_WINDOW_BYTES,
                    2_000,
                    BatchBounds.defaults())));
    control = control();
    PartitionRuntime runtime =
        new PartitionRuntime(
            Instant::now,
            writes,
            this::read,
            Runnable::run,
            Runnable::run,
            time,
            replay,
            new DiskSpace(SpaceConfig.none(), DiskSpace.ofFileSystems(), new SimpleMeterRegistry()),
            new SimpleMeterRegistry(),
            replicas,
            new ReplicaMeters(new KafkaMeters(() -> 0)),
            PartitionSettings.defaults());
    partitions =
        new Partitions(
            runtime, control, new Home(List.of(directory), Set::of), Tier.NONE, Runnable::run);
    sessions = sessions();
  }

  FetchSessions sessions() {
    return new FetchSessions(data, Instant::now, new Random(2), new SimpleMeterRegistry());
  }

  private void read(Runnable step) {
    if (holdReads) {
      heldReads.add(step);
    } else {
      step.run();
    }
  }

  private ControlPlane control() {
    return proxy(
        ControlPlane.class,
        (method, arguments) ->
            switch (method) {
              case "view" -> view();
              case "cordonedDirectories" -> Set.of();
              default -> null;
            });
  }

  ClusterView view() {
    return proxy(
        ClusterView.class,
        (method, arguments) ->
            switch (method) {
              case "topicId" -> NAME.equals(arguments[0]) && known() ? TOPIC : Uuid.ZERO_UUID;
              case "topicName" -> TOPIC.equals(arguments[0]) && known() ? NAME : null;
              case "partition" -> Optional.ofNullable(states.get((TopicPartition) arguments[0]));
              case "nodeId" -> NODE;
              case "logConfig" -> new LogConfig(config);
              case "offset" -> 1L;
              case "topics" -> known() ? Set.of(NAME) : Set.of();
              case "brokerEpoch" ->
                  (int) arguments[0] <= 2 ? OptionalLong.of(1) : OptionalLong.empty();
              case "fenced" -> false;
              case "replicaEndpoints" ->
                  Map.of(NODE, new Node(NODE, "a", 1), 2, new Node(2, "b", 2));
              case "broker" -> Optional.empty(); // of the other brokers none listens
              default -> throw new UnsupportedOperationException(method);
            });
  }

  private boolean known() {
    return !states.isEmpty();
  }

  private interface Answers {
    Object answer(String method, Object[] arguments);
  }

  private static <T> T proxy(Class<T> type, Answers answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> answers.answer(method.getName(), arguments)));
  }

  // ---- the cluster

  /** Makes the node leader of these partitions, in a new epoch. */
  public void lead(int... indexes) {
    change(NODE, List.of(NODE), indexes);
  }

  /** Another leads them. */
  void follow(int... indexes) {
    change(2, List.of(2, NODE), indexes);
  }

  void leadWithFollower(int index) {
    change(NODE, List.of(NODE, 2), index);
  }

  synchronized void change(int leader, List<Integer> isr, int... indexes) {
    epoch++;
    Map<TopicIdPartition, PartitionState> changed = new LinkedHashMap<>();
    for (int index : indexes) {
      TopicIdPartition id = new TopicIdPartition(TOPIC, index, NAME);
      PartitionState state =
          new PartitionState(
              id,
              leader,
              epoch,
              epoch,
              List.of(NODE, 2),
              isr,
              List.of(),
              List.of(),
              List.of(),
              new Uuid(1, 1),
              false);
      states.put(id.topicPartition(), state);
      changed.put(id, state);
    }
    Map<TopicIdPartition, PartitionState> none = Map.of();
    boolean mine = leader == NODE;
    partitions.onChange(
        view(),
        view(),
        new LocalChanges(
            none,
            mine ? changed : none,
            mine ? none : changed,
            Set.of(),
            Set.of(),
            Map.of(),
            Set.of()));
  }

  public Partition partition(int index) {
    return partitions.hosted(new TopicPartition(NAME, index)).orElseThrow();
  }

  // ---- clients

  public PendingAppend append(int index, int valueBytes) {
    return partition(index).append(records(valueBytes), (short) 1);
  }

  static MemoryRecords records(int valueBytes) {
    return MemoryRecords.withRecords(
        Compression.NONE, new SimpleRecord(System.currentTimeMillis(), new byte[valueBytes]));
  }

  CompletableFuture<Reply> fetch(Ask ask) {
    return fetch(ask, "connection");
  }

  CompletableFuture<Reply> fetch(Ask ask, String connection) {
    return new FetchHandler(
            new FetchAttempt.Services(
                data,
                control,
                new Sources(partitions, Optional.empty(), replays),
                guard,
                time,
                quotas,
                new ClosestReplica(control, selector)),
            sessions)
        .handle(request(ApiKeys.FETCH, ask.build(), connection, () -> {}))
        .toCompletableFuture();
  }

  static <T extends AbstractRequest> Request<T> request(ApiKeys api, T body) {
    return request(api, body, () -> {});
  }

  public static <T extends AbstractRequest> Request<T> request(
      ApiKeys api, T body, Runnable release) {
    return request(api, body, "connection", release);
  }

  static <T extends AbstractRequest> Request<T> request(
      ApiKeys api, T body, String connection, Runnable release) {
    RequestContext context = context(api, body.version(), connection);
    return new Request<>(context, body, ByteBuffer.allocate(0), 0, release);
  }

  /** Of a client without a name of its own. */
  public static RequestContext context(ApiKeys api, short version, String connection) {
    return new RequestContext(
        new RequestHeader(api, version, "client", 1),
        connection,
        InetAddress.getLoopbackAddress(),
        KafkaPrincipal.ANONYMOUS,
        new ListenerName("PLAINTEXT"),
        SecurityProtocol.PLAINTEXT,
        ClientInformation.EMPTY,
        false);
  }

  static FetchResponse response(CompletableFuture<Reply> reply) {
    if (!reply.isDone()) {
      throw new AssertionError("not answered");
    }
    return (FetchResponse) reply.join().response();
  }
}
