package io.strandline.broker.history;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;

/** Our keys about replay brokers. */
public final class HistoryKeys {
  /** Whether this broker leads nothing and serves history. */
  public static final String REPLAY_BROKER = "strandline.replay.broker";

  /** The listener of the other brokers at which clients find their coordinators. */
  public static final String COORDINATOR_LISTENER = "strandline.replay.coordinator.listener";

  /** The listener by which clients of replay brokers come to the others. */
  public static final String LISTENER = "strandline.replay.listener";

  /** What one request to a leader may bring. */
  public static final String LEADER_FETCH_BYTES = "strandline.replay.leader.fetch.max.bytes";

  private HistoryKeys() {}

  public static void define(ConfigDef table) {
    table
        .define(
            REPLAY_BROKER,
            ConfigDef.Type.BOOLEAN,
            false,
            Importance.MEDIUM,
            "Whether this broker serves history alone: it gets no replicas, has listeners of its"
                + " own, and clients that come by these read every partition from it, out of the"
                + " tier and above it through the leader.")
        .define(
            COORDINATOR_LISTENER,
            ConfigDef.Type.STRING,
            "",
            Importance.MEDIUM,
            "Of a replay broker: the name of the other brokers' listener at which its clients find"
                + " the coordinators of groups and transactions, if those do not have the listener"
                + " by which they came; empty for inter.broker.listener.name.")
        .define(
            LISTENER,
            ConfigDef.Type.STRING,
            "",
            Importance.MEDIUM,
            "Of the other brokers: the name of the replay brokers' listener, where this broker has"
                + " it too. Clients that come by it are told to read from replay brokers.")
        .define(
            LEADER_FETCH_BYTES,
            ConfigDef.Type.INT,
            16 << 20,
            Range.between(1 << 10, 1 << 30),
            Importance.LOW,
            "Of a replay broker: bytes that one request for what is not in the tier yet may bring;"
                + " two such requests are under way at most with each leader.");
  }
}
