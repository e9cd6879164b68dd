package io.strandline.tests.transaction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidRegularExpression;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Transactions as Kafka's own clients see them, by version 1 and 2 of the protocol. The same holds
 * of Apache Kafka, given as {@code -Dtransaction.peer=host:port}.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TransactionJourneyTest {
  @TempDir static Path dir;
  private BrokerProcess broker;
  private TransactionClients clients;

  @BeforeAll
  void start() throws Exception {
    String peer = System.getProperty("transaction.peer", "");
    if (peer.isEmpty()) {
      broker =
          BrokerProcess.start(
              dir,
              Map.of(
                  "strandline.object.store", "file:" + dir.resolve("objects"),
                  "transaction.state.log.num.partitions", "3",
                  "offsets.topic.num.partitions", "2",
                  "transaction.abort.timed.out.transaction.cleanup.interval.ms", "500"));
      peer = broker.bootstrap();
    }
    clients = new TransactionClients(peer);
  }

  @AfterAll
  void stop() throws Exception {
    if (broker != null) {
      broker.close();
    }
  }

  private TopicPartition topic(String name, int version) {
    clients.transactionVersion(version);
    return clients.topic(name + "-" + version, Map.of());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void whatIsCommittedIsReadAndWhatIsAbortedIsNot(int version) {
    TopicPartition topic = topic("ends", version);
    try (KafkaProducer<String, String> producer = clients.producer("ends-" + version, Map.of())) {
      producer.initTransactions();
      for (int i = 0; i < 20; i++) {
        producer.beginTransaction();
        TransactionClients.send(producer, topic.topic(), "a" + i, "b" + i);
        if (i % 2 == 0) {
          producer.commitTransaction();
        } else {
          producer.abortTransaction();
        }
      }
    }
    List<String> committed = clients.committed(topic);
    assertThat(committed).hasSize(20).doesNotHaveDuplicates();
    assertThat(committed).allMatch(value -> Integer.parseInt(value.substring(1)) % 2 == 0);
    assertThat(clients.read(topic, IsolationLevel.READ_UNCOMMITTED)).hasSize(40);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void anOpenTransactionHoldsBackWhatComesAfterIt(int version) {
    TopicPartition topic = topic("open", version);
    try (KafkaProducer<String, String> open = clients.begun("open-" + version);
        KafkaProducer<String, String> quick = clients.begun("quick-" + version)) {
      TransactionClients.send(open, topic.topic(), "open");
      TransactionClients.send(quick, topic.topic(), "quick");
      quick.commitTransaction();
      assertThat(clients.committed(topic)).isEmpty();
      open.commitTransaction();
      TransactionClients.await("both", () -> clients.committed(topic).size() == 2);
    }
  }

  /** KIP-98 and KIP-107 together: nobody is told to begin below the start of the log. */
  @Test
  void recordsDeletedUnderAnOpenTransactionHoldNobodyBackBelowTheStart() {
    TopicPartition topic = topic("trimmed", 2);
    String[] values = IntStream.range(1, 101).mapToObj(String::valueOf).toArray(String[]::new);
    try (KafkaProducer<String, String> open = clients.begun("trimmed-open");
        KafkaProducer<String, String> quick = clients.begun("trimmed-quick");
        Admin admin = clients.admin();
        KafkaConsumer<String, String> latest = clients.latest()) {
      TransactionClients.send(open, topic.topic(), "0");
      TransactionClients.send(quick, topic.topic(), values);
      quick.commitTransaction();
      TransactionClients.send(open, topic.topic(), "aborted");
      TransactionClients.get(
          admin.deleteRecords(Map.of(topic, RecordsToDelete.beforeOffset(50))).all());
      assertThat(
              TransactionClients.get(
                      admin
                          .listOffsets(
                              Map.of(topic, OffsetSpec.latest()),
                              new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                          .partitionResult(topic))
                  .offset())
          .isEqualTo(50);
      latest.assign(List.of(topic));
      assertThat(latest.poll(Duration.ofMillis(500))).isEmpty();
      assertThat(latest.position(topic)).isEqualTo(50);
      open.abortTransaction();
      List<String> read = new ArrayList<>();
      TransactionClients.await(
          "what was committed from the start on",
          () -> {
            latest.poll(Duration.ofMillis(100)).forEach(record -> read.add(record.value()));
            return read.contains("100");
          });
      assertThat(read).containsExactly(Arrays.copyOfRange(values, 49, 100));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void offsetsCountWhenTheirTransactionIsCommitted(int version) {
    TopicPartition topic = topic("offsets", version);
    String group = "group-" + version;
    try (KafkaProducer<String, String> producer = clients.begun("offsets-" + version);
        Admin admin = clients.admin()) {
      TransactionClients.send(producer, topic.topic(), "x");
      producer.sendOffsetsToTransaction(
          Map.of(topic, new OffsetAndMetadata(7)), new ConsumerGroupMetadata(group));
      producer.abortTransaction();
      assertThat(offset(admin, group, topic)).isEqualTo(-1);
      producer.beginTransaction();
      producer.sendOffsetsToTransaction(
          Map.of(topic, new OffsetAndMetadata(9)), new ConsumerGroupMetadata(group));
      assertThat(offset(admin, group, topic)).isEqualTo(-1);
      producer.commitTransaction();
      TransactionClients.await("the offset", () -> offset(admin, group, topic) == 9);
    }
  }

  private static long offset(Admin admin, String group, TopicPartition partition) {
    OffsetAndMetadata found =
        TransactionClients.get(
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
            .get(partition);
    return found == null ? -1 : found.offset();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aSecondProducerFencesTheFirst(int version) {
    TopicPartition topic = topic("fenced", version);
    try (KafkaProducer<String, String> first = clients.begun("fenced-" + version)) {
      TransactionClients.send(first, topic.topic(), "lost");
      try (KafkaProducer<String, String> second = clients.begun("fenced-" + version)) {
        assertThatThrownBy(
                () -> {
                  var unused = first.send(new ProducerRecord<>(topic.topic(), "late")).get();
                })
            .isInstanceOf(ExecutionException.class)
            .cause()
            .isInstanceOfAny(InvalidProducerEpochException.class, ProducerFencedException.class);
        assertThatThrownBy(first::commitTransaction)
            .isInstanceOfAny(InvalidProducerEpochException.class, ProducerFencedException.class);
        TransactionClients.send(second, topic.topic(), "kept");
        second.commitTransaction();
      }
    }
    TransactionClients.await("its end", () -> !clients.committed(topic).isEmpty());
    assertThat(clients.committed(topic)).containsExactly("kept");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aTransactionThatTakesTooLongIsAborted(int version) {
    TopicPartition topic = topic("slow", version);
    try (KafkaProducer<String, String> slow =
            clients.begun("slow-" + version, Map.of("transaction.timeout.ms", 1000));
        KafkaProducer<String, String> quick = clients.begun("after-slow-" + version)) {
      TransactionClients.send(slow, topic.topic(), "slow");
      TransactionClients.send(quick, topic.topic(), "quick");
      quick.commitTransaction();
      TransactionClients.await("the time-out", () -> clients.committed(topic).size() == 1);
      // By version 2 the epoch is that of the next transaction: this one has ended otherwise.
      assertThatThrownBy(slow::commitTransaction)
          .isInstanceOfAny(
              InvalidProducerEpochException.class,
              ProducerFencedException.class,
              InvalidTxnStateException.class);
    }
    assertThat(clients.committed(topic)).containsExactly("quick");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void operatorsSeeTransactions(int version) {
    TopicPartition topic = topic("seen", version);
    String id = "seen-" + version;
    try (KafkaProducer<String, String> producer = clients.begun(id);
        Admin admin = clients.admin()) {
      TransactionClients.send(producer, topic.topic(), "x");
      TransactionDescription seen =
          TransactionClients.get(admin.describeTransactions(List.of(id)).description(id));
      assertThat(seen.state()).isEqualTo(TransactionState.ONGOING);
      assertThat(seen.topicPartitions()).containsExactly(topic);
      assertThat(seen.transactionStartTimeMs()).isPresent();
      assertThat(
              listed(
                  admin,
                  new ListTransactionsOptions().filterStates(List.of(TransactionState.ONGOING))))
          .contains(id);
      assertThat(
              listed(
                  admin,
                  new ListTransactionsOptions().filterOnTransactionalIdPattern("see.-" + version)))
          .containsExactly(id);
      for (String none : List.of("(s)een\\1", "see(")) { // what would need to go back is none
        assertThatThrownBy(
                () ->
                    listed(
                        admin, new ListTransactionsOptions().filterOnTransactionalIdPattern(none)))
            .isInstanceOf(InvalidRegularExpression.class);
      }
      assertThat(listed(admin, new ListTransactionsOptions().filterOnDuration(3_600_000)))
          .doesNotContain(id);
      assertThat(producing(admin, topic))
          .singleElement()
          .matches(state -> state.currentTransactionStartOffset().isPresent());
      producer.commitTransaction();
      TransactionClients.await(
          "the end",
          () ->
              TransactionClients.get(admin.describeTransactions(List.of(id)).description(id))
                      .state()
                  == TransactionState.COMPLETE_COMMIT);
    }
  }

  private static List<String> listed(Admin admin, ListTransactionsOptions options) {
    Collection<TransactionListing> found =
        TransactionClients.get(admin.listTransactions(options).all());
    return found.stream().map(TransactionListing::transactionalId).toList();
  }

  private static List<ProducerState> producing(Admin admin, TopicPartition partition) {
    return TransactionClients.get(
            admin.describeProducers(List.of(partition)).partitionResult(partition))
        .activeProducers();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void anOperatorAbortsWhatHangs(int version) {
    TopicPartition topic = topic("hangs", version);
    try (KafkaProducer<String, String> producer = clients.begun("hangs-" + version);
        Admin admin = clients.admin()) {
      TransactionClients.send(producer, topic.topic(), "gone");
      ProducerState state = producing(admin, topic).get(0);
      TransactionClients.get(
          admin
              .abortTransaction(
                  new AbortTransactionSpec(
                      topic,
                      state.producerId(),
                      (short) state.producerEpoch(),
                      state.coordinatorEpoch().orElse(0)))
              .all());
      assertThat(producing(admin, topic).get(0).currentTransactionStartOffset()).isEmpty();
    }
    assertThat(clients.committed(topic)).isEmpty();
  }
}
