package io.strandline.broker.telemetry;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.apache.kafka.server.metrics.ClientMetricsInstanceMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What operators want to know of clients: the configurations of type {@code client-metrics} in the
 * cluster's metadata. Read by any thread, changed by the loader's.
 */
final class Subscriptions {
  private static final Logger LOG = LoggerFactory.getLogger(Subscriptions.class);

  /** Names together with their number, so that neither is seen without the other. */
  private record State(int version, Map<String, Subscription> byName) {}

  private record Subscription(Set<String> metrics, int intervalMs, Map<String, Pattern> clients) {}

  /**
   * What one client is asked for.
   *
   * @param metrics prefixes of names, {@code *} for all; empty for nothing
   * @param intervalMs time between two pushes
   * @param version of the subscriptions from which this was made
   */
  record Wanted(SortedSet<String> metrics, int intervalMs, int version) {}

  private volatile State state = new State(0, Map.of());

  void onImage(MetadataDelta delta, MetadataImage image) {
    if (delta.configsDelta() == null) {
      return;
    }
    Map<String, Subscription> all = new HashMap<>(state.byName);
    for (ConfigResource resource : delta.configsDelta().changes().keySet()) {
      if (resource.type() == ConfigResource.Type.CLIENT_METRICS) {
        set(all, resource.name(), image.configs().configProperties(resource));
      }
    }
    if (!all.equals(state.byName)) {
      state = new State(state.version + 1, Map.copyOf(all));
    }
  }

  private static void set(Map<String, Subscription> all, String name, Properties values) {
    all.remove(name);
    if (values.isEmpty()) {
      return;
    }
    try {
      ClientMetricsConfigs.validate(name, values);
      ClientMetricsConfigs config = new ClientMetricsConfigs(values);
      List<String> clients = config.getList(ClientMetricsConfigs.MATCH_CONFIG);
      all.put(
          name,
          new Subscription(
              Set.copyOf(new HashSet<>(config.getList(ClientMetricsConfigs.METRICS_CONFIG))),
              config.getInt(ClientMetricsConfigs.INTERVAL_MS_CONFIG),
              ClientMetricsConfigs.parseMatchingPatterns(clients)));
    } catch (RuntimeException e) { // the controller took it, or one of another version did
      LOG.atWarn()
          .addKeyValue("key", name)
          .addKeyValue("reason", e.getMessage())
          .log("a subscription to clients' metrics is not understood and asks for nothing");
    }
  }

  /** Rises with each change. */
  int version() {
    return state.version;
  }

  /** The sum of all subscriptions that mean the client, by the shortest of their intervals. */
  Wanted of(ClientMetricsInstanceMetadata client) {
    State now = state;
    SortedSet<String> metrics = new TreeSet<>();
    int intervalMs = ClientMetricsConfigs.INTERVAL_MS_DEFAULT;
    for (Subscription subscription : now.byName.values()) {
      if (client.isMatch(subscription.clients)) {
        metrics.addAll(subscription.metrics);
        intervalMs = Math.min(intervalMs, subscription.intervalMs);
      }
    }
    if (metrics.contains(ClientMetricsConfigs.ALL_SUBSCRIBED_METRICS)) {
      metrics = new TreeSet<>(Set.of(ClientMetricsConfigs.ALL_SUBSCRIBED_METRICS));
    }
    return new Wanted(metrics, intervalMs, now.version);
  }
}
