package io.strandline.tests.transaction;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ProducerFencedException;

/**
 * Numbered transactions, each a record in two topics; every third is aborted. One producer, that
 * goes on through whatever happens to the broker.
 */
final class TransactionLoop implements AutoCloseable {
  private final TransactionClients clients;
  private final List<String> topics;
  private final List<String> committed = new ArrayList<>();
  private final AtomicInteger ended = new AtomicInteger();
  private final CompletableFuture<List<String>> result = new CompletableFuture<>();
  private volatile boolean finishing;

  TransactionLoop(TransactionClients clients, String... topics) {
    this.clients = clients;
    this.topics = List.of(topics);
    Thread thread = new Thread(this::run, "transactions");
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    try (KafkaProducer<String, String> producer = clients.producer("loop", Map.of())) {
      producer.initTransactions();
      for (int i = 0; !finishing; i++) {
        if (i % 3 == 2) {
          abort(producer, "aborted-" + i);
        } else {
          commit(producer, "committed-" + i);
        }
        ended.incrementAndGet();
      }
      result.complete(committed);
    } catch (RuntimeException | Error failure) {
      result.completeExceptionally(failure);
    }
  }

  private void begin(KafkaProducer<String, String> producer, String value) {
    producer.beginTransaction();
    topics.forEach(topic -> producer.send(new ProducerRecord<>(topic, value, value)));
  }

  /** Again until it is; a producer that was told to abort has done nothing that is seen. */
  private void commit(KafkaProducer<String, String> producer, String value) {
    while (true) {
      try {
        begin(producer, value);
        endIt(producer::commitTransaction);
        committed.add(value);
        return;
      } catch (ProducerFencedException unexpected) {
        throw unexpected;
      } catch (KafkaException abortable) {
        endIt(producer::abortTransaction);
      }
    }
  }

  private void abort(KafkaProducer<String, String> producer, String value) {
    begin(producer, value);
    endIt(producer::abortTransaction);
  }

  /** Ends may be asked again when their answer is late. */
  private static void endIt(Runnable end) {
    while (true) {
      try {
        end.run();
        return;
      } catch (org.apache.kafka.common.errors.TimeoutException late) {
        // asked again
      }
    }
  }

  void awaitMore(int transactions) {
    int wanted = ended.get() + transactions;
    TransactionClients.await(
        transactions + " more transactions",
        () -> ended.get() >= wanted || result.isCompletedExceptionally());
  }

  /** The values that were committed, in order. */
  List<String> finish() throws ExecutionException, InterruptedException, TimeoutException {
    finishing = true;
    return result.get(60, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    finishing = true;
  }
}
