package io.strandline.broker.partition;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.LocalChanges;
import io.strandline.broker.control.MetadataListener;
import java.util.Collection;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;

/**
 * All replicas that this broker hosts: opens their logs, follows the metadata, keeps house.
 * Threads: any.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class Partitions implements MetadataListener, AutoCloseable {
  private Partitions() {}

  /** Opens all logs, recovering those that need it; blocks until done. */
  public void open(ClusterView view) {
    throw new UnsupportedOperationException();
  }

  /** The replica, if this broker hosts it, led here or not. */
  public Optional<Partition> hosted(TopicPartition partition) {
    throw new UnsupportedOperationException();
  }

  /**
   * The replica, led here.
   *
   * @throws org.apache.kafka.common.errors.NotLeaderOrFollowerException led elsewhere
   * @throws org.apache.kafka.common.errors.UnknownTopicOrPartitionException there is none
   * @throws org.apache.kafka.common.errors.KafkaStorageException its directory failed
   */
  public Partition leaderOrThrow(TopicPartition partition) {
    throw new UnsupportedOperationException();
  }

  /**
   * As above, for a request that names the topic by id.
   *
   * @throws org.apache.kafka.common.errors.InconsistentTopicIdException the name has another id
   */
  public Partition leaderOrThrow(TopicIdPartition partition) {
    throw new UnsupportedOperationException();
  }

  public Collection<Partition> all() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void onChange(ClusterView before, ClusterView now, LocalChanges mine) {
    throw new UnsupportedOperationException();
  }

  /** The clean stop: no more appends, all flushed, checkpoints and the mark of it written. */
  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
