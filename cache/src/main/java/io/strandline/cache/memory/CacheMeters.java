package io.strandline.cache.memory;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.ToLongFunction;

/** The metrics of the memory tier and of look-ups over both tiers. */
final class CacheMeters {
  private final Counter memoryHits;
  private final Counter diskHits;
  private final Counter joined;
  private final Counter misses;
  private final Counter failures;
  private final Counter loadedBytes;
  private final Counter evictedBySize;
  private final Counter evictedByPressure;

  CacheMeters(MeterRegistry registry, MemoryChunkCache cache) {
    memoryHits = registry.counter("strandline.cache.hits", "tier", "memory");
    diskHits = registry.counter("strandline.cache.hits", "tier", "disk");
    joined = registry.counter("strandline.cache.joined");
    misses = registry.counter("strandline.cache.misses");
    failures = registry.counter("strandline.cache.fill.failures");
    loadedBytes =
        Counter.builder("strandline.cache.fill.bytes").baseUnit("bytes").register(registry);
    evictedBySize = registry.counter("strandline.cache.evictions", "tier", "memory", "by", "size");
    evictedByPressure =
        registry.counter("strandline.cache.evictions", "tier", "memory", "by", "pressure");
    bytes(registry, "budget", cache, CacheUsage::budgetBytes);
    bytes(registry, "used", cache, CacheUsage::usedBytes);
    bytes(registry, "held", cache, CacheUsage::heldBytes);
    Gauge.builder("strandline.cache.fills", cache, c -> c.usage().fills()).register(registry);
    Gauge.builder("strandline.cache.waiting", cache, c -> c.usage().waiting()).register(registry);
  }

  private static void bytes(
      MeterRegistry registry, String state, MemoryChunkCache cache, ToLongFunction<CacheUsage> of) {
    Gauge.builder("strandline.cache.memory.bytes", cache, c -> of.applyAsLong(c.usage()))
        .tag("state", state)
        .baseUnit("bytes")
        .register(registry);
  }

  void memoryHit() {
    memoryHits.increment();
  }

  void diskHit() {
    diskHits.increment();
  }

  /** A caller that found its chunk on its way. */
  void joined() {
    joined.increment();
  }

  void miss() {
    misses.increment();
  }

  void failed() {
    failures.increment();
  }

  void filled(int lengthBytes) {
    loadedBytes.increment(lengthBytes);
  }

  /** An eviction that keeps memory free for fills to come. */
  void evicted() {
    evictedBySize.increment();
  }

  /** An eviction because a fill found no memory. */
  void pressed() {
    evictedByPressure.increment();
  }
}
