package io.strandline.broker.observe;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.strandline.broker.observe.kafka.KafkaMeters;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.AppInfoParser;
import org.jspecify.annotations.Nullable;

/** The node's meters: those for Prometheus, and those under Kafka's names for JMX. */
public final class Meters implements AutoCloseable {
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics collections = new JvmGcMetrics();
  private final KafkaMeters kafka;
  private volatile @Nullable Supplier<String> clients;

  /**
   * @param nanoClock {@code System::nanoTime} but in tests
   */
  public Meters(LongSupplier nanoClock) {
    this.kafka = new KafkaMeters(nanoClock);
  }

  /** Those that are told under Kafka's names. */
  public KafkaMeters kafka() {
    return kafka;
  }

  /** Where every part of the broker registers what it counts. */
  public MeterRegistry registry() {
    return registry;
  }

  /**
   * Adds what the JVM and the process tell of themselves, their version and their clock; takes a
   * moment, so not on the way up.
   */
  public void bindProcess(InstantSource clock) {
    String version = Meters.class.getPackage().getImplementationVersion();
    Gauge.builder("strandline.version", () -> 1)
        .tag("version", version == null ? "unpackaged" : version)
        .tag("kafka", AppInfoParser.getVersion())
        .register(registry);
    // The start and the uptime tell nothing of a clock that is set meanwhile.
    Gauge.builder("strandline.clock", () -> clock.millis() / 1e3)
        .baseUnit("seconds")
        .register(registry);
    new JvmMemoryMetrics().bindTo(registry);
    collections.bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }

  /**
   * What clients tell of themselves is told too.
   *
   * @param page in Prometheus' text format
   */
  public void addClients(Supplier<String> page) {
    clients = page;
  }

  /** What clients tell of themselves, in Prometheus' text format; empty when it is not kept. */
  public Optional<String> scrapeClients() {
    return Optional.ofNullable(clients).map(Supplier::get);
  }

  /** All meters in Prometheus' text format. */
  public String scrape() {
    return registry.scrape();
  }

  @Override
  public void close() {
    kafka.close();
    collections.close();
    registry.close();
  }
}
