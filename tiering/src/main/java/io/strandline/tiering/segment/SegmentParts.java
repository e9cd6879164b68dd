package io.strandline.tiering.segment;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;

/**
 * What a tiered segment is made of.
 *
 * @param log Kafka's file of batches
 * @param logBytes how much of it counts
 * @param startOffset batches that end below it are left out; where it falls within a batch, the
 *     segment begins with that batch
 * @param endOffset offset after the last covered
 * @param abortedTransactions those that overlap
 * @param leaderEpochs every epoch with a batch below {@code endOffset}, ascending
 * @param producerSnapshot Kafka's file, at {@code endOffset}
 */
public record SegmentParts(
    TopicIdPartition partition,
    Path log,
    long logBytes,
    long startOffset,
    long endOffset,
    List<AbortedTransaction> abortedTransactions,
    List<EpochStart> leaderEpochs,
    Optional<Path> producerSnapshot) {
  public SegmentParts {
    abortedTransactions = List.copyOf(abortedTransactions);
    leaderEpochs = List.copyOf(leaderEpochs);
  }
}
