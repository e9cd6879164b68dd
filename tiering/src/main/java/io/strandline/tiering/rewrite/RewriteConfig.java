package io.strandline.tiering.rewrite;

import io.strandline.tiering.compact.CompactionConfig;

/**
 * @param core of each compactor; its map is only as large as the bytes to be learnt make likely
 * @param concurrency partitions rewritten at a time ({@code log.cleaner.threads})
 * @param pieceBytes of one read of a segment
 * @param mergeBytes how long segments become that are merged without being compacted; 0 for none
 * @param checkMs how often a partition is looked at ({@code log.cleaner.backoff.ms})
 * @param bytesPerSecond read and written, on an average over rounds ({@code
 *     log.cleaner.io.max.bytes.per.second})
 * @param copyBytesPerSecond copied at most, by all partitions together, out of other clusters'
 *     stores
 */
public record RewriteConfig(
    CompactionConfig core,
    int concurrency,
    int pieceBytes,
    long mergeBytes,
    long checkMs,
    double bytesPerSecond,
    double copyBytesPerSecond) {
  public RewriteConfig {
    if (concurrency < 1
        || pieceBytes < 1024
        || mergeBytes < 0
        || checkMs < 1
        || !(bytesPerSecond > 0)
        || !(copyBytesPerSecond > 0)) {
      throw new IllegalArgumentException(
          concurrency
              + " at a time, pieces of "
              + pieceBytes
              + ", merged to "
              + mergeBytes
              + ", every "
              + checkMs
              + ", "
              + bytesPerSecond
              + " a second");
    }
  }

  /** Copies without a limit. */
  public RewriteConfig(
      CompactionConfig core,
      int concurrency,
      int pieceBytes,
      long mergeBytes,
      long checkMs,
      double bytesPerSecond) {
    this(core, concurrency, pieceBytes, mergeBytes, checkMs, bytesPerSecond, Double.MAX_VALUE);
  }

  /** The same, copying at most so much. */
  public RewriteConfig copying(double limit) {
    return new RewriteConfig(
        core, concurrency, pieceBytes, mergeBytes, checkMs, bytesPerSecond, limit);
  }

  /** One at a time, 8 MiB, 64 MiB, 15 s, no limit. */
  public static RewriteConfig defaults() {
    return new RewriteConfig(
        CompactionConfig.defaults(), 1, 8 << 20, 64L << 20, 15_000, Double.MAX_VALUE);
  }
}
