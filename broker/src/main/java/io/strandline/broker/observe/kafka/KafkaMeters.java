package io.strandline.broker.observe.kafka;

import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's meters under Kafka's names, each an MBean of the platform's server from when it is
 * made until it is removed or this is closed. A name that is taken already, as by an earlier node
 * in the same process, is taken over.
 *
 * <p>Thread-safe. Making a meter costs tens of microseconds: keep it.
 */
public final class KafkaMeters implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaMeters.class);

  private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
  private final Map<KafkaName, MeterBean<?>> beans = new ConcurrentHashMap<>();
  private final Map<KafkaName, Runnable> ticks = new ConcurrentHashMap<>();
  private final LongSupplier nanoClock;
  private volatile boolean closed;

  /**
   * @param nanoClock {@code System::nanoTime} but in tests
   */
  public KafkaMeters(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /** Lets the averages pass with time. */
  public void start(ScheduledExecutorService timer) {
    var unused =
        timer.scheduleAtFixedRate(
            this::tick, Rate.TICK_SECONDS, Rate.TICK_SECONDS, TimeUnit.SECONDS);
  }

  /** As called every {@link Rate#TICK_SECONDS}. */
  void tick() {
    ticks.values().forEach(Runnable::run);
    beans.forEach(
        (name, bean) -> {
          if (!bean.registered()) {
            takeBack(name, bean);
          }
        });
  }

  /**
   * Kafka's classes in this process count their own things under the same names, as the log of the
   * metadata does its flushes, and register whenever they like. The broker's count goes first.
   */
  private void takeBack(KafkaName name, MeterBean<?> bean) {
    try {
      String holder = server.getObjectInstance(name.objectName()).getClassName();
      if (holder.equals(MeterBean.class.getName())) {
        return; // another node's
      }
    } catch (InstanceNotFoundException e) {
      LOG.atDebug().addKeyValue("key", name).log("an MBean was taken away");
    }
    if (beans.get(name) == bean) {
      register(name, bean);
    }
  }

  /**
   * A rate.
   *
   * @param eventType what is counted: bytes, messages, requests
   */
  public Rate rate(KafkaName name, String eventType) {
    Rate rate = new Rate(eventType, nanoClock);
    ticks.put(name, rate::tick);
    register(name, new MeterBean<>(MeterBean.RATE, rate));
    return rate;
  }

  /** A rate that is shown as an attribute of the group of this name. */
  public Rate member(KafkaName group, String attribute, String eventType) {
    Rate rate = new Rate(eventType, nanoClock);
    ticks.put(group.with("attribute", attribute), rate::tick);
    return rate;
  }

  /** Shows milliseconds, wants microseconds. */
  public Distribution times(KafkaName name) {
    return distribution(name, new Distribution(1000));
  }

  /** Shows what it is given. */
  public Distribution sizes(KafkaName name) {
    return distribution(name, new Distribution(1));
  }

  private Distribution distribution(KafkaName name, Distribution distribution) {
    ticks.put(name, distribution::tick);
    register(name, new MeterBean<>(MeterBean.DISTRIBUTION, distribution));
    return distribution;
  }

  /** How often something is done, and how long it takes. */
  public Timing timing(KafkaName name, String eventType) {
    Timing timing = new Timing(new Rate(eventType, nanoClock), new Distribution(1000));
    ticks.put(
        name,
        () -> {
          timing.rate().tick();
          timing.millis().tick();
        });
    register(name, new MeterBean<>(MeterBean.TIMING, timing));
    return timing;
  }

  /** A value that is asked for when it is read; asking must be cheap and must not block. */
  public void gauge(KafkaName name, Supplier<?> value) {
    register(name, new MeterBean<>(MeterBean.GAUGE, value));
  }

  /** Several values under one name, each an attribute. */
  public void group(KafkaName name, Map<String, Supplier<?>> values) {
    register(name, new MeterBean<>(MeterBean.GROUP, Map.copyOf(values)));
  }

  /** Takes a meter away; what is still recorded into it is lost. */
  public void remove(KafkaName name) {
    ticks.remove(name);
    MeterBean<?> bean = beans.remove(name);
    if (bean != null) {
      unregister(name, bean);
    }
  }

  private void register(KafkaName name, MeterBean<?> bean) {
    if (closed) {
      return;
    }
    beans.put(name, bean);
    ObjectName objectName = name.objectName();
    try {
      try {
        server.registerMBean(bean, objectName);
      } catch (InstanceAlreadyExistsException e) {
        server.unregisterMBean(objectName);
        server.registerMBean(bean, objectName);
      }
    } catch (JMException e) {
      LOG.atWarn().addKeyValue("key", name).setCause(e).log("a meter has no MBean");
    }
  }

  private void unregister(KafkaName name, MeterBean<?> bean) {
    if (!bean.registered()) {
      return; // another node has the name now
    }
    try {
      server.unregisterMBean(name.objectName());
    } catch (InstanceNotFoundException e) {
      LOG.atDebug().addKeyValue("key", name).log("an MBean was gone already");
    } catch (JMException e) {
      LOG.atWarn().addKeyValue("key", name).setCause(e).log("an MBean stays");
    }
  }

  @Override
  public void close() {
    closed = true;
    ticks.clear();
    beans.forEach(this::unregister);
    beans.clear();
  }
}
