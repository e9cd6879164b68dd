package io.strandline.broker.share;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.share.window.Change;
import java.util.function.Supplier;

/** What an operator sees of share groups. */
final class ShareMeters {
  private final Counter acknowledged;
  private final Counter expired;
  private final Counter refused;
  private final MeterRegistry registry;

  ShareMeters(MeterRegistry registry) {
    this.registry = registry;
    this.acknowledged = registry.counter("strandline.share.acknowledgements");
    this.refused = registry.counter("strandline.share.refused.acknowledgements");
    this.expired = registry.counter("strandline.share.expired.locks");
  }

  void gauge(String name, Supplier<Number> value) {
    Gauge.builder("strandline.share." + name, value).register(registry);
  }

  void expired(Change change) {
    change.parts().forEach(part -> expired.increment((double) (part.last() - part.first() + 1)));
  }

  void acknowledged(long records) {
    acknowledged.increment((double) records);
  }

  void refused(long records) {
    refused.increment((double) records);
  }
}
