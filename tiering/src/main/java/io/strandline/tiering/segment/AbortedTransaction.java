package io.strandline.tiering.segment;

/**
 * A transaction that was aborted, as Kafka's {@code .txnindex} lists it (KIP-98).
 *
 * @param producerId whose transaction it was
 * @param firstOffset of its first record
 * @param lastOffset of its abort marker
 * @param lastStableOffset when the marker was written; bounds a search
 */
public record AbortedTransaction(
    long producerId, long firstOffset, long lastOffset, long lastStableOffset) {

  /** Whether any of it lies in {@code [fromOffset, toOffset)}. */
  public boolean overlaps(long fromOffset, long toOffset) {
    return lastOffset >= fromOffset && firstOffset < toOffset;
  }
}
