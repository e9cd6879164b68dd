package io.strandline.tiering.restore;

import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.EpochStart;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Where a partition's tier ends, and what its last segment says of that place: all that a log which
 * goes on from there has to know.
 *
 * <p>No transaction is undecided at the end: nothing is uploaded above the last stable offset. One
 * that is still open in the producer snapshot was decided by a marker that is lost: aborted if
 * {@code aborted} has it, else committed.
 *
 * @param version of the manifest; 0 when the partition was never tiered
 * @param leaderEpoch of the version's writer; -1 when there is none
 * @param startOffset first offset held
 * @param endOffset offset after the last held
 * @param deleted whether the topic was deleted: nothing is held, and nothing can follow
 * @param epochs every epoch with a batch below the end, ascending, from the log's start on
 * @param aborted aborted transactions that overlap the last segment
 * @param producerSnapshot Kafka's file at the end offset; empty when no producer state existed, or
 *     it was another cluster's
 * @param timestampMs largest of the last segment, or -1
 */
public record TierTail(
    TopicIdPartition partition,
    long version,
    int leaderEpoch,
    long startOffset,
    long endOffset,
    boolean deleted,
    List<EpochStart> epochs,
    List<AbortedTransaction> aborted,
    Optional<ByteBuffer> producerSnapshot,
    long timestampMs) {
  public TierTail {
    epochs = List.copyOf(epochs);
    aborted = List.copyOf(aborted);
  }
}
