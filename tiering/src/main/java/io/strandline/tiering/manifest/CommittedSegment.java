package io.strandline.tiering.manifest;

import io.strandline.tiering.segment.SegmentEntry;

/**
 * A segment that a durable manifest version names: proof that its local bytes may go. Only this
 * package makes one.
 */
public final class CommittedSegment {
  private final SegmentEntry entry;
  private final long manifestVersion;

  CommittedSegment(SegmentEntry entry, long manifestVersion) {
    this.entry = entry;
    this.manifestVersion = manifestVersion;
  }

  public SegmentEntry entry() {
    return entry;
  }

  /** A version that names it, durable and known to be part of the chain. */
  public long manifestVersion() {
    return manifestVersion;
  }
}
