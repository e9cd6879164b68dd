package io.strandline.broker.guard.identity;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;

/** Our keys about who a peer is; all others are Kafka's. */
public final class SecurityKeys {
  /** How often it is looked whether certificates have changed, in milliseconds. */
  public static final String RELOAD_MS = "strandline.security.reload.ms";

  private SecurityKeys() {}

  public static void define(ConfigDef table) {
    table.define(
        RELOAD_MS,
        ConfigDef.Type.LONG,
        2_000L,
        Range.atLeast(10),
        Importance.LOW,
        "How often it is looked whether files or settings of certificates (ssl.*) have changed. New"
            + " connections get the new ones.");
  }
}
