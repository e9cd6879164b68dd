package io.strandline.broker;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlException;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.Joining;
import io.strandline.broker.control.KraftControlPlane;
import io.strandline.broker.guard.identity.TlsEngines;
import io.strandline.broker.node.Handover;
import io.strandline.broker.node.NodeFrame;
import io.strandline.broker.node.NodeMeters;
import io.strandline.broker.node.QuorumMeters;
import io.strandline.broker.node.StopOrder;
import io.strandline.broker.observe.Health.Check;
import io.strandline.broker.observe.Meters;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.ThreadUtils;
import org.apache.kafka.server.common.MetadataVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node that is a broker, and a controller too if its roles say so: everything in the order in
 * which it must start and stop. Wiring only; what a part does is said where the part lives.
 *
 * <p>Start: locks → admin endpoint → quorum (while the data plane is built beside it) → metadata
 * loaded → logs opened and recovered → listeners bound → registered → caught up → unfenced. Stop:
 * leadership handed over → listeners closed → logs closed with the mark of a clean stop → quorum →
 * admin endpoint → locks.
 */
public final class Strandline implements RunningNode {
  private static final Logger LOG = LoggerFactory.getLogger(Strandline.class);

  static {
    TlsEngines.refuseRenegotiation(); // the controller begins with TLS before the listeners do
  }

  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final BrokerConfig config;
  private final NodeFrame frame;
  private final StopOrder parts;
  private final NodeMeters node;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final Handover handover =
      new Handover(System::nanoTime, () -> control().controllerSilentMs());
  private Optional<ControlPlane> control = Optional.empty();
  private Optional<DataPlane> data = Optional.empty();

  private Strandline(BrokerConfig config) {
    this.config = config;
    this.frame = new NodeFrame(config, System::nanoTime);
    this.parts = frame.parts();
    this.node = new NodeMeters(frame.meters().kafka());
  }

  /**
   * Starts a node and returns when it serves.
   *
   * @throws StartException or {@link ControlException}, with one line for the operator; whatever
   *     had started is stopped again
   */
  public static Strandline start(BrokerConfig config) {
    Strandline node = new Strandline(config);
    try {
      node.up();
      return node;
    } catch (Throwable e) { // Kafka's parts throw checked exceptions that they do not declare
      node.frame.close();
      throw e;
    }
  }

  private void up() {
    config.warnOfUnknown();
    config.requireSharedStore();
    Meters meters = frame.meters();
    Threads threads = parts.started("threads", new Threads());
    meters.kafka().start(threads.timer);
    LogDirectories directories =
        parts.started("log directories", LogDirectories.open(config, threads, meters));
    ExecutorService beside =
        Executors.newCachedThreadPool(ThreadUtils.createThreadFactory("start-%d", true));
    try {
      frame.health().ready("unfenced", () -> Check.failed("starting"));
      frame.startAdmin(Threads.admin());
      frame.phases().done("locks and admin endpoint");
      CompletableFuture<DataPlane> building =
          CompletableFuture.supplyAsync(
              () -> DataPlane.build(config, threads, directories, meters, frame.health()), beside);
      ControlPlane quorum = startControl(directories.broken());
      node.state(NodeMeters.State.STARTING);
      frame.phases().done("quorum");
      ClusterView view = await(quorum.loaded(), "the metadata to be loaded");
      refuseKafkasTier(view);
      refuseReplicasHere(view);
      node.identify(view);
      node.state(NodeMeters.State.RECOVERY);
      frame.phases().done("metadata");
      DataPlane plane = await(building, "the data plane");
      data = Optional.of(parts.started("data plane", plane));
      plane.open(quorum, view);
      frame.phases().done("logs");
      Map<String, Integer> ports = plane.listen(quorum, quorum.listeners());
      frame.phases().done("listeners");
      join(quorum, plane, ports);
      parts.started("handover", this::handOver);
      beside.execute(() -> meters.bindProcess(InstantSource.system()));
    } finally {
      beside.shutdown();
    }
    LOG.atDebug().addKeyValue("ms", frame.phases().totalMs()).log("started: {}", frame.phases());
  }

  /** Kafka's controller never lowers the level to one that knows no cordons: it would lose them. */
  private void refuseReplicasHere(ClusterView view) {
    MetadataVersion wanted = MetadataVersion.IBP_4_3_IV0;
    if (config.control().replays() && view.metadataLevel() < wanted.featureLevel()) {
      throw new StartException(
          "a replay broker needs metadata version "
              + wanted
              + ", below which the controller puts replicas on it: this cluster is at level "
              + view.metadataLevel()
              + ", raise it first (kafka-features.sh upgrade)");
    }
  }

