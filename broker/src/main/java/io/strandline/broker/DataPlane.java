package io.strandline.broker;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.door.Doors;
import io.strandline.broker.group.GroupHost;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.guard.acl.AclGuard;
import io.strandline.broker.guard.identity.NodeSecurity;
import io.strandline.broker.guard.identity.SecurityKeys;
import io.strandline.broker.guard.quota.ClientQuotas;
import io.strandline.broker.history.HistoryKeys;
import io.strandline.broker.history.HistoryPartitions;
import io.strandline.broker.node.StopOrder;
import io.strandline.broker.observe.Health;
import io.strandline.broker.observe.Health.Check;
import io.strandline.broker.observe.Meters;
import io.strandline.broker.partition.PartitionRuntime;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.partition.keep.Home;
import io.strandline.broker.partition.meter.ReplicaMeters;
import io.strandline.broker.partition.space.DiskSpace;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.share.ShareHost;
import io.strandline.broker.socket.SocketConfig;
import io.strandline.broker.socket.SocketServer;
import io.strandline.broker.telemetry.Telemetry;
import io.strandline.broker.telemetry.TelemetryKeys;
import io.strandline.broker.transaction.TransactionHost;
import io.strandline.tiering.Backlog;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * What carries records: object store, cache, logs, partitions, coordinators, handlers, sockets; put
 * together here, and nowhere else.
 */
final class DataPlane implements AutoCloseable {
  private final BrokerConfig config;
  private final Threads threads;
  private final LogDirectories directories;
  private final Meters meters;
  private final Health health;
  private final StopOrder parts = new StopOrder();
  private final AtomicReference<@Nullable ControlPlane> control = new AtomicReference<>();
  private final ObjectTier tier;
  private Optional<Partitions> partitions = Optional.empty();
  private Optional<HistoryPartitions> history = Optional.empty();
  private Optional<Apis.Coordinators> coordinators = Optional.empty();
  private Guard guard = Guard.open();
  private Map<String, Integer> ports = Map.of();

  private DataPlane(
      BrokerConfig config,
      Threads threads,
      LogDirectories directories,
      Meters meters,
      Health health) {
    this.config = config.following(this::changed);
    this.threads = threads;
    this.directories = directories;
    this.meters = meters;
    this.health = health;
    this.tier =
        parts.started(
            "tier", ObjectTier.open(this.config, threads, meters.registry(), health, this::view));
  }

  /**
   * Makes what needs nothing of the cluster: object store, cache, replay. Runs while the quorum
   * starts.
   */
  static DataPlane build(
      BrokerConfig config,
      Threads threads,
      LogDirectories directories,
      Meters meters,
      Health health) {
    return new DataPlane(config, threads, directories, meters, health);
  }

  /** Before the quorum is there, nothing was changed. */
  private Optional<Object> changed(String key) {
    ControlPlane now = control.get();
    return now == null ? Optional.empty() : now.view().changedValue(key);
  }

  private ClusterView view() {
    ControlPlane now = control.get();
    if (now == null) {
      throw new IllegalStateException("asked before the quorum was there");
    }
    return now.view();
  }

  /** Opens the logs with the topic configurations of {@code view}; recovers those that need it. */
  void open(ControlPlane quorum, ClusterView view) {
    control.set(quorum);
    directories.follow(quorum.changes(), config);
    tier.verify(view.clusterId());
    DiskSpace space =
        new DiskSpace(Bindings.space(config), DiskSpace.ofFileSystems(), meters.registry());
    health.ready("disk space", () -> Check.of(space.full().isEmpty(), "full: " + space.full()));
    PartitionRuntime runtime =
        new PartitionRuntime(
            InstantSource.system(),
            threads.writes,
            threads.reads,
            threads.cleaner,
            threads.moves,
            threads.timer,
            tier.replay(),
            space,
            meters.registry(),
            Bindings.replicas(config, quorum, threads),
            new ReplicaMeters(
                meters.kafka(),
                id -> tier.running().map(all -> all.backlog(id)).orElse(Backlog.NONE)),
            Bindings.partitionSettings(config, quorum));
    Home home = new Home(directories.all(), directories.broken(), quorum::cordonedDirectories);
    Partitions opened = new Partitions(runtime, quorum, home, tier, threads.changes);
    parts.started("partitions", opened);
    opened.open(view);
    tier.listen(opened::tiered);
    partitions = Optional.of(opened);
    if (config.on(HistoryKeys.REPLAY_BROKER)) {
      history = Optional.of(parts.started("history", history(quorum, runtime)));
    }
    health.live("log directories", () -> directories(home));
    Optional<AclGuard> acls = Doors.guard(quorum);
    acls.ifPresent(authorizer -> parts.started("authorizer", authorizer));
    guard = acls.<Guard>map(authorizer -> authorizer).orElse(Guard.open());
    coordinators = Optional.of(coordinators(quorum, opened, acls));
  }

