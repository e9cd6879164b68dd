package io.strandline.broker.transaction;

import io.strandline.broker.transaction.state.Transaction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.coordinator.common.runtime.CoordinatorMetadataImage;
import org.apache.kafka.coordinator.common.runtime.CoordinatorShard;
import org.apache.kafka.timeline.SnapshotRegistry;
import org.apache.kafka.timeline.TimelineHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The transactional ids of one partition of {@code __transaction_state}: what its log says, and
 * nothing else. Called by the runtime alone, one thread at a time.
 */
final class TransactionShard implements CoordinatorShard<TransactionRecord> {
  private final int partition;
  private final TimelineHashMap<String, Transaction> transactions;
  private final BiConsumer<Integer, Map<String, Transaction>> unfinished;

  /**
   * @param unfinished told after loading, by partition, of those whose markers may be missing
   */
  TransactionShard(
      TopicPartition partition,
      SnapshotRegistry snapshots,
      BiConsumer<Integer, Map<String, Transaction>> unfinished) {
    this.partition = partition.partition();
    this.transactions = new TimelineHashMap<>(snapshots, 0);
    this.unfinished = unfinished;
  }

  @Override
  public void onLoaded(CoordinatorMetadataImage image) {
    Map<String, Transaction> ending = new HashMap<>();
    transactions.forEach(
        (id, transaction) -> {
          if (transaction.ending()) {
            ending.put(id, transaction);
          }
        });
    unfinished.accept(partition, ending);
  }

  @Override
  public void replay(long offset, long producerId, short producerEpoch, TransactionRecord read) {
    Transaction transaction = read.transaction();
    if (transaction == null) {
      transactions.remove(read.transactionalId());
    } else {
      transactions.put(read.transactionalId(), transaction);
    }
  }

  /** As written, though perhaps not yet by all replicas. */
  @Nullable Transaction newest(String transactionalId) {
    return transactions.get(transactionalId);
  }

  /** As committed. */
  @Nullable Transaction committed(String transactionalId, long committedOffset) {
    return transactions.get(transactionalId, committedOffset);
  }

  /** Those as committed that are asked for. */
  Map<String, Transaction> committed(Predicate<Transaction> which, long committedOffset) {
    Map<String, Transaction> found = new HashMap<>();
    for (Map.Entry<String, Transaction> entry : transactions.entrySet(committedOffset)) {
      if (which.test(entry.getValue())) {
        found.put(entry.getKey(), entry.getValue());
      }
    }
    return found;
  }

  /** Records that forget transactional ids nobody has used for long. */
  List<TransactionRecord> forgetIdle(long nowMs, long expirationMs) {
    return transactions.entrySet().stream()
        .filter(entry -> entry.getValue().idle(nowMs, expirationMs))
        .map(entry -> new TransactionRecord(entry.getKey(), null))
        .toList();
  }
}
