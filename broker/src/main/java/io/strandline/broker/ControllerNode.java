package io.strandline.broker;

import io.strandline.broker.control.ControlException;
import io.strandline.broker.control.quorum.KraftController;
import io.strandline.broker.node.NodeFrame;
import io.strandline.broker.node.QuorumMeters;
import io.strandline.broker.observe.Health.Check;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.ThreadUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node that is a controller and no broker: the quorum's part and the admin endpoint, nothing that
 * carries records.
 *
 * <p>It has started when it takes part in the quorum, for the first of several controllers can not
 * wait for the others; it is ready when a leader is known.
 */
final class ControllerNode implements RunningNode {
  private static final Logger LOG = LoggerFactory.getLogger(ControllerNode.class);

  private final BrokerConfig config;
  private final NodeFrame frame;
  private final AtomicBoolean closing = new AtomicBoolean();
  private Optional<KraftController> controller = Optional.empty();

  private ControllerNode(BrokerConfig config) {
    this.config = config;
    this.frame = new NodeFrame(config, System::nanoTime);
  }

  /**
   * Starts the node.
   *
   * @throws StartException or {@link ControlException}, with one line for the operator; whatever
   *     had started is stopped again
   */
  static ControllerNode start(BrokerConfig config) {
    ControllerNode node = new ControllerNode(config);
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
    ScheduledExecutorService timer =
        Executors.newSingleThreadScheduledExecutor(
            ThreadUtils.createThreadFactory("timer-%d", true));
    frame.parts().started("timer", timer::shutdownNow);
    frame.meters().kafka().start(timer);
    frame.health().ready("quorum", () -> Check.failed("starting"));
    frame.startAdmin(Threads.admin());
    KraftController started = KraftController.open(config.control(), Uuid::randomUuid);
    frame.parts().started("quorum", started);
    controller = Optional.of(started);
    started.onFatal(() -> frame.fatal().complete("a fault of the controller, see the log"));
    QuorumMeters.register(frame.meters().registry(), started::standing, true);
    frame.health().ready("quorum", () -> Check.of(started.standing().led(), "no controller leads"));
    frame.phases().done("quorum");
    frame.meters().bindProcess(InstantSource.system());
    LOG.atDebug().addKeyValue("ms", frame.phases().totalMs()).log("started: {}", frame.phases());
  }

  @Override
  public String describe() {
    return "controller "
        + config.control().controllerListener().map(listener -> listener.local()).orElse("")
        + ", metadata "
        + config.control().metadataDirectory().normalize()
        + ", in "
        + frame.phases().totalMs()
        + " ms";
  }

  /** The quorum's part. */
  KraftController controller() {
    return controller.orElseThrow();
  }

  @Override
  public CompletableFuture<String> fatal() {
    return frame.fatal();
  }

  @Override
  public void close() {
    if (closing.compareAndSet(false, true)) {
      frame.health().ready("quorum", () -> Check.failed("stopping"));
      frame.close();
    }
  }
}
