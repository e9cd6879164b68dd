package io.strandline.broker.guard.identity;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.network.ListenerName;

/**
 * What the configuration says for one listener: {@code listener.name.<name>.<key>} over {@code
 * <key>}, with keys that are in no table (by mechanism, of plug-ins) as they were given.
 */
final class ListenerValues {
  private ListenerValues() {}

  /** A map of the caller's own, which Kafka's parts may change. */
  static Map<String, Object> of(AbstractConfig config, ListenerName listener) {
    String prefix = listener.configPrefix();
    Map<String, Object> parsed = config.valuesWithPrefixOverride(prefix);
    Map<String, Object> all = new HashMap<>(parsed);
    config
        .originals()
        .forEach(
            (key, value) -> {
              boolean override =
                  key.startsWith(prefix) && parsed.containsKey(key.substring(prefix.length()));
              boolean byMechanism = parsed.containsKey(key.substring(key.indexOf('.') + 1));
              if (!parsed.containsKey(key) && !override && !byMechanism) {
                all.put(key, value);
              }
            });
    return all;
  }

  static boolean givenForListener(AbstractConfig config, ListenerName listener, String key) {
    return config.originals().containsKey(listener.configPrefix() + key);
  }
}
