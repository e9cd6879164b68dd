package io.strandline.tiering;

import io.strandline.tiering.seal.SealedSegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * How far the tier of one partition is behind: sealed segments that no manifest known here names.
 * Measured at each pass, whether the store answers or not. Thread-safe.
 */
final class TierLag {
  /** A segment, and when it was first seen waiting. */
  private record Waiting(long baseOffset, long sinceMs) {}

  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private long bytes;
  private int segments;
  private boolean unstable;

  /**
   * @param untiered in order of offsets
   * @param stableOffset what reaches above it may not go up yet
   */
  synchronized void measure(List<SealedSegment> untiered, long stableOffset, long nowMs) {
    unstable = !untiered.isEmpty() && untiered.get(0).endOffset() > stableOffset;
    bytes = untiered.stream().mapToLong(SealedSegment::logBytes).sum();
    segments = untiered.size();
    long first = untiered.isEmpty() ? Long.MAX_VALUE : untiered.get(0).baseOffset();
    while (!waiting.isEmpty() && waiting.getFirst().baseOffset < first) {
      waiting.removeFirst();
    }
    for (SealedSegment segment : untiered) {
      if (waiting.isEmpty() || waiting.getLast().baseOffset < segment.baseOffset()) {
        waiting.addLast(new Waiting(segment.baseOffset(), nowMs));
      }
    }
  }

  synchronized void clear() {
    waiting.clear();
    bytes = 0;
    segments = 0;
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
    return new Backlog(bytes, segments);
  }

  /** Since when the oldest segment waits; {@code Long.MAX_VALUE} if none does. */
  synchronized long sinceMs() {
    return waiting.isEmpty() ? Long.MAX_VALUE : waiting.getFirst().sinceMs;
  }
}
