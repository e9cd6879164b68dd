package io.strandline.broker.log;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * One of {@code log.dirs}: its lock, its checkpoints, the logs in it, and whether its disk still
 * works.
 *
 * <p>Once offline it stays so until the process ends: every later call on a log of it throws {@link
 * KafkaStorageException}. Threads: any.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class LogDirectory implements AutoCloseable {
  private LogDirectory() {}

  /**
   * Takes Kafka's {@code .lock}, reads {@code meta.properties} and whether the last stop was clean.
   *
   * @throws KafkaStorageException when locked by another process or not readable
   */
  public static LogDirectory open(Path path, LogRuntime runtime) {
    throw new UnsupportedOperationException();
  }

  public Path path() {
    throw new UnsupportedOperationException();
  }

  /** {@code directory.id} of {@code meta.properties}; absent before the storage was formatted. */
  public Optional<Uuid> directoryId() {
    throw new UnsupportedOperationException();
  }

  /** Of the last process, present only if it stopped cleanly (KIP-966). */
  public OptionalLong previousBrokerEpoch() {
    throw new UnsupportedOperationException();
  }

  public boolean online() {
    throw new UnsupportedOperationException();
  }

  /** Calls back once, on the thread that met the failure; at once when offline already. */
  public void onFailure(Consumer<LogDirectory> listener) {
    throw new UnsupportedOperationException();
  }

  /**
   * Opens every log of the directory, recovering those that need it; called once, at start. A log
   * that is damaged where it was durable is left out and named by {@link #unreadable()}.
   *
   * @param configOfTopic by topic name
   */
  public Map<TopicIdPartition, PartitionLog> openAll(Function<String, LogConfig> configOfTopic) {
    throw new UnsupportedOperationException();
  }

  /** Logs that {@link #openAll} refused, and why. Their files are untouched. */
  public Map<TopicIdPartition, KafkaStorageException> unreadable() {
    throw new UnsupportedOperationException();
  }

  /**
   * Makes an empty log that begins at 0; {@link PartitionLog#truncateFullyAndStartAt} for another
   * start.
   *
   * @throws KafkaStorageException when the directory is offline or one of that name exists
   */
  public PartitionLog create(TopicIdPartition partition, LogConfig config) {
    throw new UnsupportedOperationException();
  }

  /** Renames the log's directory to {@code …-delete}; the files go after the topic's delay. */
  public void delete(PartitionLog log) {
    throw new UnsupportedOperationException();
  }

  /** {@code replication-offset-checkpoint} as found at {@link #open}. */
  public Map<TopicPartition, Long> highWatermarks() {
    throw new UnsupportedOperationException();
  }

  /** Replaces {@code replication-offset-checkpoint}. */
  public void checkpointHighWatermarks(Map<TopicPartition, Long> highWatermarks) {
    throw new UnsupportedOperationException();
  }

  /**
   * One round of periodic work, to be called about every second: {@code flush.ms}, rolls by age,
   * expired producers, recovery points and log starts to their checkpoints.
   *
   * @return number of logs that had something to do
   */
  public int maintain(long nowMs) {
    throw new UnsupportedOperationException();
  }

  /** The clean stop: flushes all, writes checkpoints and {@code .kafka_cleanshutdown}, unlocks. */
  public void close(long brokerEpoch) {
    throw new UnsupportedOperationException();
  }

  /** Unlocks and closes files without a mark of a clean stop; the next start recovers. */
  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
