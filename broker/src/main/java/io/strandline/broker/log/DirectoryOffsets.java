package io.strandline.broker.log;

import io.strandline.broker.log.disk.Checkpoints;
import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/**
 * A directory's checkpoint files as they stand on disk. Entries of logs that are not open stay as
 * they were found. After {@link #close} nothing is written: the directory may be another process's.
 * Threads: any.
 */
final class DirectoryOffsets {
  private final Checkpoints files;
  private final Collection<PartitionLog> open;
  private final Map<TopicPartition, Long> recoveryPoints;
  private final Map<TopicPartition, Long> logStarts;
  private final Map<TopicPartition, Long> cleaned;

  /** Forgotten, but on disk perhaps still. */
  private final Set<TopicPartition> stale = new HashSet<>();

  private boolean closed;

  /**
   * @param open the open logs, a live view
   */
  DirectoryOffsets(Checkpoints files, Collection<PartitionLog> open) throws IOException {
    this.files = files;
    this.open = open;
    this.recoveryPoints = files.read(Checkpoints.RECOVERY_POINT);
    this.logStarts = files.read(Checkpoints.LOG_START);
    this.cleaned = files.read(Checkpoints.CLEANER);
  }

  /** 0 when unknown. */
  synchronized long recoveryPoint(TopicPartition partition) {
    return recoveryPoints.getOrDefault(partition, 0L);
  }

  /** -1 when unknown. */
  synchronized long logStart(TopicPartition partition) {
    return logStarts.getOrDefault(partition, -1L);
  }

  /** First offset not yet compacted; 0 when unknown. */
  synchronized long cleaned(TopicPartition partition) {
    return cleaned.getOrDefault(partition, 0L);
  }

  /** The log is gone. On disk that is told with the next log that begins under its name. */
  synchronized void forget(TopicPartition partition) {
    boolean known = recoveryPoints.remove(partition) != null;
    known |= logStarts.remove(partition) != null;
    known |= cleaned.remove(partition) != null;
    if (known) {
      stale.add(partition);
    }
  }

  /**
   * A log of this name is about to begin at 0; nothing on disk tells of an earlier one when this
   * returns. Free of cost unless there was one.
   */
  synchronized void begin(TopicPartition partition) throws IOException {
    forget(partition);
    if (stale.contains(partition)) {
      writeAll();
    }
  }

  /** A log of this name is about to begin; its start is durable when this returns. */
  synchronized void begin(TopicPartition partition, long logStart) throws IOException {
    begin(partition, logStart, 0, 0);
  }

  /** As above, durable up to the recovery point and compacted up to the last offset. */
  synchronized void begin(
      TopicPartition partition, long logStart, long recoveryPoint, long cleanedOffset)
      throws IOException {
    forget(partition);
    logStarts.put(partition, logStart);
    recoveryPoints.put(partition, recoveryPoint);
    writeAll();
    if (cleanedOffset > 0) {
      keepCleaned(partition, cleanedOffset);
    }
  }

  /** The recovery point on disk is not above the one in memory after this. */
  synchronized void lowerRecoveryPoint(LogState log) throws IOException {
    TopicPartition partition = log.partition.topicPartition();
    if (recoveryPoint(partition) > log.recoveryPoint) {
      recoveryPoints.put(partition, log.recoveryPoint);
      writeRecoveryPoints();
    }
  }

  /** The log start on disk is the one in memory after this. */
  synchronized void keepLogStart(LogState log) throws IOException {
    TopicPartition partition = log.partition.topicPartition();
    if (logStart(partition) != log.logStart) {
      logStarts.put(partition, log.logStart);
      writeLogStarts();
    }
  }

  /** What lies from the offset on is not compacted, or will be written anew. */
  synchronized void lowerCleaned(TopicPartition partition, long offset) throws IOException {
    if (cleaned(partition) > offset) {
      keepCleaned(partition, offset);
    }
  }

  synchronized void keepCleaned(TopicPartition partition, long offset) throws IOException {
    cleaned.put(partition, offset);
    write(Checkpoints.CLEANER, cleaned);
  }

  /** Recovery points and log starts of all open logs; what is stale goes from all files. */
  synchronized void writeAll() throws IOException {
    writeRecoveryPoints();
    writeLogStarts();
    if (!stale.isEmpty()) {
      write(Checkpoints.CLEANER, cleaned);
      stale.clear();
    }
  }

  private void writeRecoveryPoints() throws IOException {
    for (PartitionLog log : open) {
      recoveryPoints.put(log.partition().topicPartition(), log.recoveryPoint());
    }
    write(Checkpoints.RECOVERY_POINT, recoveryPoints);
  }

  private void writeLogStarts() throws IOException {
    for (PartitionLog log : open) {
      logStarts.put(log.partition().topicPartition(), log.logStartOffset());
    }
    write(Checkpoints.LOG_START, logStarts);
  }

  synchronized void writeHighWatermarks(Map<TopicPartition, Long> offsets) throws IOException {
    Map<TopicPartition, Long> sorted = new TreeMap<>(Checkpoints.ORDER);
    sorted.putAll(offsets);
    write(Checkpoints.HIGH_WATERMARK, sorted);
  }

  private void write(String name, Map<TopicPartition, Long> entries) throws IOException {
    if (!closed) {
      files.write(name, entries);
    }
  }

  synchronized void close() {
    closed = true;
  }
}
