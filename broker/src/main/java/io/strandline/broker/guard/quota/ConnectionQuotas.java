package io.strandline.broker.guard.quota;

import java.net.InetAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.network.ConnectionQuotaEntity;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.apache.kafka.server.config.QuotaConfig;
import org.jspecify.annotations.Nullable;

/**
 * How many connections are open, and how fast new ones come (KIP-308, 402, 612). Any thread, never
 * blocking.
 *
 * <p>The way of a connection: {@link #arrived} says how long its listener has to wait, {@link
 * #room} whether there is a place, {@link #enter} whether its address may have one, {@link #left}
 * gives it back.
 *
 * <p>The listener of brokers, where it is not the only one, is sheltered: the bounds of the node
 * are for the others, so that clients can not keep brokers from each other.
 */
public final class ConnectionQuotas implements AutoCloseable {
  private static final ConnectionQuotaEntity NODE = ConnectionQuotaEntity.brokerQuotaEntity();

  private final ConnectionRates rates;
  private final Time time;
  private final Map<String, OfListener> listeners = new LinkedHashMap<>();
  private final Map<InetAddress, Integer> byAddress = new HashMap<>();
  private final Map<InetAddress, Integer> perSecond = new HashMap<>();
  private final @Nullable String sheltered;
  private int perSecondDefault = QuotaConfig.IP_CONNECTION_RATE_DEFAULT;
  private ConnectionLimits limits = ConnectionLimits.NONE;
  private int open;

  /** The connections of one listener. */
  private static final class OfListener {
    final ConnectionQuotaEntity entity;
    final Sensor waits;
    final Sensor addressWaits;
    int open;

    OfListener(String name, ConnectionRates rates) {
      entity = ConnectionQuotaEntity.listenerQuotaEntity(name);
      waits = rates.waits(name, ConnectionQuotaEntity.LISTENER_THROTTLE_PREFIX);
      addressWaits = rates.waits(name, ConnectionQuotaEntity.IP_THROTTLE_PREFIX);
    }
  }

  /** What is done with a connection that has arrived. */
  public sealed interface Verdict {
    /** It is served, and counted as open. */
    record Enter() implements Verdict {}

    /** It is closed, as its address has so many already. */
    record TooMany(int most) implements Verdict {}

    /** It is left alone for a time, and then closed: its address opens them too fast. */
    record TooFast(long closeAfterMs) implements Verdict {}
  }

  /**
   * @param listeners names
   * @param ofBrokers the one that brokers use
   * @param windows {@code quota.window.num} and {@code quota.window.size.seconds}
   */
  public ConnectionQuotas(
      Collection<String> listeners,
      String ofBrokers,
      ClientQuotaManagerConfig windows,
      Metrics metrics,
      Time time) {
    this.rates = new ConnectionRates(windows, metrics);
    this.time = time;
    this.sheltered = listeners.size() > 1 ? ofBrokers : null;
    listeners.forEach(name -> this.listeners.put(name, new OfListener(name, rates)));
    set(limits);
  }

  /** The bounds that were set last. */
  synchronized ConnectionLimits limits() {
    return limits;
  }

  /** Sets the bounds; who is connected stays so, unless {@link #excess} says otherwise. */
  public synchronized void set(ConnectionLimits changed) {
    limits = changed;
    rates.sensor(NODE, changed.node().perSecond());
    listeners.forEach((name, of) -> rates.sensor(of.entity, changed.of(name).perSecond()));
  }

  /**
   * Sets how fast an address may connect, or takes that away.
   *
   * @param address empty for all that have no bound of their own
   */
  public synchronized void set(Optional<InetAddress> address, Optional<Integer> bound) {
    if (address.isEmpty()) {
      perSecondDefault = bound.orElse(QuotaConfig.IP_CONNECTION_RATE_DEFAULT);
    } else if (bound.isPresent()) {
      perSecond.put(address.get(), bound.get());
    } else {
      perSecond.remove(address.get());
    }
  }

  /** Whether the bounds of the node do not count for a listener. */
  public boolean sheltered(String listener) {
    return listener.equals(sheltered);
  }

  /** Counts an attempt; milliseconds for which the listener takes nobody in. */
  public synchronized long arrived(String listener) {
    long nowMs = time.milliseconds();
    OfListener of = of(listener);
    long nodeMs = sheltered(listener) ? 0 : rates.count(NODE, limits.node().perSecond(), nowMs);
    long waitMs = Math.max(nodeMs, rates.count(of.entity, limits.of(listener).perSecond(), nowMs));
    if (waitMs > 0) {
      of.waits.record((double) waitMs, nowMs);
    }
    return waitMs;
  }

  /** Whether there is a place for one more. */
  public synchronized boolean room(String listener) {
    return of(listener).open < limits.of(listener).open()
        && (sheltered(listener) || open < limits.node().open());
  }

  /** Judges a connection for which there is room, by its address. */
  public synchronized Verdict enter(String listener, InetAddress address) {
    long waitMs = early(listener, address);
    if (waitMs > 0) {
      return new Verdict.TooFast(waitMs);
    }
    int ofAddress = byAddress.getOrDefault(address, 0);
    int most = limits.of(address);
    if (ofAddress >= most) {
      return new Verdict.TooMany(most);
    }
    byAddress.put(address, ofAddress + 1);
    of(listener).open++;
    open++;
    return new Verdict.Enter();
  }

  /** One that comes too fast is not counted anywhere, so that it costs others nothing. */
  private long early(String listener, InetAddress address) {
    int bound = perSecond.getOrDefault(address, perSecondDefault);
    if (bound == QuotaConfig.IP_CONNECTION_RATE_DEFAULT) {
      return 0;
    }
    long nowMs = time.milliseconds();
    ConnectionQuotaEntity entity = ConnectionRates.of(address);
    long waitMs = rates.count(entity, bound, nowMs);
    if (waitMs > 0) {
      OfListener of = of(listener);
      rates.takeBack(entity, bound, nowMs);
      rates.takeBack(of.entity, limits.of(listener).perSecond(), nowMs);
      if (!sheltered(listener)) {
        rates.takeBack(NODE, limits.node().perSecond(), nowMs);
      }
      of.addressWaits.record((double) waitMs, nowMs);
    }
    return waitMs;
  }

  /** A connection that had entered is closed. */
  public synchronized void left(String listener, InetAddress address) {
    open--;
    of(listener).open--;
    byAddress.computeIfPresent(address, (a, count) -> count == 1 ? null : count - 1);
  }

  /** How many are open. */
  public synchronized int open() {
    return open;
  }

  /** How many of those that are not sheltered have to go. */
  public synchronized int excess() {
    int others = open - (sheltered == null ? 0 : of(sheltered).open);
    return Math.min(others, Math.max(0, open - limits.node().open()));
  }

  private OfListener of(String listener) {
    OfListener of = listeners.get(listener);
    if (of == null) {
      throw new IllegalArgumentException("no such listener: " + listener);
    }
    return of;
  }

  @Override
  public synchronized void close() {
    rates.remove(rates.sensor(NODE, limits.node().perSecond()));
    listeners.forEach(
        (name, of) -> {
          rates.remove(rates.sensor(of.entity, limits.of(name).perSecond()));
          rates.remove(of.waits);
          rates.remove(of.addressWaits);
        });
  }
}
