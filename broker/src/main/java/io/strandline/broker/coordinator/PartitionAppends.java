package io.strandline.broker.coordinator;

import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.partition.HighWatermarkListener;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Partitions;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.coordinator.common.runtime.PartitionWriter;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * How a coordinator of Kafka's writes into our partitions. Called on the coordinator's own threads,
 * never on an event loop; the records are written when {@link #append} returns, so that the
 * coordinator may use their buffer again.
 */
public final class PartitionAppends implements PartitionWriter {
  private final Partitions partitions;
  private final OffsetVerification verification;
  private final Map<Subscription, HighWatermarkListener> listeners = new ConcurrentHashMap<>();

  /**
   * @param verification of what the coordinator writes in transactions of others
   */
  public PartitionAppends(Partitions partitions, OffsetVerification verification) {
    this.partitions = partitions;
    this.verification = verification;
  }

  private record Subscription(TopicPartition partition, Listener listener) {}

  /** Tells each value once, also when two threads tell of it out of order. */
  private static final class Ascending implements HighWatermarkListener {
    private final TopicPartition partition;
    private final Listener listener;
    private long toldOffset = -1;

    Ascending(TopicPartition partition, Listener listener) {
      this.partition = partition;
      this.listener = listener;
    }

    @Override
    public synchronized void advanced(long highWatermark) {
      if (highWatermark > toldOffset) {
        toldOffset = highWatermark;
        listener.onHighWatermarkUpdated(partition, highWatermark);
      }
    }
  }

  @Override
  public void registerListener(TopicPartition tp, Listener listener) {
    Partition partition = partitions.leaderOrThrow(tp);
    Ascending adapter = new Ascending(tp, listener);
    listeners.put(new Subscription(tp, listener), adapter);
    if (!partition.listen(adapter)) {
      listeners.remove(new Subscription(tp, listener));
      throw new NotLeaderOrFollowerException(tp + " is not led here any more");
    }
    adapter.advanced(partition.highWatermark()); // what was reached before we listened
  }

  @Override
  public void deregisterListener(TopicPartition tp, Listener listener) {
    HighWatermarkListener adapter = listeners.remove(new Subscription(tp, listener));
    if (adapter != null) {
      partitions.hosted(tp).ifPresent(partition -> partition.unlisten(adapter));
    }
  }

  @Override
  public LogConfig config(TopicPartition tp) {
    return partitions
        .hosted(tp)
        .orElseThrow(() -> new NotLeaderOrFollowerException(tp + " is not hosted here"))
        .config();
  }

  @Override
  public long append(
      TopicPartition tp, VerificationGuard guard, MemoryRecords records, short transactionVersion) {
    AppendTerms terms =
        new AppendTerms(
            AppendTerms.PRESENT_EPOCH, AppendOrigin.COORDINATOR, guard, transactionVersion);
    return partitions.leaderOrThrow(tp).appendNow(records, terms).lastOffset() + 1;
  }

  @Override
  public CompletableFuture<VerificationGuard> maybeStartTransactionVerification(
      TopicPartition tp,
      String transactionalId,
      long producerId,
      short producerEpoch,
      int apiVersion) {
    return verification.begin(tp, transactionalId, producerId, producerEpoch, apiVersion);
  }

  @Override
  public CompletableFuture<Void> deleteRecords(TopicPartition tp, long deleteBeforeOffset) {
    return partitions.leaderOrThrow(tp).deleteRecords(deleteBeforeOffset).thenApply(low -> null);
  }
}
