package io.strandline.broker.node;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.quorum.QuorumStanding;
import java.util.function.Supplier;

/** What a node tells of the metadata quorum. */
public final class QuorumMeters {
  private QuorumMeters() {}

  /** Registers the gauges. */
  public static void register(MeterRegistry meters, Supplier<QuorumStanding> standing) {
    Gauge.builder("strandline.quorum.leader", () -> standing.get().leader()).register(meters);
    Gauge.builder("strandline.quorum.epoch", () -> standing.get().epoch()).register(meters);
    Gauge.builder("strandline.quorum.leads", () -> standing.get().leads() ? 1 : 0).register(meters);
    Gauge.builder("strandline.quorum.committed.offset", () -> standing.get().committedOffset())
        .register(meters);
  }
}