  /** Their leaders would tell us that the history has moved to where we can not read it. */
  private static void refuseKafkasTier(ClusterView view) {
    List<String> tiered = view.topics().stream().filter(view::tieredByKafka).sorted().toList();
    if (!tiered.isEmpty()) {
      throw new StartException(
          "Apache Kafka tiers "
              + (tiered.size() > 3 ? tiered.subList(0, 3) + " and more" : tiered)
              + " by its own remote storage (KIP-405), which is not read here: copy what they hold to"
              + " topics without remote.storage.enable and delete them, before a broker of ours joins");
    }
  }

  private ControlPlane startControl(Set<Path> broken) {
    KraftControlPlane quorum = KraftControlPlane.open(config.control(), broken, Uuid::randomUuid);
    parts.started("quorum", quorum);
    control = Optional.of(quorum);
    QuorumMeters.register(
        frame.meters().registry(),
        quorum::standing,
        config.control().controllerListener().isPresent());
    quorum.onFatal(() -> frame.fatal().complete("a fault of the control plane, see the log"));
    return quorum;
  }

  private void join(ControlPlane quorum, DataPlane plane, Map<String, Integer> ports) {
    Optional<String> store = plane.storeIdentity();
    quorum.register(new Joining(ports, store));
    store.ifPresent(identity -> stopBesideAnotherStore(quorum, identity));
    plane.follow(quorum);
    await(quorum.caughtUp(), "the controller to see this node caught up");
    frame.phases().done("registration");
    await(quorum.readyToServe(), "the controller to unfence this node");
    frame.phases().done("unfencing");
    frame.health().ready("unfenced", () -> Check.of(quorum.serving(), "fenced"));
    node.state(NodeMeters.State.RUNNING);
  }

  /** History of a partition would be missing wherever its leader moved: the later one goes. */
  private void stopBesideAnotherStore(ControlPlane quorum, String store) {
    var unused =
        quorum
            .seen(view -> view.withAnotherStore(store, quorum.brokerEpoch()).isPresent())
            .thenAccept(
                view -> {
                  int other = view.withAnotherStore(store, quorum.brokerEpoch()).orElse(-1);
                  frame
                      .fatal()
                      .complete(
                          "broker "
                              + other
                              + " uses another object store than this one: "
                              + ConfigKeys.OBJECT_STORE
                              + " must name one store for all brokers of a cluster");
                });
  }

  private void handOver() {
    if (!config.kafkaOn("controlled.shutdown.enable")) {
      return;
    }
    ControlPlane quorum = control.orElseThrow();
    handover.await(quorum.controlledShutdown());
  }

  @Override
  public void hurry() {
    handover.hurry();
  }

  private <T> T await(CompletableFuture<T> future, String what) {
    try {
      CompletableFuture.anyOf(frame.fatal(), future)
          .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      if (!future.isDone()) {
        throw new StartException("stopped while waiting for " + what + ": " + frame.fatal().join());
      }
      return future.get();
    } catch (TimeoutException e) {
      throw new StartException("waited " + PATIENCE.toSeconds() + " s in vain for " + what, e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException known
          && !(known instanceof CancellationException)) { // which says nothing
        throw known;
      }
      throw new StartException("failed while waiting for " + what + ": " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted while waiting for " + what, e);
    }
  }

  /** The port that a listener is bound to. */
  public int port(String listener) {
    Integer port = data.orElseThrow().ports().get(listener);
    if (port == null) {
      throw new IllegalArgumentException("no such listener: " + listener);
    }
    return port;
  }

  /** Where clients find this node: host:port of each listener. */
  private String addresses() {
    return control().listeners().stream()
        .map(
            listener ->
                (listener.host() == null || listener.host().isEmpty() ? "*" : listener.host())
                    + ":"
                    + port(listener.listener()))
        .collect(Collectors.joining(" "));
  }

  /** Where the admin endpoint listens, if it does. */
  public Optional<InetSocketAddress> adminAddress() {
    return frame.adminAddress();
  }

  /** This node's part in the cluster. */
  public ControlPlane control() {
    return control.orElseThrow();
  }

  @Override
  public String describe() {
    return addresses()
        + ", data "
        + config.dataDirectory().normalize()
        + ", object store "
        + config.objectStore()
        + ", in "
        + frame.phases().totalMs()
        + " ms";
  }

  @Override
  public CompletableFuture<String> fatal() {
    return frame.fatal();
  }

  @Override
  public void close() {
    if (closing.compareAndSet(false, true)) {
      frame.health().ready("unfenced", () -> Check.failed("stopping"));
      node.state(NodeMeters.State.STOPPING);
      parts.close();
    }
  }
}
