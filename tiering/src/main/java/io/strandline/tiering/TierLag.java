package io.strandline.tiering;

import io.strandline.tiering.seal.SealedSegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * How far the tier of one partition is behind: sealed segments that no manifest known here names.
 * Measured at each pass and while one stands, whether the store answers or not. Thread-safe.
 */
final class TierLag {
  /** A segment, and when it was first seen waiting. */
  private record Waiting(long baseOffset, long endOffset, long bytes, long sinceMs) {}

  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private long bytes;
  private boolean unstable;

  /**
   * @param untiered in order of offsets, all there are
   * @param stableOffset what reaches above it may not go up yet
   */
  void measure(List<SealedSegment> untiered, long stableOffset, long nowMs) {
    measure(untiered, false, stableOffset, nowMs);
  }

  /**
   * @param more whether others follow: those known from before still wait, and {@link #add} tells
   *     the rest
   */
  synchronized void measure(
      List<SealedSegment> untiered, boolean more, long stableOffset, long nowMs) {
    unstable = !untiered.isEmpty() && untiered.get(0).endOffset() > stableOffset;
    Deque<Waiting> before = new ArrayDeque<>(waiting);
    clearSegments();
    for (SealedSegment segment : untiered) {
      while (!before.isEmpty() && before.getFirst().baseOffset < segment.baseOffset()) {
        before.removeFirst();
      }
      boolean known = !before.isEmpty() && before.getFirst().baseOffset == segment.baseOffset();
      // Nothing waits since later: the clock has been set back.
      append(segment, known ? Math.min(nowMs, before.removeFirst().sinceMs) : nowMs);
    }
    if (more) {
      before.removeIf(one -> one.baseOffset < endOffset());
      waiting.addAll(before);
      bytes += before.stream().mapToLong(Waiting::bytes).sum();
    }
  }

  /** Others that follow the last. */
  synchronized void add(List<SealedSegment> untiered, long nowMs) {
    for (SealedSegment segment : untiered) {
      if (segment.baseOffset() >= endOffset()) {
        append(segment, nowMs);
      }
    }
  }

  private void append(SealedSegment segment, long sinceMs) {
    waiting.addLast(
        new Waiting(segment.baseOffset(), segment.endOffset(), segment.logBytes(), sinceMs));
    bytes += segment.logBytes();
  }

  private void clearSegments() {
    waiting.clear();
    bytes = 0;
  }

  /** Offset after the last that waits; 0 if none does. */
  synchronized long endOffset() {
    return waiting.isEmpty() ? 0 : waiting.getLast().endOffset;
  }

  synchronized void clear() {
    clearSegments();
    unstable = false;
  }

  /** Whether even the oldest may not go up yet. */
  synchronized boolean unstable() {
    return unstable;
  }

  synchronized long bytes() {
    return bytes;
  }

  synchronized Backlog backlog() {
    return new Backlog(bytes, waiting.size());
  }

  /** Since when the oldest segment waits; {@code Long.MAX_VALUE} if none does. */
  synchronized long sinceMs() {
    return waiting.isEmpty() ? Long.MAX_VALUE : waiting.getFirst().sinceMs;
  }
}
