package io.strandline.tiering.store;

import java.time.Instant;

/**
 * What is no object, cannot be read through this port, and costs all the same.
 *
 * @param id the store's own: of a version, or of an upload
 * @param since when it became one, by the store's own clock
 */
public record Leftover(Kind kind, ObjectKey key, String id, Instant since) {
  /** What can be left. */
  public enum Kind {
    /** Bytes that were replaced or deleted, and that the bucket keeps. */
    VERSION,
    /** The mark of a deletion in a bucket that keeps versions. */
    MARKER,
    /** An upload in parts that was neither completed nor aborted; it may be under way. */
    UPLOAD
  }

  /** What is asked for. */
  public enum Of {
    /** Versions and markers. */
    VERSIONS,
    /** Uploads in parts. */
    UPLOADS
  }
}
