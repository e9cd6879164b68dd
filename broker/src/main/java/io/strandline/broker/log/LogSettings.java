package io.strandline.broker.log;

import io.strandline.tiering.segment.BatchBounds;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;

/**
 * What the hot log lets an operator choose beside the topic's own configuration.
 *
 * @param producers {@code producer.id.expiration.ms} and {@code
 *     transaction.partition.verification.enable} (KIP-890), one for all logs, which follows changes
 * @param producerCheckMs {@code producer.id.expiration.check.interval.ms}
 * @param transactionMaxTimeoutMs {@code transaction.max.timeout.ms}; tells a late transaction from
 *     an open one
 * @param walkRecords check the record frames of uncompressed batches on the fast path
 * @param strictValidation every client batch goes through Kafka's LogValidator, decompression
 *     included
 * @param hotWindowBytes of the broker's newest writes, which the page cache is trusted to hold
 * @param openSegments sealed ones whose files are open, beside those in use
 * @param bounds what a batch may decode to where it is looked into
 */
public record LogSettings(
    ProducerStateManagerConfig producers,
    int producerCheckMs,
    int transactionMaxTimeoutMs,
    boolean walkRecords,
    boolean strictValidation,
    long hotWindowBytes,
    int openSegments,
    BatchBounds bounds) {
  public static LogSettings defaults() {
    return new LogSettings(
        new ProducerStateManagerConfig(86_400_000, true),
        600_000,
        900_000,
        true,
        false,
        1L << 30,
        2_000,
        BatchBounds.defaults());
  }
}
