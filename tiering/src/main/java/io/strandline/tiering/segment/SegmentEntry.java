package io.strandline.tiering.segment;

import io.strandline.tiering.store.ObjectKey;
import org.apache.kafka.common.TopicIdPartition;

/**
 * One tiered segment as the manifest names it: enough to plan a read without opening the object.
 *
 * @param ownerCluster cluster id under whose prefix the object lies; another's is read-only (design
 *     D15, D16)
 * @param origin the partition in whose name the object was written, which a restored or mounted
 *     topic is not
 * @param object the object that holds it
 * @param positionBytes where the segment begins in the object; not 0 where several segments share
 *     one
 * @param lengthBytes data, indexes and footer together
 * @param dataBytes the batches alone; they lie first
 * @param footerBytes the footer alone; it lies last
 * @param crc32c of all {@code lengthBytes} bytes
 * @param baseOffset first offset covered
 * @param endOffset offset after the last covered; dense with the next entry's base offset
 * @param maxTimestamp largest record timestamp in ms, or -1
 * @param leaderEpoch of the last batch
 * @param abortedTransactions whether the footer's transaction index holds anything
 */
public record SegmentEntry(
    String ownerCluster,
    TopicIdPartition origin,
    ObjectKey object,
    long positionBytes,
    long lengthBytes,
    long dataBytes,
    int footerBytes,
    int crc32c,
    long baseOffset,
    long endOffset,
    long maxTimestamp,
    int leaderEpoch,
    boolean abortedTransactions) {
  public SegmentEntry {
    if (baseOffset < 0 || endOffset <= baseOffset) {
      throw new IllegalArgumentException(
          "not a range of offsets: " + baseOffset + " to " + endOffset);
    }
    if (positionBytes < 0
        || dataBytes < 0
        || footerBytes <= 0
        || lengthBytes < dataBytes + footerBytes) {
      throw new IllegalArgumentException(
          "not a range of bytes: " + positionBytes + "+" + lengthBytes);
    }
  }

  /**
   * The leader epoch in which a partition shows what was appended to another (design D16): no
   * leader has a lower one.
   */
  public static final int FOREIGN_EPOCH = 0;

  /**
   * Whether the batches were appended to this partition; if not, their leader epochs and producers
   * mean nothing to it.
   */
  public boolean appendedTo(TopicIdPartition partition) {
    return origin.partition() == partition.partition()
        && origin.topicId().equals(partition.topicId());
  }

  public boolean covers(long offset) {
    return offset >= baseOffset && offset < endOffset;
  }
}
