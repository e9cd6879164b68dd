package io.strandline.broker.partition;

import io.strandline.tiering.compact.CompactionConfig;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What an operator may choose about partitions.
 *
 * @param inlineBytes an event loop itself appends records up to this size, larger ones go to the
 *     log executor; 0 sends all there
 * @param maintainMs how often flushes, rolls and checkpoints are looked after
 * @param highWatermarkMs {@code replica.high.watermark.checkpoint.interval.ms}
 * @param retentionMs {@code log.retention.check.interval.ms}
 * @param cleanMs {@code log.cleaner.backoff.ms}, as it is now
 * @param internalBackupMs records of a tiered internal topic wait at most so long in a segment that
 *     is still written to; 0 for as long as it takes to fill one
 * @param cleaner memory of the local cleaner, as it is now
 * @param moveThreads {@code num.replica.alter.log.dirs.threads}
 * @param moveBytesPerSecond {@code replica.alter.log.dirs.io.max.bytes.per.second}, as it is now
 * @param tiers {@code strandline.tier.enable}
 */
public record PartitionSettings(
    int inlineBytes,
    long maintainMs,
    long highWatermarkMs,
    long retentionMs,
    LongSupplier cleanMs,
    long internalBackupMs,
    Supplier<CompactionConfig> cleaner,
    int moveThreads,
    LongSupplier moveBytesPerSecond,
    boolean tiers) {
  public static PartitionSettings defaults() {
    return new PartitionSettings(
        1 << 20,
        1_000,
        5_000,
        300_000,
        () -> 15_000,
        300_000,
        CompactionConfig::defaults,
        1,
        () -> Long.MAX_VALUE,
        true);
  }
}