  private HistoryPartitions history(ControlPlane quorum, PartitionRuntime runtime) {
    return new HistoryPartitions(
        quorum,
        tier.replay(),
        runtime.kafka()::topic,
        new HistoryPartitions.Environment(
            InstantSource.system(), threads.timer, tier.foreign()::shows),
        (int) config.number(HistoryKeys.LEADER_FETCH_BYTES));
  }

  private Apis.Coordinators coordinators(
      ControlPlane quorum, Partitions opened, Optional<AclGuard> acls) {
    TransactionHost transactions =
        parts.started(
            "transactions",
            new TransactionHost(
                quorum,
                opened,
                new TransactionHost.Surroundings(
                    threads.loading("transactions"),
                    threads.timer,
                    threads.transactions,
                    InstantSource.system(),
                    directories.producers()::transactionVerificationEnabled)));
    ShareHost share = parts.started("share state", share(quorum, opened));
    GroupHost groups =
        parts.started(
            "groups",
            new GroupHost(
                quorum,
                opened,
                acls.map(AclGuard::plugin),
                new GroupHost.Neighbours(transactions.verification(), share.persister()),
                threads.loading("groups")));
    transactions.prepare(groups.coordinator());
    return new Apis.Coordinators(groups, transactions, share);
  }

  private ShareHost share(ControlPlane quorum, Partitions opened) {
    try {
      return new ShareHost(quorum, opened, threads.loading("share"), threads.timer);
    } catch (ConfigException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  /** Well as long as one works, but told even then. */
  private static Check directories(Home home) {
    List<Path> offline = home.offline();
    return new Check(home.anyOnline(), offline.isEmpty() ? "" : "offline: " + offline);
  }

  /**
   * Binds the listeners and begins to answer; gives the port of each by its name.
   *
   * @throws StartException naming the address that is taken
   */
  Map<String, Integer> listen(ControlPlane quorum, List<Endpoint> listeners) {
    ClientQuotas quotas = parts.started("quotas", Doors.quotas(quorum));
    Telemetry telemetry = telemetry(quorum);
    NodeSecurity security =
        parts.started(
            "security",
            Doors.open(
                quorum,
                InstantSource.system(),
                config.number(SecurityKeys.RELOAD_MS),
                threads.timer,
                threads.certificates));
    security.bindTo(meters.registry());
    Apis apis =
        new Apis(
            config,
            quorum,
            partitions.orElseThrow(),
            coordinators.orElseThrow(),
            new Apis.Environment(
                threads, meters.registry(), quotas, guard, security.tokens(), telemetry, history));
    SocketConfig sockets = Bindings.socketConfig(config, listeners);
    quorum.changes().networkThreads(sockets.eventLoops());
    SocketServer server =
        new SocketServer(
            sockets,
            security,
            parts.started("connections", Doors.connections(quorum)),
            new Dispatcher(
                apis.table(),
                apis.gone().andThen(tier.replay()::left).andThen(telemetry::gone),
                quotas),
            new SocketServer.Environment(
                meters.registry(), meters.kafka(), threads::logins, System::nanoTime));
    try {
      ports = Map.copyOf(server.start());
    } catch (UncheckedIOException e) {
      throw new StartException(
          String.valueOf(e.getCause() == null ? e.getMessage() : e.getCause().getMessage())
              + " can not be bound: free it, or set listeners",
          e);
    }
    parts.started("sockets", server);
    return ports;
  }

  private Telemetry telemetry(ControlPlane quorum) {
    Telemetry telemetry =
        new Telemetry(
            quorum.kafkaMetrics().reporters(),
            new Telemetry.Limits(
                (int) config.number(TelemetryKeys.CLIENTS_MAX),
                config.kafkaInt("telemetry.max.bytes")),
            new Telemetry.Surroundings(
                threads.telemetry, InstantSource.system(), Uuid::randomUuid, meters.registry()));
    quorum.listenToImages(telemetry);
    telemetry.page().ifPresent(meters::addClients);
    return telemetry;
  }

  /** Follows the metadata: partitions first, then the coordinators that live on them. */
  /** Of the object store, once it has told it. */
  Optional<String> storeIdentity() {
    return tier.storeIdentity();
  }

  void follow(ControlPlane quorum) {
    quorum.listen(partitions.orElseThrow());
    tier.backUp(quorum);
    coordinators.orElseThrow().share().start();
    coordinators.orElseThrow().groups().start();
    coordinators.orElseThrow().transactions().start();
  }

  Map<String, Integer> ports() {
    return ports;
  }

  /** Stops accepting, answers what is under way, closes the logs with the mark of a clean stop. */
  @Override
  public void close() {
    parts.close();
  }
}
