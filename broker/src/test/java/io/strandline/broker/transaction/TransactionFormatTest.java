package io.strandline.broker.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.transaction.state.ProducerIdentity;
import io.strandline.broker.transaction.state.Timing;
import io.strandline.broker.transaction.state.Transaction;
import java.nio.ByteBuffer;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.coordinator.transaction.TransactionLog;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Records of transactions as Apache Kafka reads them, and as they are read back. */
class TransactionFormatTest {
  private static final Transaction OPEN =
      new Transaction(
          TransactionState.PREPARE_COMMIT,
          new ProducerIdentity(7, (short) 3, (short) -1, 6, 8),
          Set.of(new TopicPartition("a", 1), new TopicPartition("a", 2)),
          new Timing(1000, 5, 9),
          TransactionVersion.TV_2);

  @ParameterizedTest
  @EnumSource(TransactionVersion.class)
  void whatIsWrittenIsReadByKafkaAndByUs(TransactionVersion version) {
    TransactionFormat format = new TransactionFormat(() -> version);
    TransactionRecord record = new TransactionRecord("id", OPEN);
    byte[] key = format.serializeKey(record);
    byte[] value = format.serializeValue(record);
    TransactionLog.TxnRecord kafka =
        (TransactionLog.TxnRecord)
            TransactionLog.read(ByteBuffer.wrap(key), ByteBuffer.wrap(value));
    assertThat(kafka.transactionId()).isEqualTo("id");
    assertThat(kafka.metadata().state()).isEqualTo(TransactionState.PREPARE_COMMIT);
    assertThat(kafka.metadata().topicPartitions()).isEqualTo(OPEN.partitions());
    assertThat(kafka.metadata().producerEpoch()).isEqualTo((short) 3);
    TransactionRecord read = format.deserialize(ByteBuffer.wrap(key), ByteBuffer.wrap(value));
    if (version == TransactionVersion.TV_0) { // its records are not flexible
      assertThat(read.transaction().producer())
          .isEqualTo(new ProducerIdentity(7, (short) 3, (short) -1, -1, -1));
    } else {
      assertThat(read).isEqualTo(record);
    }
  }

  @Test
  void aTombstoneForgets() {
    TransactionFormat format = new TransactionFormat(() -> TransactionVersion.TV_2);
    TransactionRecord gone = new TransactionRecord("id", null);
    assertThat(format.serializeValue(gone)).isNull();
    assertThat(format.deserialize(ByteBuffer.wrap(format.serializeKey(gone)), null))
        .isEqualTo(gone);
  }
}
