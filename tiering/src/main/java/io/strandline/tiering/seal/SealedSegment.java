package io.strandline.tiering.seal;

import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A local segment that no append will change again, fsynced with its indexes and their directory
 * (design D14).
 *
 * @param baseOffset first offset the segment covers; below that in the name of its files when the
 *     segments before it have no bytes left
 * @param endOffset base offset of the next segment
 * @param logBytes length of {@code log}
 * @param maxTimestamp largest record timestamp in ms, or -1
 * @param log Kafka's {@code .log} file. Its bytes do not change while it exists under this name; a
 *     cleaner that replaces it makes a new file
 * @param abortedTransactions every aborted transaction that overlaps the segment, whichever
 *     segment's {@code .txnindex} lists it, in order of their last offsets
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
    List<AbortedTransaction> abortedTransactions,
    Optional<Path> producerSnapshot,
    List<EpochStart> leaderEpochs) {
  public SealedSegment {
    abortedTransactions = List.copyOf(abortedTransactions);
    leaderEpochs = List.copyOf(leaderEpochs);
    if (baseOffset < 0 || endOffset <= baseOffset || logBytes <= 0) {
      throw new IllegalArgumentException(
          "not a segment: " + baseOffset + " to " + endOffset + ", " + logBytes + " bytes");
    }
  }

  /**
   * Largest timestamp of the first batch, in ms, or -1; {@link #maxTimestamp} where the file is not
   * there any more. Blocks on disk.
   */
  public long firstTimestamp() {
    ByteBuffer head = ByteBuffer.allocate(BatchHeader.BYTES);
    try (FileChannel channel = FileChannel.open(log)) {
      while (head.hasRemaining() && channel.read(head) >= 0) {}
      return BatchHeader.parse(head.flip()).maxTimestamp();
    } catch (IOException | SegmentFormatException e) {
      return maxTimestamp; // whoever sends it finds out what is wrong with it
    }
  }
}
