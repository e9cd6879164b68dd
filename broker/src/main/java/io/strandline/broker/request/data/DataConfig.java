package io.strandline.broker.request.data;

import java.util.function.Predicate;

/**
 * What an operator may choose about produce and fetch.
 *
 * @param fetchMaxBytes {@code fetch.max.bytes}: no response holds more, but for one batch
 * @param sessionSlots {@code max.incremental.fetch.session.cache.slots}
 * @param sessionEvictionMs {@code min.incremental.fetch.session.eviction.ms}
 * @param copyBytes recent records up to this size are copied into the response, more leaves by
 *     sendfile
 * @param slowReadGraceMs how long a fetch that has enough waits for partitions still being read
 *     from tier or disk, so that those that are always ready cannot starve them
 * @param recompressed whether the tier may have compressed a topic's batches otherwise than their
 *     producers did
 */
public record DataConfig(
    int fetchMaxBytes,
    int sessionSlots,
    long sessionEvictionMs,
    int copyBytes,
    long slowReadGraceMs,
    Predicate<String> recompressed) {
  public static DataConfig defaults() {
    return new DataConfig(55 << 20, 1_000, 120_000, 16 << 10, 10, topic -> false);
  }
}
