package io.strandline.broker.control;

import io.strandline.broker.control.quorum.SteadyTime;
import io.strandline.broker.control.quorum.Storage;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.BrokerState;
import org.apache.kafka.metadata.ListenerInfo;
import org.apache.kafka.metadata.VersionRange;
import org.apache.kafka.server.BrokerFeatures;
import org.apache.kafka.server.BrokerLifecycleManager;
import scala.jdk.javaapi.CollectionConverters;

/** This broker's registration with the controller and its heartbeats, by Kafka's own hands. */
final class Registration implements AutoCloseable {
  /**
   * A feature that no controller finalizes, supported by brokers of ours alone: so they know each
   * other among Apache Kafka's.
   */
  static final String OURS = "strandline.broker";

  /**
   * Another one: the highest version that a broker supports is the {@link #mark} of its store, so
   * that brokers find out when one of them names another bucket.
   */
  static final String STORE = "strandline.store";

  private static final int MARKS = Short.MAX_VALUE;

  private final KafkaConfig config;
  private final Storage storage;
  private final Predicate<String> serves;
  private final BrokerLifecycleManager lifecycle;
  private volatile CompletableFuture<Void> unfenced = new CompletableFuture<>();
  private final BrokerFeatures features;

  /**
   * Prepares the registration.
   *
   * @param serves whether there is a listener of this name
   * @param expelled runs when the registration is lost for good: it was refused until its deadline,
   *     or a directory's failure could not be told
   * @param cordonedSupported whether the cluster's metadata level knows cordoned directories
   */
  Registration(
      KafkaConfig config,
      Storage storage,
      Predicate<String> serves,
      Runnable expelled,
      Supplier<Boolean> cordonedSupported) {
    this.config = config;
    this.storage = storage;
    this.serves = serves;
    this.features = BrokerFeatures.createDefault(config.unstableFeatureVersionsEnabled());
    Map<String, Uuid> directories = new LinkedHashMap<>();
    for (String directory : config.logDirs()) { // Kafka looks cordons up by what was configured
      Uuid id = storage.directories().get(Path.of(directory));
      if (id != null) {
        directories.put(directory, id);
      }
    }
    this.lifecycle =
        new BrokerLifecycleManager(
            config,
            SteadyTime.STEADY,
            "broker-" + config.nodeId() + "-",
            directories,
            expelled,
            cordonedSupported);
  }

  BrokerFeatures features() {
    return features;
  }

  /** See {@link ControlPlane#register}. */
  void start(Channels channels, Supplier<Long> appliedOffset, Joining joining) {
    ListenerInfo listeners;
    try {
      listeners =
          ListenerInfo.create(
                  Optional.of(config.interBrokerListenerName().value()).filter(serves),
                  CollectionConverters.asJava(config.effectiveAdvertisedBrokerListeners()).stream()
                      .filter(endpoint -> serves.test(endpoint.listener()))
                      .toList())
              .withWildcardHostnamesResolved()
              .withEphemeralPortsCorrected(name -> joining.boundPorts().getOrDefault(name, 0));
    } catch (UnknownHostException e) {
      throw new ControlException("this host's name can not be resolved: " + e.getMessage(), e);
    }
    lifecycle.start(
        appliedOffset,
        channels.heartbeats(),
        storage.clusterId(),
        listeners.toBrokerRegistrationRequest(),
        supported(joining.store()),
        storage.previousEpoch());
  }

  /** Of a store's identity, from 1 on; two stores in 32,767 pairs have the same. */
  static short mark(String store) {
    return (short) (1 + Math.floorMod(store.hashCode(), MARKS));
  }

  private Map<String, VersionRange> supported(Optional<String> store) {
    Map<String, VersionRange> all = new HashMap<>(BrokerFeatures.createDefaultFeatureMap(features));
    all.put(OURS, VersionRange.of(0, 1));
    store.ifPresent(identity -> all.put(STORE, VersionRange.of(0, mark(identity))));
    return all;
  }

  /** Registers again, after the metadata level rose. */
  void refresh() {
    lifecycle.resendBrokerRegistration();
  }

  CompletableFuture<Void> caughtUp() {
    return lifecycle.initialCatchUpFuture();
  }

  CompletableFuture<Void> unfence() {
    unfenced = lifecycle.setReadyToUnfence();
    return unfenced;
  }

  /** Kafka tells that it was unfenced a moment before its state says so. */
  boolean running() {
    BrokerState state = lifecycle.state();
    return state == BrokerState.RUNNING
        || (state == BrokerState.RECOVERY
            && unfenced.isDone()
            && !unfenced.isCompletedExceptionally());
  }

  long epoch() {
    return lifecycle.brokerEpoch();
  }

  void directoryFailed(Uuid directory) {
    lifecycle.propagateDirectoryFailure(directory, config.logDirFailureTimeoutMs());
  }

  /** Nothing new shall be put into these directories (KIP-1066). */
  void cordon(List<String> directories) {
    Set<Path> cordoned = directories.stream().map(Path::of).collect(Collectors.toSet());
    lifecycle.propagateDirectoryCordoned(
        storage.directories().entrySet().stream()
            .filter(one -> cordoned.contains(one.getKey()))
            .map(Map.Entry::getValue)
            .collect(Collectors.toSet()));
  }

  CompletableFuture<Void> controlledShutdown() {
    lifecycle.beginControlledShutdown();
    return lifecycle.controlledShutdownFuture();
  }

  @Override
  public void close() {
    lifecycle.beginShutdown();
    try {
      lifecycle.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
