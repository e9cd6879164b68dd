package io.strandline.tests.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Crash model: process. What is left of transactions when the broker is killed. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class TransactionKillTest {
  private static final int KILLS = 2;
  private static final int PER_LIFE = 25;

  @TempDir Path dir;

  private BrokerProcess start() throws IOException {
    return start(Map.of());
  }

  private BrokerProcess start(Map<String, String> more) throws IOException {
    Map<String, String> settings = new HashMap<>(more);
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    settings.put("transaction.state.log.num.partitions", "1");
    settings.put("offsets.topic.num.partitions", "1");
    return BrokerProcess.start(dir.resolve("broker"), settings);
  }

  @Test
  void anIdThatNobodyUsesIsForgottenForGood() throws Exception {
    Map<String, String> soon =
        Map.of(
            "transactional.id.expiration.ms", "1000",
            "transaction.remove.expired.transaction.cleanup.interval.ms", "200");
    try (BrokerProcess broker = start(soon)) {
      TransactionClients clients = new TransactionClients(broker.bootstrap());
      TopicPartition topic = clients.topic("idle", Map.of());
      try (KafkaProducer<String, String> open = clients.begun("open");
          KafkaProducer<String, String> idle = clients.begun("idle")) {
        TransactionClients.send(open, topic.topic(), "open");
        TransactionClients.send(idle, topic.topic(), "idle");
        idle.commitTransaction();
        TransactionClients.await("it to be forgotten", () -> ids(clients).equals(Set.of("open")));
        broker.kill();
        broker.startAgain();
        TransactionClients.await("the coordinator", () -> ids(clients).equals(Set.of("open")));
      }
    }
  }

  private static Set<String> ids(TransactionClients clients) {
    try (Admin admin = clients.admin()) {
      return TransactionClients.get(admin.listTransactions().all()).stream()
          .map(TransactionListing::transactionalId)
          .collect(Collectors.toSet());
    }
  }

  /**
   * The end of a transaction is in the log and none of its markers: what a kill leaves between the
   * two, written by hand, since the moment cannot be hit.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void markersThatWereNotWrittenAreWrittenByTheNextStart(boolean commit) throws Exception {
    try (BrokerProcess broker = start()) {
      TransactionClients clients = new TransactionClients(broker.bootstrap());
      TopicPartition topic = clients.topic("cut", Map.of());
      try (KafkaProducer<String, String> producer = clients.begun("cut")) {
        TransactionClients.send(producer, topic.topic(), "a", "b");
        producer.sendOffsetsToTransaction(
            Map.of(topic, new OffsetAndMetadata(5)), new ConsumerGroupMetadata("group"));
        broker.kill();
        prepare(commit);
        broker.startAgain();
        TransactionClients.await("its end", () -> ended(clients, topic));
        assertThat(clients.committed(topic)).isEqualTo(commit ? List.of("a", "b") : List.of());
        assertThat(clients.read(topic, IsolationLevel.READ_UNCOMMITTED)).hasSize(2);
        try (Admin admin = clients.admin()) {
          assertThat(state(admin))
              .isEqualTo(
                  commit ? TransactionState.COMPLETE_COMMIT : TransactionState.COMPLETE_ABORT);
          OffsetAndMetadata offset =
              TransactionClients.get(
                      admin.listConsumerGroupOffsets("group").partitionsToOffsetAndMetadata())
                  .get(topic);
          assertThat(offset == null ? -1 : offset.offset()).isEqualTo(commit ? 5 : -1);
        }
      }
    }
  }

  private static boolean ended(TransactionClients clients, TopicPartition topic) {
    try (Admin admin = clients.admin()) {
      TransactionState state = state(admin);
      boolean open =
          TransactionClients.get(admin.describeProducers(List.of(topic)).partitionResult(topic))
              .activeProducers()
              .stream()
              .anyMatch(producer -> producer.currentTransactionStartOffset().isPresent());
      return !open
          && (state == TransactionState.COMPLETE_ABORT
              || state == TransactionState.COMPLETE_COMMIT);
    }
  }

  private static TransactionState state(Admin admin) {
    return TransactionClients.get(admin.describeTransactions(List.of("cut")).description("cut"))
        .state();
  }

  /** Appends the record by which a coordinator decides how the last transaction ends. */
  private void prepare(boolean commit) throws IOException {
    Path log = dir.resolve("broker/data/__transaction_state-0/00000000000000000000.log");
    MemoryRecords prepared;
    try (FileRecords records = FileRecords.open(log.toFile())) {
      RecordBatch batch = Utils.toList(records.batches().iterator()).get(count(records) - 1);
      Record last = Utils.toList(batch.iterator()).get(batch.countOrNull() - 1);
      ByteBuffer bytes = last.value();
      short version = bytes.getShort();
      TransactionLogValue value = new TransactionLogValue(new ByteBufferAccessor(bytes), version);
      assertThat(value.transactionStatus()).as("open").isEqualTo((byte) 1);
      value.setTransactionStatus((byte) (commit ? 2 : 3));
      value.setProducerEpoch((short) (value.producerEpoch() + 1)); // by version 2
      prepared =
          MemoryRecords.withRecords(
              RecordBatch.CURRENT_MAGIC_VALUE,
              batch.nextOffset(),
              Compression.NONE,
              TimestampType.CREATE_TIME,
              RecordBatch.NO_PRODUCER_ID,
              RecordBatch.NO_PRODUCER_EPOCH,
              RecordBatch.NO_SEQUENCE,
              batch.partitionLeaderEpoch(),
              false,
              new SimpleRecord(
                  last.timestamp(),
                  Utils.toArray(last.key()),
                  MessageUtil.toVersionPrefixedBytes(version, value)));
    }
    try (FileChannel end = FileChannel.open(log, StandardOpenOption.APPEND)) {
      Utils.writeFully(end, prepared.buffer());
    }
  }

  private static int count(FileRecords records) {
    return Utils.toList(records.batches().iterator()).size();
  }

  @Test
  void whatWasCommittedIsThereAndWhatWasNotIsNotThroughKills() throws Exception {
    try (BrokerProcess broker = start()) {
      TransactionClients clients = new TransactionClients(broker.bootstrap());
      TopicPartition left = clients.topic("left", Map.of());
      TopicPartition right = clients.topic("right", Map.of());
      try (TransactionLoop loop = new TransactionLoop(clients, left.topic(), right.topic())) {
        for (int kill = 0; kill < KILLS; kill++) {
          loop.awaitMore(PER_LIFE);
          broker.kill();
          broker.startAgain();
        }
        loop.awaitMore(PER_LIFE);
        List<String> committed = loop.finish();
        TransactionClients.await("the last one", () -> settled(clients, left, right));
        assertThat(clients.committed(left)).isEqualTo(committed);
        assertThat(clients.committed(right)).isEqualTo(committed);
      }
    }
  }

  private static boolean settled(TransactionClients clients, TopicPartition... partitions) {
    try (Admin admin = clients.admin()) {
      return Stream.of(partitions)
          .flatMap(
              partition ->
                  TransactionClients.get(
                      admin.describeProducers(List.of(partition)).partitionResult(partition))
                      .activeProducers()
                      .stream())
          .noneMatch(producer -> producer.currentTransactionStartOffset().isPresent());
    }
  }
}
