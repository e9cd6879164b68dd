package io.strandline.tiering.reclaim;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Where the log should start by {@code retention.ms} and {@code retention.bytes}, over tier and hot
 * log together. Decides; changes nothing.
 */
public final class Retention {
  private static final int PAGE = 256;

  /** What one look takes at most; a long history that may go all at once goes in steps. */
  public static final int SEGMENTS_MAX = 16 * PAGE;

  private final ManifestView view;
  private final TierPolicy policy;
  private final long nowMs;
  private long remainingBytes;
  private long startOffset;
  private int looked;

  private Retention(ManifestView view, TierPolicy policy, long untieredBytes, long nowMs) {
    this.view = view;
    this.policy = policy;
    this.nowMs = nowMs;
    this.remainingBytes = view.sizeBytes() + untieredBytes;
    this.startOffset = view.startOffset();
  }

  /**
   * The end of the longest run of whole tiered segments, from the start on, that may go, of the
   * first {@link #SEGMENTS_MAX}; the view's start if none may. A segment without timestamps goes
   * with a later one that is too old.
   *
   * @param untieredBytes what the hot log holds above the tier's end
   */
  public static CompletableFuture<Long> startOffset(
      ManifestView view, TierPolicy policy, long untieredBytes, long nowMs) {
    boolean unlimited = policy.retentionMs() < 0 && policy.retentionBytes() < 0;
    if (unlimited || view.segmentCount() == 0) {
      return CompletableFuture.completedFuture(view.startOffset());
    }
    return new Retention(view, policy, untieredBytes, nowMs).walk(view.startOffset());
  }

  private CompletableFuture<Long> walk(long fromOffset) {
    return view.from(fromOffset, PAGE)
        .thenCompose(
            entries ->
                take(entries)
                    ? walk(entries.get(entries.size() - 1).endOffset())
                    : CompletableFuture.completedFuture(startOffset));
  }

  /**
   * @return whether all may go and there may be more
   */
  private boolean take(List<SegmentEntry> entries) {
    for (SegmentEntry entry : entries) {
      boolean timeless = entry.maxTimestamp() < 0;
      boolean tooOld =
          policy.retentionMs() >= 0
              && !timeless
              && nowMs - entry.maxTimestamp() > policy.retentionMs();
      boolean tooMuch =
          policy.retentionBytes() >= 0
              && remainingBytes - entry.lengthBytes() >= policy.retentionBytes();
      if (tooOld || tooMuch) {
        startOffset = entry.endOffset();
      } else if (!timeless) {
        return false;
      }
      remainingBytes -= entry.lengthBytes();
    }
    looked += entries.size();
    boolean enough = looked >= SEGMENTS_MAX && startOffset > view.startOffset();
    return entries.size() == PAGE && !enough;
  }
}
