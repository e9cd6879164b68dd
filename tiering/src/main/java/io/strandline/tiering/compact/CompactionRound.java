package io.strandline.tiering.compact;

import java.util.Map;

/**
 * What holds for one round of compaction of one partition.
 *
 * @param nowMs wall clock at the round's begin: tombstones older than their horizon go
 * @param deleteRetentionMs how long a tombstone or transaction marker stays after it was first
 *     compacted ({@code delete.retention.ms})
 * @param tombstonesBelow tombstones and transaction markers from this offset on stay, however old
 * @param endOffset first offset not looked at; the batch that ends there is kept even if empty, so
 *     that the offset is not lost
 * @param lastOfProducers by producer id, for the producers still active
 */
public record CompactionRound(
    long nowMs,
    long deleteRetentionMs,
    long tombstonesBelow,
    long endOffset,
    Map<Long, LastOfProducer> lastOfProducers) {
  public CompactionRound {
    lastOfProducers = Map.copyOf(lastOfProducers);
  }

  /** All that is old enough goes. */
  public CompactionRound(
      long nowMs,
      long deleteRetentionMs,
      long endOffset,
      Map<Long, LastOfProducer> lastOfProducers) {
    this(nowMs, deleteRetentionMs, Long.MAX_VALUE, endOffset, lastOfProducers);
  }

  /**
   * What a producer wrote last; its batch stays, emptied if need be, because it carries the
   * sequence number or epoch by which the producer is known.
   *
   * @param lastDataOffset offset of its last record, or -1 if only a marker of it is left
   */
  public record LastOfProducer(long lastDataOffset, short producerEpoch) {}
}
