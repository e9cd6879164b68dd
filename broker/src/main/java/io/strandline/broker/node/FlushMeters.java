package io.strandline.broker.node;

import io.micrometer.core.instrument.Timer;
import io.strandline.broker.observe.Meters;
import io.strandline.broker.observe.kafka.KafkaName;
import io.strandline.broker.observe.kafka.Timing;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** How often segments are made durable and how long the disk takes: a segment's records alone. */
public final class FlushMeters {
  private final Timing kafka;
  private final Timer time;

  public FlushMeters(Meters meters) {
    kafka =
        meters
            .kafka()
            .timing(KafkaName.of("kafka.log", "LogFlushStats", "LogFlushRateAndTimeMs"), "calls");
    time = meters.registry().timer("strandline.log.flush.time");
  }

  public void forced(Path file, long nanos) {
    if (file.toString().endsWith(".log")) {
      kafka.record(nanos);
      time.record(nanos, TimeUnit.NANOSECONDS);
    }
  }
}
