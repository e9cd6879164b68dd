package io.strandline.broker.control.quorum;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.ControlException;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;

/**
 * A controller that is no broker: a voter or an observer of the metadata quorum, with Kafka's own
 * controller, unmodified. Thread-safe.
 */
public final class KraftController implements AutoCloseable {
  private final KraftNode node;

  private KraftController(KraftNode node) {
    this.node = node;
  }

  /**
   * Starts the controller; it takes part in the quorum when this returns, and nobody may lead yet.
   *
   * @param ids where ids of directories come from
   * @throws ControlException when the configuration, the directories or the port do not allow it
   */
  public static KraftController open(ControlConfig wanted, Supplier<Uuid> ids) {
    return new KraftController(KraftNode.open(wanted, Set.of(), ids));
  }

  /** The cluster's id. */
  public String clusterId() {
    return node.storage().clusterId();
  }

  /** The quorum as this node sees it. */
  public QuorumStanding standing() {
    return node.standing();
  }

  /** See {@link io.strandline.broker.control.ControlPlane#onFatal}. */
  public void onFatal(Runnable stop) {
    node.faults().onFatal(stop);
  }

  /** Hands the quorum over, if this node leads it, and stops. */
  @Override
  public void close() {
    node.close();
  }
}
