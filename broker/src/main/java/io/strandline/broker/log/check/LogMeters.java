package io.strandline.broker.log.check;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import org.apache.kafka.storage.internals.log.LogValidator;

/** Counters of all logs together, {@code strandline.log.*}. */
public final class LogMeters implements LogValidator.MetricsRecorder {
  public final Counter appendedBytes;
  public final Counter appendedRecords;
  public final Counter validated;
  public final Counter duplicates;
  public final Counter rolls;
  public final Counter sealed;
  public final Counter releasedBytes;
  public final Counter tornBytes;
  public final Counter scannedBytes;
  private final MeterRegistry registry;

  public LogMeters(MeterRegistry registry) {
    this.registry = registry;
    appendedBytes = registry.counter("strandline.log.appended.bytes");
    appendedRecords = registry.counter("strandline.log.appended.records");
    validated = registry.counter("strandline.log.slow.batches");
    duplicates = registry.counter("strandline.log.duplicate.batches");
    rolls = registry.counter("strandline.log.rolls");
    sealed = registry.counter("strandline.log.sealed.segments");
    releasedBytes = registry.counter("strandline.log.released.bytes");
    tornBytes = registry.counter("strandline.log.recovery.torn.bytes");
    scannedBytes = registry.counter("strandline.log.recovery.scanned.bytes");
  }

  private void invalid(String reason) {
    registry.counter("strandline.log.invalid.batches", "reason", reason).increment();
  }

  @Override
  public void recordInvalidMagic() {
    invalid("magic");
  }

  @Override
  public void recordInvalidOffset() {
    invalid("offset");
  }

  @Override
  public void recordInvalidSequence() {
    invalid("sequence");
  }

  @Override
  public void recordInvalidChecksums() {
    invalid("checksum");
  }

  @Override
  public void recordNoKeyCompactedTopic() {
    invalid("key");
  }
}
