package io.strandline.tiering.segment;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A segment ready to be put: its bytes and all that a manifest entry says of them.
 *
 * @param crc32c of all bytes of the payload
 */
public record EncodedSegment(
    TopicIdPartition partition, SegmentFooter footer, Payload payload, int crc32c) {
  /** The entry of this segment, put alone under {@code key}. */
  public SegmentEntry entry(String ownerCluster, ObjectKey key) {
    SegmentFooter.Facts facts = footer.facts();
    return new SegmentEntry(
        ownerCluster,
        partition,
        key,
        0,
        payload.lengthBytes(),
        footer.dataBytes(),
        SegmentFooter.BYTES,
        crc32c,
        facts.baseOffset(),
        facts.endOffset(),
        facts.maxTimestamp(),
        facts.leaderEpoch(),
        facts.abortedTransactions());
  }
}
