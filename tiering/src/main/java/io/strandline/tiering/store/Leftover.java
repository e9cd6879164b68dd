package io.strandline.tiering.store;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

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

  /**
   * Some of them, in the order of their keys; of one key the newest first.
   *
   * @param next where the next page begins; empty after the last
   */
  public record Page(List<Leftover> leftovers, Optional<After> next) {
    public Page {
      leftovers = List.copyOf(leftovers);
    }
  }

  /**
   * Where a page ended, as its store understands it. What lies there must not be purged before the
   * next page was listed: not every store finds the place of what is gone.
   *
   * @param key of the marker, empty for none
   * @param id of the marker
   * @param lastKey of what was listed last
   * @param lastSince when the oldest that was listed of it was written
   */
  public record After(String key, String id, String lastKey, Instant lastSince) {
    /** The first page. */
    public static final After START = new After("", "", "", Instant.EPOCH);
  }

  /** What is asked for. */
  public enum Of {
    /** Versions and markers. */
    VERSIONS,
    /** Uploads in parts. */
    UPLOADS
  }
}
