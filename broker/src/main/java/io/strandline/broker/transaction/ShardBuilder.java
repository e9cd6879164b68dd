package io.strandline.broker.transaction;

import io.strandline.broker.transaction.state.Transaction;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.common.runtime.CoordinatorExecutor;
import org.apache.kafka.coordinator.common.runtime.CoordinatorMetrics;
import org.apache.kafka.coordinator.common.runtime.CoordinatorShardBuilder;
import org.apache.kafka.coordinator.common.runtime.CoordinatorTimer;
import org.apache.kafka.timeline.SnapshotRegistry;
import org.jspecify.annotations.Nullable;

/** Of all that the runtime offers a shard, it takes the snapshots and its partition. */
final class ShardBuilder implements CoordinatorShardBuilder<TransactionShard, TransactionRecord> {
  private final BiConsumer<Integer, Map<String, Transaction>> unfinished;
  private @Nullable SnapshotRegistry snapshots;
  private @Nullable TopicPartition partition;

  ShardBuilder(BiConsumer<Integer, Map<String, Transaction>> unfinished) {
    this.unfinished = unfinished;
  }

  @Override
  public ShardBuilder withSnapshotRegistry(SnapshotRegistry registry) {
    snapshots = registry;
    return this;
  }

  @Override
  public ShardBuilder withTopicPartition(TopicPartition topicPartition) {
    partition = topicPartition;
    return this;
  }

  @Override
  public ShardBuilder withLogContext(LogContext context) {
    return this;
  }

  @Override
  public ShardBuilder withTime(Time time) {
    return this;
  }

  @Override
  public ShardBuilder withTimer(CoordinatorTimer<TransactionRecord> timer) {
    return this;
  }

  @Override
  public ShardBuilder withExecutor(CoordinatorExecutor<TransactionRecord> executor) {
    return this;
  }

  @Override
  public ShardBuilder withCoordinatorMetrics(CoordinatorMetrics metrics) {
    return this;
  }

  @Override
  public TransactionShard build() {
    return new TransactionShard(
        Objects.requireNonNull(partition), Objects.requireNonNull(snapshots), unfinished);
  }
}
