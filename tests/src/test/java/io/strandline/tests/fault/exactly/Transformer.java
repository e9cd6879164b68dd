package io.strandline.tests.fault.exactly;

import io.strandline.tests.fault.exactly.Attempt.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;

/**
 * A member of a group that makes each record it reads into one of another topic, in one transaction
 * with the group's offsets; now and then it is replaced without a goodbye.
 */
final class Transformer extends Client {
  /** In so many rounds with records. */
  private static final int REPLACED_ONCE_IN = 40;

  /**
   * @param from topic that is read
   * @param to topic that is written
   * @param partitions of the topic written
   * @param hopsMax records of so many hops are passed over
   */
  record Flow(String from, String to, int partitions, int hopsMax) {}

  private final String bootstrap;
  private final Flow flow;
  private final Ledger ledger;
  private final Random random;
  private KafkaProducer<String, String> producer;
  private KafkaConsumer<String, String> consumer;
  private long number;

  Transformer(String name, String bootstrap, Flow flow, Ledger ledger, long seed) {
    super(name, ledger);
    this.bootstrap = bootstrap;
    this.flow = flow;
    this.ledger = ledger;
    this.random = new Random(seed);
    this.producer = producer(bootstrap, name);
    this.consumer = member();
  }

  private KafkaConsumer<String, String> member() {
    KafkaConsumer<String, String> member =
        consumer(bootstrap, IsolationLevel.READ_COMMITTED, "from-" + flow.from());
    member.subscribe(List.of(flow.from()));
    return member;
  }

  @Override
  void run() {
    insist(producer::initTransactions, () -> false);
    while (!stopped()) {
      ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
      if (records.isEmpty()) {
        continue;
      }
      String id = name() + "-" + number;
      try {
        transform(id, records);
        ledger.end(id, Outcome.COMMITTED);
      } catch (ProducerFencedException | InvalidProducerEpochException timedOut) {
        ledger.end(id, Outcome.UNKNOWN);
        replace();
      } catch (CommitFailedException leftTheGroup) {
        undo(id);
      } catch (KafkaException abortable) {
        undo(id);
      }
      number++;
      if (random.nextInt(REPLACED_ONCE_IN) == 0) {
        replace();
      }
    }
    consumer.close(Duration.ofSeconds(1));
    producer.close(Duration.ZERO);
  }

  private void transform(String id, ConsumerRecords<String, String> records) {
    List<ProducerRecord<String, String>> made = new ArrayList<>();
    List<TopicPartition> placed = new ArrayList<>();
    Set<String> reads = new HashSet<>();
    for (ConsumerRecord<String, String> record : records) {
      Entry entry = Entry.parse(record.value());
      reads.add(entry.attempt());
      if (entry.hops() < flow.hopsMax()) {
        TopicPartition to = new TopicPartition(flow.to(), random.nextInt(flow.partitions()));
        String source =
            Entry.at(new TopicPartition(record.topic(), record.partition()), record.offset());
        Entry out = new Entry(name(), number, made.size(), entry.hops() + 1, source);
        made.add(record(to, out));
        placed.add(to);
      }
    }
    ledger.begin(id, placed, reads);
    producer.beginTransaction();
    made.forEach(record -> producer.send(record));
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    for (TopicPartition partition : records.partitions()) {
      List<ConsumerRecord<String, String>> read = records.records(partition);
      offsets.put(partition, new OffsetAndMetadata(read.get(read.size() - 1).offset() + 1));
    }
    producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
    insist(producer::commitTransaction, () -> false);
  }

  /** What was read comes again. */
  private void undo(String id) {
    try {
      insist(producer::abortTransaction, () -> false);
      ledger.end(id, Outcome.ABORTED);
    } catch (KafkaException fenced) {
      ledger.end(id, Outcome.UNKNOWN);
      replace();
      return;
    }
    insist(this::rewind, () -> false);
  }

  private void rewind() {
    Set<TopicPartition> assigned = consumer.assignment();
    Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(assigned);
    for (TopicPartition partition : assigned) {
      OffsetAndMetadata offset = committed.get(partition);
      consumer.seek(partition, offset == null ? 0 : offset.offset());
    }
  }

  /** As if the process had died: the group finds out, and the coordinator by the same id. */
  private void replace() {
    producer.close(Duration.ZERO);
    consumer.close(Duration.ZERO);
    producer = producer(bootstrap, name());
    insist(producer::initTransactions, () -> false);
    consumer = member();
  }
}
