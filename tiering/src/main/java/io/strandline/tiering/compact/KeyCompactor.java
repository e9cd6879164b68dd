package io.strandline.tiering.compact;

import java.io.IOException;

/**
 * Compaction of one partition in two passes over segments in order of offsets: {@link #index} of
 * what is dirty learns the last offset of each key, then {@link #filter} of everything below {@link
 * #indexedEndOffset()} copies what stays (design invariant 9). One thread at a time; reusable for
 * one partition after another by {@link #reset()}.
 */
public final class KeyCompactor {
  public KeyCompactor(CompactionConfig config) {}

  /** Forgets keys and transactions: begins a round. */
  public void reset() {
    notYet(0);
  }

  /**
   * Learns the keys of a segment's records from {@code fromOffset} on and below {@code endOffset}.
   *
   * @return whether there was room for all; if not, the round ends at {@link #indexedEndOffset()}
   */
  public boolean index(BatchSource segment, long fromOffset, long endOffset) throws IOException {
    return notYet(false);
  }

  /** Offset after the last one learnt; records from there on all stay. */
  public long indexedEndOffset() {
    return notYet(0L);
  }

  /** Copies what stays of one segment. */
  public CompactionStats filter(BatchSource segment, BatchSink sink, CompactionRound round)
      throws IOException {
    return notYet(CompactionStats.NONE);
  }

  private static <T> T notYet(T example) {
    throw new UnsupportedOperationException("not yet " + example);
  }
}
