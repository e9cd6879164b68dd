package io.strandline.tiering.reclaim;

import io.strandline.tiering.manifest.CommittedSegment;

/**
 * The hot log as whoever frees its disk sees it. Implemented by the log; threads: any, may block on
 * disk.
 */
public interface LocalSegments {
  /**
   * Deletes the local copy of what this segment covers, unless it is active or lies above the seam;
   * moves the local log start offset, never the log start offset.
   *
   * @return bytes freed
   */
  long release(CommittedSegment segment);
}
