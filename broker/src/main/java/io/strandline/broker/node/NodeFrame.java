package io.strandline.broker.node;

import io.strandline.broker.BrokerConfig;
import io.strandline.broker.ConfigKeys;
import io.strandline.broker.StartException;
import io.strandline.broker.observe.AdminServer;
import io.strandline.broker.observe.Health;
import io.strandline.broker.observe.Health.Check;
import io.strandline.broker.observe.Meters;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.function.LongSupplier;

/**
 * What a node has whatever its roles are: meters, health, the admin endpoint, the order in which
 * its parts stop, and the reason for which it can not go on.
 */
public final class NodeFrame implements AutoCloseable {
  private final BrokerConfig config;
  private final StopOrder parts = new StopOrder();
  private final StartupPhases phases;
  private final Health health = new Health();
  private final Meters meters;
  private final CompletableFuture<String> fatal = new CompletableFuture<>();
  private Optional<AdminServer> admin = Optional.empty();

  /**
   * @param nanoClock {@code System::nanoTime} but in tests
   */
  public NodeFrame(BrokerConfig config, LongSupplier nanoClock) {
    this.config = config;
    this.phases = new StartupPhases(nanoClock);
    this.meters = parts.started("meters", new Meters(nanoClock));
  }

  /** What was started, to be stopped in the reverse order. */
  public StopOrder parts() {
    return parts;
  }

  public StartupPhases phases() {
    return phases;
  }

  public Health health() {
    return health;
  }

  public Meters meters() {
    return meters;
  }

  /** Completes with the reason when the node can not go on and should be closed. */
  public CompletableFuture<String> fatal() {
    return fatal;
  }

  /**
   * Answers at the admin address from now on.
   *
   * @param threads that answer; ended with the node
   * @throws StartException when it is taken
   */
  public void startAdmin(ExecutorService threads) {
    parts.started("admin threads", threads::shutdownNow);
    health.live("running", () -> fatal.isDone() ? Check.failed(fatal.join()) : Check.OK);
    Optional<InetSocketAddress> address = config.adminListener();
    if (address.isEmpty()) {
      return;
    }
    try {
      AdminServer server = AdminServer.start(address.get(), meters, health, threads);
      admin = Optional.of(parts.started("admin endpoint", server));
    } catch (IOException e) {
      throw new StartException(
          "the admin address "
              + address.get()
              + " can not be bound ("
              + e.getMessage()
              + "): free it, or set "
              + ConfigKeys.ADMIN_LISTENER,
          e);
    }
  }

  /** Where the admin endpoint listens, if it does. */
  public Optional<InetSocketAddress> adminAddress() {
    return admin.map(AdminServer::address);
  }

  /** Stops all parts, last first. */
  @Override
  public void close() {
    parts.close();
  }
}
