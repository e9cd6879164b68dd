package io.strandline.tiering.compact;

/**
 * What one pass read and kept.
 *
 * @param keylessRecords records without a key, which no compacted topic should hold; they are
 *     dropped
 * @param undecodableBatches kept as they are
 * @param changedBatches dropped, or written otherwise than they were
 */
public record CompactionStats(
    long recordsRead,
    long bytesRead,
    long recordsKept,
    long bytesKept,
    long keylessRecords,
    long undecodableBatches,
    long changedBatches) {
  public static final CompactionStats NONE = new CompactionStats(0, 0, 0, 0, 0, 0, 0);

  public CompactionStats plus(CompactionStats other) {
    return new CompactionStats(
        recordsRead + other.recordsRead,
        bytesRead + other.bytesRead,
        recordsKept + other.recordsKept,
        bytesKept + other.bytesKept,
        keylessRecords + other.keylessRecords,
        undecodableBatches + other.undecodableBatches,
        changedBatches + other.changedBatches);
  }
}
