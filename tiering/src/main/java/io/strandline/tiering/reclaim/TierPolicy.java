package io.strandline.tiering.reclaim;

/**
 * What a topic's configuration says of keeping records. -1 is without limit.
 *
 * @param retentionMs {@code retention.ms}; -1 for a topic that is only compacted
 * @param retentionBytes {@code retention.bytes}, likewise
 * @param localRetentionMs {@code local.retention.ms}; -2 follows {@code retentionMs}
 * @param localRetentionBytes {@code local.retention.bytes}; -2 follows {@code retentionBytes}
 * @param keepsLocal whether local bytes stay in any case: internal topics (design D17)
 * @param copying whether what is sealed goes up (KIP-950)
 */
public record TierPolicy(
    long retentionMs,
    long retentionBytes,
    long localRetentionMs,
    long localRetentionBytes,
    boolean keepsLocal,
    Copying copying) {
  /** What becomes of a topic's history. */
  public enum Copying {
    /** Sealed segments go up, and local bytes that are in the tier may go. */
    ON,

    /** Nothing goes up and no local byte is released; what is in the tier stays readable. */
    OFF,

    /** As {@link #OFF}, and all that is in the tier is given up. */
    DROP
  }

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

  /** Of a topic that is tiered. */
  public TierPolicy(
      long retentionMs,
      long retentionBytes,
      long localRetentionMs,
      long localRetentionBytes,
      boolean keepsLocal) {
    this(
        retentionMs, retentionBytes, localRetentionMs, localRetentionBytes, keepsLocal, Copying.ON);
  }

  /** The same limits. */
  public TierPolicy with(Copying other) {
    return new TierPolicy(
        retentionMs, retentionBytes, localRetentionMs, localRetentionBytes, keepsLocal, other);
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
