package io.strandline.broker.replica;

import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * What an operator may choose about replication, by Kafka's keys. Those that are asked for each
 * time follow changes while the broker runs.
 *
 * @param lagMaxMs {@code replica.lag.time.max.ms}: longer behind, and a replica is out of sync
 * @param fetchers {@code num.replica.fetchers}, for each broker that is followed
 * @param waitMs {@code replica.fetch.wait.max.ms}
 * @param minBytes {@code replica.fetch.min.bytes}
 * @param partitionBytes {@code replica.fetch.max.bytes}, of one partition
 * @param responseBytes {@code replica.fetch.response.max.bytes}
 * @param backoffMs {@code replica.fetch.backoff.ms}, after an error
 */
public record ReplicaSettings(
    LongSupplier lagMaxMs,
    IntSupplier fetchers,
    int waitMs,
    int minBytes,
    int partitionBytes,
    int responseBytes,
    int backoffMs) {
  /** Kafka's defaults. */
  public static ReplicaSettings defaults() {
    return new ReplicaSettings(() -> 30_000, () -> 1, 500, 1, 1 << 20, 10 << 20, 1_000);
  }
}
