package io.strandline.tests.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What readers of committed records are given once segments have gone to the tier and left the
 * disk, and once compaction has been there. Every third transaction is aborted.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class TieredTransactionsTest {
  private static final int TRANSACTIONS = 60;
  private static final int RECORDS = 3;
  private static final String PADDING = "x".repeat(40_000);

  @TempDir Path dir;

  private BrokerProcess start() throws Exception {
    return BrokerProcess.start(
        dir.resolve("broker"),
        Map.of(
            "strandline.object.store", "file:" + dir.resolve("objects"),
            "transaction.state.log.num.partitions", "1",
            "log.retention.check.interval.ms", "500",
            "log.segment.delete.delay.ms", "500",
            "log.cleaner.backoff.ms", "200",
            "strandline.tier.check.ms", "200",
            "strandline.tier.reclaim.ms", "1000"));
  }

  @Test
  void abortedRecordsStayUnseenInTheTier() throws Exception {
    try (BrokerProcess broker = start()) {
      TransactionClients clients = new TransactionClients(broker.bootstrap());
      TopicPartition topic =
          clients.topic("tiered", Map.of("segment.bytes", "1048576", "local.retention.bytes", "1"));
      List<String> committed = new ArrayList<>();
      write(
          clients,
          topic,
          (number, record, commits) -> {
            if (commits) {
              committed.add(number + "-" + record);
            }
            return "key";
          });
      TransactionClients.await("release", () -> localStart(clients, topic) > 100);
      assertThat(values(clients, topic, IsolationLevel.READ_COMMITTED)).isEqualTo(committed);
      assertThat(values(clients, topic, IsolationLevel.READ_UNCOMMITTED))
          .hasSize(TRANSACTIONS * RECORDS);
      broker.kill();
      broker.startAgain();
      assertThat(values(clients, topic, IsolationLevel.READ_COMMITTED)).isEqualTo(committed);
    }
  }

  @Test
  void compactionTakesTheLastThatWasCommitted() throws Exception {
    try (BrokerProcess broker = start()) {
      TransactionClients clients = new TransactionClients(broker.bootstrap());
      TopicPartition topic =
          clients.topic(
              "table",
              Map.of(
                  "cleanup.policy", "compact",
                  "segment.bytes", "1048576",
                  "min.cleanable.dirty.ratio", "0.01"));
      Map<String, String> last = new LinkedHashMap<>();
      write(
          clients,
          topic,
          (number, record, commits) -> {
            String key = "key-" + (number * RECORDS + record) % 7;
            if (commits) {
              last.put(key, number + "-" + record);
            }
            return key;
          });
      filler(clients, topic);
      TransactionClients.await(
          "compaction",
          () -> tableOf(values(clients, topic, IsolationLevel.READ_COMMITTED)).size() <= 7);
      assertThat(tableOf(values(clients, topic, IsolationLevel.READ_COMMITTED)))
          .containsExactlyInAnyOrderElementsOf(last.values());
    }
  }

  /** What follows leaves the active segment behind for compaction. */
  private static void filler(TransactionClients clients, TopicPartition topic) {
    try (KafkaProducer<String, String> producer = clients.begun("filler")) {
      for (int i = 0; i < 60; i++) {
        producer.send(new ProducerRecord<>(topic.topic(), "filler-" + i, "filler " + PADDING));
      }
      producer.commitTransaction();
    }
  }

  private static List<String> tableOf(List<String> values) {
    return values.stream().filter(value -> !value.equals("filler")).toList();
  }

  /** Chooses the key of a record. */
  private interface Keys {
    String key(int number, int record, boolean commits);
  }

  private static void write(TransactionClients clients, TopicPartition topic, Keys keys) {
    try (KafkaProducer<String, String> producer =
        clients.producer("writer", Map.of("compression.type", "none"))) {
      producer.initTransactions();
      for (int number = 0; number < TRANSACTIONS; number++) {
        boolean commits = number % 3 != 1;
        producer.beginTransaction();
        for (int record = 0; record < RECORDS; record++) {
          producer.send(
              new ProducerRecord<>(
                  topic.topic(),
                  keys.key(number, record, commits),
                  number + "-" + record + " " + PADDING));
        }
        if (commits) {
          producer.commitTransaction();
        } else {
          producer.flush(); // what was not sent is dropped by an abort
          producer.abortTransaction();
        }
      }
    }
  }

  private static List<String> values(
      TransactionClients clients, TopicPartition topic, IsolationLevel isolation) {
    return clients.read(topic, isolation).stream()
        .map(value -> value.substring(0, value.indexOf(' ')))
        .toList();
  }

  private static long localStart(TransactionClients clients, TopicPartition topic) {
    try (Admin admin = clients.admin()) {
      return TransactionClients.get(
              admin.listOffsets(Map.of(topic, OffsetSpec.earliestLocal())).partitionResult(topic))
          .offset();
    }
  }
}
