package io.strandline.tiering.reclaim;

/**
 * What a topic's configuration says of keeping records. -1 is without limit.
 *
 * @param retentionMs {@code retention.ms}; -1 for a topic that is only compacted
 * @param retentionBytes {@code retention.bytes}, likewise
 * @param localRetentionMs {@code local.retention.ms}; -2 follows {@code retentionMs}
 * @param localRetentionBytes {@code local.retention.bytes}; -2 follows {@code retentionBytes}
 * @param keepsLocal whether local bytes stay in any case: internal topics (design D17)
 */
public record TierPolicy(
    long retentionMs,
    long retentionBytes,
    long localRetentionMs,
    long localRetentionBytes,
    boolean keepsLocal) {
  public TierPolicy {
    if (retentionMs < -1
        || retentionBytes < -1
        || localRetentionMs < -2
        || localRetentionBytes < -2) {
      throw new IllegalArgumentException(
          "not a policy: "
              + retentionMs
              + ", "
              + retentionBytes
              + ", "
              + localRetentionMs
              + ", "
              + localRetentionBytes);
    }
  }

  /** Everything for ever, in both places. */
  public static TierPolicy keepAll() {
    return new TierPolicy(-1, -1, -1, -1, false);
  }

  /** {@link #localRetentionMs} with -2 resolved. */
  public long effectiveLocalMs() {
    return localRetentionMs == -2 ? retentionMs : localRetentionMs;
  }

  /** {@link #localRetentionBytes} with -2 resolved. */
  public long effectiveLocalBytes() {
    return localRetentionBytes == -2 ? retentionBytes : localRetentionBytes;
  }
}
