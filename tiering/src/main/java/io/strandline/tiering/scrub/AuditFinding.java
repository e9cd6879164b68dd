package io.strandline.tiering.scrub;

import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectKey;
import java.util.Locale;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;

/**
 * One thing that an audit has to say.
 *
 * @param partition whose manifest or place it is about; none for objects outside of all partitions
 * @param object none where it is about a manifest as a whole
 * @param offset the first offset concerned, or -1
 * @param endOffset the first behind that is not concerned, or -1
 * @param detail for a person
 */
public record AuditFinding(
    Kind kind,
    Optional<TopicIdPartition> partition,
    Optional<ObjectKey> object,
    long offset,
    long endOffset,
    String detail) {
  /** Of a segment as a whole: none of its offsets can be relied on. */
  static AuditFinding of(Kind kind, TopicIdPartition partition, SegmentEntry entry, String detail) {
    return new AuditFinding(
        kind,
        Optional.of(partition),
        Optional.of(entry.object()),
        entry.baseOffset(),
        entry.endOffset(),
        detail);
  }

  /** What can be said. */
  public enum Kind {
    /** The manifest cannot be read, or contradicts itself. */
    MANIFEST(true),
    /** Offsets between two entries are named by none, or by both. */
    GAP(true),
    /** An object that the manifest names is not there. */
    MISSING(true),
    /** An object has another length than the manifest names. */
    LENGTH(true),
    /** Bytes are others than the manifest or the footer says. */
    CHECKSUM(true),
    /** Footer, section or batches are damaged, or are not what the entry says. */
    CONTENT(true),
    /** The store did not give the bytes; nothing is known of them. */
    UNREAD(true),
    /**
     * Segments of another cluster that this one's manifest names; read there if its store is known.
     */
    FOREIGN(false),
    /** An object whose key is not at hand: it is what was stored, and no more is known. */
    LOCKED(false),
    /** A segment that no manifest names, older than the grace. */
    ORPHAN(true),
    /** A segment that no manifest names and that may be about to be named. */
    PENDING(false),
    /** Offsets without a batch within a segment: the work of compaction, if of anything. */
    HOLE(false),
    /** An object that is none of ours by its name. */
    UNKNOWN(false);

    private final boolean wrong;

    Kind(boolean wrong) {
      this.wrong = wrong;
    }

    /** Whether a sound tier has none of it. */
    public boolean wrong() {
      return wrong;
    }

    /** Whether readers of its offsets get an error. */
    public boolean damage() {
      return wrong && this != ORPHAN;
    }

    /** Whether only reading bytes finds it. */
    boolean byReading() {
      return this == CHECKSUM || this == CONTENT || this == UNREAD;
    }

    /** The name in metrics and messages. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
