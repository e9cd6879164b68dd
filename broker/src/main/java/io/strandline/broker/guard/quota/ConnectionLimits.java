package io.strandline.broker.guard.quota;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.network.SocketServerConfigs;
import org.apache.kafka.server.config.AbstractKafkaConfig;

/**
 * How many connections may be open and how many may come in a second; {@link Integer#MAX_VALUE}
 * where nothing is set. Immutable.
 *
 * @param node of all listeners together
 * @param listeners of each by its name; one without settings of its own has those of the node
 * @param perAddress open from one address ({@code max.connections.per.ip})
 * @param overrides exceptions to it ({@code max.connections.per.ip.overrides})
 */
public record ConnectionLimits(
    Bound node, Map<String, Bound> listeners, int perAddress, Overrides overrides) {

  /**
   * @param open at a time ({@code max.connections})
   * @param perSecond new ones, on average ({@code max.connection.creation.rate})
   */
  public record Bound(int open, int perSecond) {
    public static final Bound NONE = new Bound(Integer.MAX_VALUE, Integer.MAX_VALUE);
  }

  /**
   * @param text as it is set
   * @param addresses of the hosts in it, looked up when it was set
   */
  public record Overrides(String text, Map<InetAddress, Integer> addresses) {
    public static final Overrides NONE = new Overrides("", Map.of());

    public Overrides {
      addresses = Map.copyOf(addresses);
    }
  }

  public static final ConnectionLimits NONE =
      new ConnectionLimits(Bound.NONE, Map.of(), Integer.MAX_VALUE, Overrides.NONE);

  public ConnectionLimits {
    listeners = Map.copyOf(listeners);
  }

  /**
   * Reads them. Looks hosts up if others are named than before.
   *
   * @throws ConfigException when an exception names a host that nobody knows
   */
  public static ConnectionLimits of(
      AbstractKafkaConfig config, Collection<String> listeners, ConnectionLimits before) {
    Map<String, Bound> bounds = new HashMap<>();
    for (String listener : listeners) {
      String prefix = ListenerName.normalised(listener).configPrefix();
      bounds.put(listener, bound(config.valuesWithPrefixOverride(prefix)));
    }
    String text = config.getString(SocketServerConfigs.MAX_CONNECTIONS_PER_IP_OVERRIDES_CONFIG);
    return new ConnectionLimits(
        bound(config.values()),
        bounds,
        config.getInt(SocketServerConfigs.MAX_CONNECTIONS_PER_IP_CONFIG),
        text.equals(before.overrides.text)
            ? before.overrides
            : new Overrides(text, addresses(text)));
  }

  private static Bound bound(Map<String, ?> values) {
    return new Bound(
        number(values, SocketServerConfigs.MAX_CONNECTIONS_CONFIG),
        number(values, SocketServerConfigs.MAX_CONNECTION_CREATION_RATE_CONFIG));
  }

  private static int number(Map<String, ?> values, String key) {
    return values.get(key) instanceof Integer number ? number : Integer.MAX_VALUE;
  }

  /** {@code host:count,host:count}, as Kafka writes it; an IPv6 address keeps its colons. */
  private static Map<InetAddress, Integer> addresses(String text) {
    Map<InetAddress, Integer> addresses = new HashMap<>();
    for (String entry : text.split(",", -1)) {
      int colon = entry.lastIndexOf(':');
      if (colon > 0) {
        String host = entry.substring(0, colon).trim();
        try {
          addresses.put(
              InetAddress.getByName(host), Integer.parseInt(entry.substring(colon + 1).trim()));
        } catch (UnknownHostException | NumberFormatException e) {
          throw new ConfigException(
              SocketServerConfigs.MAX_CONNECTIONS_PER_IP_OVERRIDES_CONFIG, entry, e.getMessage());
        }
      }
    }
    return addresses;
  }

  Bound of(String listener) {
    return listeners.getOrDefault(listener, Bound.NONE);
  }

  int of(InetAddress address) {
    return overrides.addresses.getOrDefault(address, perAddress);
  }
}
