package io.strandline.cache.disk;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** The metrics of the disk tier. */
final class DiskMeters {
  private final Counter writtenBytes;
  private final Counter evictions;
  private final Counter refused;
  private final Counter corrupt;
  private final Counter errors;

  DiskMeters(MeterRegistry registry, DiskChunks chunks) {
    writtenBytes =
        Counter.builder("strandline.cache.disk.written").baseUnit("bytes").register(registry);
    evictions = registry.counter("strandline.cache.evictions", "tier", "disk", "by", "size");
    refused = registry.counter("strandline.cache.disk.refused");
    corrupt = registry.counter("strandline.cache.disk.corrupt");
    errors = registry.counter("strandline.cache.disk.errors");
    Gauge.builder("strandline.cache.disk.bytes", chunks, DiskChunks::usedBytes)
        .baseUnit("bytes")
        .register(registry);
    Gauge.builder("strandline.cache.disk.online", chunks, c -> c.online() ? 1 : 0)
        .register(registry);
  }

  void written(int lengthBytes) {
    writtenBytes.increment(lengthBytes);
  }

  void evicted() {
    evictions.increment();
  }

  /** A chunk that admission, or too many writes at once, kept out. */
  void refused() {
    refused.increment();
  }

  void corrupt() {
    corrupt.increment();
  }

  void error() {
    errors.increment();
  }
}
