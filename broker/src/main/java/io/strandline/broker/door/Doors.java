package io.strandline.broker.door;

import io.strandline.broker.StartException;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.acl.AclGuard;
import io.strandline.broker.guard.identity.NodeSecurity;
import io.strandline.broker.guard.identity.ScramUsers;
import io.strandline.broker.guard.quota.ClientQuotas;
import io.strandline.broker.guard.quota.ConnectionFeed;
import io.strandline.broker.guard.quota.ConnectionLimits;
import io.strandline.broker.guard.quota.ConnectionQuotas;
import io.strandline.broker.guard.quota.QuotaCallback;
import io.strandline.broker.guard.quota.QuotaFeed;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Reconfigurable;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.server.quota.ClientQuotaCallback;

/** Puts together how clients are let in. */
public final class Doors {
  private static final long PATIENCE_S = 60;

  private Doors() {}

  /**
   * Who may do what, the ACLs loaded; empty when no authorizer is configured.
   *
   * @throws StartException when the authorizer can not be had
   */
  public static Optional<AclGuard> guard(ControlPlane quorum) {
    try {
      Optional<AclGuard> guard = AclGuard.of(quorum);
      guard.ifPresent(acls -> await(acls.ready(), "the ACLs"));
      guard.ifPresent(acls -> requireReach(quorum.kafkaConfig(), acls));
      guard.map(acls -> acls.plugin().get()).ifPresent(authorizer -> follow(quorum, authorizer));
      return guard;
    } catch (KafkaException e) {
      throw new StartException("authorizer: " + e.getMessage(), e);
    }
  }

  /** A plug-in may take changes of its own settings. */
  private static void follow(ControlPlane quorum, Object plugin) {
    if (plugin instanceof Reconfigurable settings) {
      quorum.changes().add(settings);
    }
  }

  private static void await(CompletableFuture<Void> loaded, String what) {
    try {
      loaded.get(PATIENCE_S, TimeUnit.SECONDS);
    } catch (TimeoutException | ExecutionException e) {
      throw new StartException("could not load " + what + " of the cluster", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted while loading " + what, e);
    }
  }

  /** The controller asks the same rules: without this the node would wait for it in vain. */
  private static void requireReach(AbstractKafkaConfig config, AclGuard acls) {
    String name = config.controllerListenerNames().get(0);
    SecurityProtocol protocol =
        config.effectiveListenerSecurityProtocolMap().get(ListenerName.normalised(name));
    if (protocol == SecurityProtocol.PLAINTEXT && !acls.letsAnybodyAct()) {
      throw new StartException(
          "with an authorizer the controller refuses this node, because its listener "
              + name
              + " asks nobody who he is: map it to SASL_PLAINTEXT or SSL in"
              + " listener.security.protocol.map and name the node's user in super.users");
    }
  }

  /**
   * What clients may use, following what is changed.
   *
   * @throws StartException when {@code client.quota.callback.class} can not be had
   */
  public static ClientQuotas quotas(ControlPlane quorum) {
    Optional<Plugin<ClientQuotaCallback>> custom;
    try {
      custom = QuotaCallback.open(quorum.kafkaConfig(), quorum.kafkaMetrics());
    } catch (KafkaException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
    ClientQuotas quotas =
        new ClientQuotas(windows(quorum), quorum.kafkaMetrics(), Time.SYSTEM, custom);
    custom.ifPresent(plugin -> follow(quorum, plugin.get()));
    custom.ifPresent(
        plugin ->
            quorum.listenToImages(
                new QuotaCallback(plugin.get(), quotas, quorum.view().clusterId())));
    quorum.listenToImages(new QuotaFeed(quotas));
    return quotas;
  }

  private static ClientQuotaManagerConfig windows(ControlPlane quorum) {
    QuotaConfig config = new QuotaConfig(quorum.kafkaConfig());
    return new ClientQuotaManagerConfig(config.numQuotaSamples(), config.quotaWindowSizeSeconds());
  }

  /**
   * How many connections there may be and how fast they may come, following what is changed.
   *
   * @throws StartException when the settings do not do
   */
  public static ConnectionQuotas connections(ControlPlane quorum) {
    AbstractKafkaConfig config = quorum.currentConfig();
    List<String> listeners = quorum.listeners().stream().map(Endpoint::listener).toList();
    ConnectionQuotas quotas =
        new ConnectionQuotas(
            listeners,
            config.interBrokerListenerName().value(),
            windows(quorum),
            quorum.kafkaMetrics(),
            Time.SYSTEM);
    try {
      quotas.set(ConnectionLimits.of(config, listeners, ConnectionLimits.NONE));
    } catch (ConfigException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
    quorum.listenToImages(
        new ConnectionFeed(
            quotas, before -> ConnectionLimits.of(quorum.currentConfig(), listeners, before)));
    return quotas;
  }

  /**
   * The security of all listeners, users loaded; their certificates, and those of this node's own
   * connections, are read again when they change.
   *
   * @param reloadMs how often it is looked whether certificates have changed
   * @param files reads them
   * @throws StartException naming the listener whose settings do not do
   */
  public static NodeSecurity open(
      ControlPlane quorum,
      InstantSource clock,
      long reloadMs,
      ScheduledExecutorService timer,
      Executor files) {
    ScramUsers scram = new ScramUsers(quorum.kafkaConfig());
    quorum.listenToImages(scram);
    NodeSecurity security;
    try {
      security = new NodeSecurity(quorum::currentConfig, quorum.listeners(), scram, clock);
    } catch (KafkaException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
    await(scram.loaded(), "the users");
    security.certificates().forEach(quorum.changes()::add);
    Runnable reload =
        () -> {
          security.reload();
          quorum.changes().reloadFiles();
        };
    var unused =
        timer.scheduleWithFixedDelay(
            () -> files.execute(reload), reloadMs, reloadMs, TimeUnit.MILLISECONDS);
    return security;
  }
}
