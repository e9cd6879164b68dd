package io.strandline.tests.fault.exactly;

import io.strandline.tests.fault.exactly.Attempt.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;

/**
 * Transactions of a few records over a few partitions; some are aborted, some left open by a
 * producer that another of the same id takes over from, and which then tries to commit.
 */
final class TransactionalWriter extends Client {
  /** The groups are to keep up with what is written while brokers come and go. */
  private static final long PAUSE_NANOS = 10_000_000;

  private static final int RECORDS_MAX = 5;

  private final String bootstrap;
  private final List<TopicPartition> partitions;
  private final Ledger ledger;
  private final Random random;
  private KafkaProducer<String, String> producer;
  private long number;

  TransactionalWriter(
      String name, String bootstrap, List<TopicPartition> partitions, Ledger ledger, long seed) {
    super(name, ledger);
    this.bootstrap = bootstrap;
    this.partitions = partitions;
    this.ledger = ledger;
    this.random = new Random(seed);
    this.producer = producer(bootstrap, name);
  }

  @Override
  void run() {
    insist(producer::initTransactions, this::stopped);
    while (!stopped()) {
      String id = name() + "-" + number;
      try {
        switch (random.nextInt(10)) {
          case 0, 1 -> abort(id);
          case 2 -> leaveOpen(id);
          default -> commit(id);
        }
      } catch (ProducerFencedException | InvalidProducerEpochException timedOut) {
        ledger.end(id, Outcome.UNKNOWN); // the coordinator ended it while nobody could be asked
        takeOver();
      }
      number++;
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    producer.close(Duration.ZERO);
  }

  private void send(String id) {
    List<TopicPartition> placed = new ArrayList<>();
    int records = 1 + random.nextInt(RECORDS_MAX);
    for (int i = 0; i < records; i++) {
      placed.add(partitions.get(random.nextInt(partitions.size())));
    }
    ledger.begin(id, placed, Set.of());
    producer.beginTransaction();
    for (int i = 0; i < records; i++) {
      var unused = producer.send(record(placed.get(i), new Entry(name(), number, i, 0, "")));
    }
  }

  private void commit(String id) {
    try {
      send(id);
      insist(producer::commitTransaction, () -> false);
      ledger.end(id, Outcome.COMMITTED);
    } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
      throw fenced;
    } catch (KafkaException abortable) {
      insist(producer::abortTransaction, () -> false);
      ledger.end(id, Outcome.ABORTED);
    }
  }

  private void abort(String id) {
    try {
      send(id);
      if (random.nextBoolean()) {
        producer.flush();
      }
    } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
      throw fenced;
    } catch (KafkaException abortable) {
      // which it is going to be
    }
    insist(producer::abortTransaction, () -> false);
    ledger.end(id, Outcome.ABORTED);
  }

  private void leaveOpen(String id) {
    send(id);
    producer.flush();
    KafkaProducer<String, String> left = takeOver();
    try {
      left.commitTransaction();
      ledger.end(id, Outcome.COMMITTED); // then it must be there: the checker tells
    } catch (KafkaException fenced) {
      ledger.end(id, Outcome.ABORTED);
    }
    left.close(Duration.ZERO);
  }

  /** Gives the producer that was. */
  private KafkaProducer<String, String> takeOver() {
    KafkaProducer<String, String> left = producer;
    producer = producer(bootstrap, name());
    insist(producer::initTransactions, () -> false);
    return left;
  }
}
