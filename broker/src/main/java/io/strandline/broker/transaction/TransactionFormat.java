package io.strandline.broker.transaction;

import io.strandline.broker.transaction.state.ProducerIdentity;
import io.strandline.broker.transaction.state.Timing;
import io.strandline.broker.transaction.state.Transaction;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.coordinator.common.runtime.Deserializer;
import org.apache.kafka.coordinator.common.runtime.Serializer;
import org.apache.kafka.coordinator.transaction.TransactionLog;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.coordinator.transaction.generated.CoordinatorRecordType;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKey;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue.PartitionsSchema;
import org.apache.kafka.server.common.TransactionVersion;
import org.jspecify.annotations.Nullable;

/**
 * Records of {@code __transaction_state} in Kafka's schemas, so that a partition of it may be led
 * by either. They do not tell {@link ProducerIdentity#lastEpoch}.
 */
final class TransactionFormat
    implements Serializer<TransactionRecord>, Deserializer<TransactionRecord> {
  private final Supplier<TransactionVersion> version;

  /**
   * @param version of transactions of the cluster, which says what may be written
   */
  TransactionFormat(Supplier<TransactionVersion> version) {
    this.version = version;
  }

  @Override
  public byte[] serializeKey(TransactionRecord written) {
    return TransactionLog.keyToBytes(written.transactionalId());
  }

  @Override
  public byte @Nullable [] serializeValue(TransactionRecord written) {
    Transaction transaction = written.transaction();
    if (transaction == null) {
      return null;
    }
    short valueVersion = version.get().transactionLogValueVersion();
    return MessageUtil.toVersionPrefixedBytes(valueVersion, value(transaction, valueVersion));
  }

  private static TransactionLogValue value(Transaction transaction, short valueVersion) {
    ProducerIdentity producer = transaction.producer();
    TransactionLogValue value =
        new TransactionLogValue()
            .setProducerId(producer.id())
            .setProducerEpoch(producer.epoch())
            .setTransactionTimeoutMs(transaction.timing().timeoutMs())
            .setTransactionStatus(transaction.state().id())
            .setTransactionLastUpdateTimestampMs(transaction.timing().updatedMs())
            .setTransactionStartTimestampMs(transaction.timing().startMs())
            .setTransactionPartitions(
                transaction.state() == TransactionState.EMPTY
                    ? null
                    : byTopic(transaction.partitions()));
    if (valueVersion >= 1) { // below, what these would say cannot be written
      value
          .setPreviousProducerId(producer.previousId())
          .setNextProducerId(producer.nextId())
          .setClientTransactionVersion(transaction.version().featureLevel());
    }
    return value;
  }

  private static List<PartitionsSchema> byTopic(Set<TopicPartition> partitions) {
    return partitions.stream()
        .collect(Collectors.groupingBy(TopicPartition::topic))
        .entrySet()
        .stream()
        .map(
            topic ->
                new PartitionsSchema()
                    .setTopic(topic.getKey())
                    .setPartitionIds(
                        topic.getValue().stream().map(TopicPartition::partition).toList()))
        .toList();
  }

  @Override
  public TransactionRecord deserialize(ByteBuffer key, @Nullable ByteBuffer value) {
    short type = key.getShort();
    if (type != CoordinatorRecordType.TRANSACTION_LOG.id()) {
      throw new UnknownRecordTypeException(type);
    }
    String id = new TransactionLogKey(new ByteBufferAccessor(key), (short) 0).transactionalId();
    if (value == null) {
      return new TransactionRecord(id, null);
    }
    short valueVersion = value.getShort();
    if (valueVersion < TransactionLogValue.LOWEST_SUPPORTED_VERSION
        || valueVersion > TransactionLogValue.HIGHEST_SUPPORTED_VERSION) {
      throw new UnknownRecordTypeException(valueVersion);
    }
    return new TransactionRecord(
        id, transaction(new TransactionLogValue(new ByteBufferAccessor(value), valueVersion)));
  }

  private static Transaction transaction(TransactionLogValue value) {
    TransactionState state = TransactionState.fromId(value.transactionStatus());
    Set<TopicPartition> partitions = new HashSet<>();
    if (state != TransactionState.EMPTY && value.transactionPartitions() != null) {
      for (PartitionsSchema topic : value.transactionPartitions()) {
        topic.partitionIds().forEach(p -> partitions.add(new TopicPartition(topic.topic(), p)));
      }
    }
    return new Transaction(
        state,
        new ProducerIdentity(
            value.producerId(),
            value.producerEpoch(),
            RecordBatch.NO_PRODUCER_EPOCH,
            value.previousProducerId(),
            value.nextProducerId()),
        partitions,
        new Timing(
            value.transactionTimeoutMs(),
            value.transactionStartTimestampMs(),
            value.transactionLastUpdateTimestampMs()),
        TransactionVersion.fromFeatureLevel(value.clientTransactionVersion()));
  }
}
