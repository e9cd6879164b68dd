package io.strandline.broker.telemetry;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;

/** Our keys about what clients tell of themselves; all others are Kafka's. */
public final class TelemetryKeys {
  /** Clients whose last values are kept; 0 for none. */
  public static final String CLIENTS_MAX = "strandline.telemetry.clients.max";

  private TelemetryKeys() {}

  public static void define(ConfigDef table) {
    table.define(
        CLIENTS_MAX,
        ConfigDef.Type.INT,
        0,
        Range.between(0, ClientInstances.COUNT_MAX),
        Importance.MEDIUM,
        "Clients whose metrics (KIP-714) are taken, and told with their last values at"
            + " /metrics/clients; at most 128 KiB of names each. With 0 clients are asked for"
            + " metrics only if metric.reporters has a receiver.");
  }
}
