package io.strandline.tiering.reclaim;

import io.strandline.tiering.manifest.CommittedSegment;

/**
 * The hot log as whoever frees its disk sees it. Implemented by the log; threads: any, may block on
 * disk.
 */
public interface LocalSegments {
  /** First offset of the partition, wherever it lies (KIP-107). */
  long logStartOffset();

  /** First offset that has a local copy; not below {@link #logStartOffset()}. */
  long localLogStartOffset();

  /** Offset of the next record. */
  long logEndOffset();

  /** Length of all local batches, the active segment's included. */
  long sizeBytes();

  /**
   * Moves the log start offset; readers no longer see what lies below, and local segments wholly
   * below it go. Does nothing if it is there already.
   */
  void advanceLogStart(long newStartOffset);

  /**
   * Deletes every local segment that ends at or below the end of this one, but the active; moves
   * the local log start offset, never the log start offset.
   *
   * @return bytes freed
   */
  long release(CommittedSegment segment);
}
