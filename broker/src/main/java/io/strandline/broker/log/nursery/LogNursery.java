package io.strandline.broker.log.nursery;

import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.segment.LogFiles;
import io.strandline.tiering.segment.EpochStart;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.storage.internals.checkpoint.LeaderEpochCheckpointFile;
import org.apache.kafka.storage.internals.log.EpochEntry;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;

/**
 * The files of a log that begins elsewhere than at 0. The directory that holds them becomes a log's
 * by one rename; a process that ends before leaves a directory that the next start deletes.
 * Threads: one at a time; methods block on disk.
 */
public final class LogNursery {
  private final TopicIdPartition partition;
  private final Disk disk;
  private final Path path;
  private long startOffset;
  private long endOffset;
  private OptionalInt lastEpoch = OptionalInt.empty();

  /**
   * @param path of the directory, which is there
   */
  public LogNursery(TopicIdPartition partition, Disk disk, Path path) {
    this.partition = partition;
    this.disk = disk;
    this.path = path;
  }

  public TopicIdPartition partition() {
    return partition;
  }

  public Path path() {
    return path;
  }

  /** First offset of the partition, wherever it lies. */
  public long startOffset() {
    return startOffset;
  }

  /**
   * The log ends here: an empty segment for what is appended next.
   *
   * @param start first offset of the partition; what of it lies below the first segment is tiered
   */
  public void bounds(long start, long end) throws IOException {
    startOffset = start;
    endOffset = end;
    try (Disk.File empty = disk.open(LogFiles.of(path, end, LogFiles.LOG), true)) {
      empty.force();
    }
  }

  /** Ascending. */
  public void epochs(List<EpochStart> epochs) throws IOException {
    lastEpoch =
        epochs.isEmpty()
            ? OptionalInt.empty()
            : OptionalInt.of(epochs.get(epochs.size() - 1).leaderEpoch());
    new LeaderEpochCheckpointFile(
            LeaderEpochCheckpointFile.newFile(path.toFile()), new LogDirFailureChannel(1))
        .write(epochs.stream().map(e -> new EpochEntry(e.leaderEpoch(), e.startOffset())).toList());
  }

  /**
   * Whether a log has all of this history: it reaches as far, and so does the last leader epoch of
   * it there. Logs that have a record of one epoch in common are the same up to it (KIP-101).
   */
  public boolean within(PartitionLog log) {
    if (log.logEndOffset() < endOffset || lastEpoch.isEmpty()) {
      return log.logEndOffset() >= endOffset;
    }
    int epoch = lastEpoch.getAsInt();
    return log.endOffsetForEpoch(epoch)
        .filter(end -> end.leaderEpoch() == epoch && end.endOffset() >= endOffset)
        .isPresent();
  }

  /** Kafka's snapshot at the log's end; transactions open in it want {@link #ended}. */
  public void producers(ByteBuffer snapshot) throws IOException {
    try (Disk.File file = disk.open(LogFiles.of(path, endOffset, LogFiles.SNAPSHOT), true)) {
      file.write(snapshot.duplicate(), 0);
      file.force();
    }
  }

  /**
   * Transactions whose markers are lost end here, as they were decided: the log begins with a new
   * marker for each. Without them the last stable offset would stay below for ever, and who reads
   * aborted records from the tier would take what their producer wrote later for aborted too.
   *
   * @param transactions open at the log's end
   * @param aborted of them; the others were committed
   * @param leaderEpoch in which this broker leads, so that the tier's last epoch ends with the
   *     tier: other replicas may have records of that epoch where these markers lie, and cut them
   *     off
   */
  public void ended(
      List<OpenTransactions.Open> transactions,
      Predicate<OpenTransactions.Open> aborted,
      int leaderEpoch)
      throws IOException {
    long positionBytes = 0;
    long offset = endOffset;
    try (Disk.File file = disk.open(LogFiles.of(path, endOffset, LogFiles.LOG), true)) {
      for (OpenTransactions.Open open : transactions) {
        ControlRecordType type =
            aborted.test(open) ? ControlRecordType.ABORT : ControlRecordType.COMMIT;
        ByteBuffer marker =
            MemoryRecords.withEndTransactionMarker(
                    offset++,
                    open.timestampMs(),
                    leaderEpoch,
                    open.producerId(),
                    open.producerEpoch(),
                    new EndTransactionMarker(type, Math.max(0, open.coordinatorEpoch())))
                .buffer();
        int bytes = marker.remaining();
        file.write(marker, positionBytes);
        positionBytes += bytes;
      }
      file.force();
    }
  }

  /** A segment's file of batches, to be written and closed by the caller. */
  public Disk.File segment(long baseOffset) throws IOException {
    return disk.open(LogFiles.of(path, baseOffset, LogFiles.LOG), true);
  }

  /** All names are durable. */
  public void force() throws IOException {
    disk.forceDirectory(path);
  }
}
