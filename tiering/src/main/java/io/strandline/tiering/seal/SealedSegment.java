package io.strandline.tiering.seal;

import io.strandline.tiering.segment.EpochStart;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A local segment that no append will change again, fsynced with its indexes and their directory
 * (design D14).
 *
 * @param baseOffset first offset the segment covers, as in the name of its files
 * @param endOffset base offset of the next segment
 * @param logBytes length of {@code log}
 * @param maxTimestamp largest record timestamp in ms, or -1
 * @param log,offsetIndex,timeIndex Kafka's files
 * @param transactionIndex Kafka's {@code .txnindex}, absent when the segment has no aborted
 *     transaction
 * @param producerSnapshot Kafka's {@code .snapshot} at {@code endOffset}, absent when no producer
 *     state existed
 * @param leaderEpochs every epoch with a batch below {@code endOffset}, ascending, from the log's
 *     start on
 */
public record SealedSegment(
    TopicIdPartition partition,
    long baseOffset,
    long endOffset,
    long logBytes,
    long maxTimestamp,
    Path log,
    Path offsetIndex,
    Path timeIndex,
    Optional<Path> transactionIndex,
    Optional<Path> producerSnapshot,
    List<EpochStart> leaderEpochs) {
  public SealedSegment {
    leaderEpochs = List.copyOf(leaderEpochs);
    if (baseOffset < 0 || endOffset <= baseOffset || logBytes <= 0) {
      throw new IllegalArgumentException(
          "not a segment: " + baseOffset + " to " + endOffset + ", " + logBytes + " bytes");
    }
  }
}
