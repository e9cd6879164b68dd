package io.strandline.tests.cluster;

import io.strandline.tests.fault.Waiting;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Writes to all partitions of a topic in turn, acks=all, some hundred records a second, until it is
 * stopped.
 */
final class SteadyProducer implements AutoCloseable {
  private final KafkaProducer<String, String> producer;
  private final Queue<String> acknowledged = new ConcurrentLinkedQueue<>();
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private final Thread thread;
  private volatile boolean ended;

  SteadyProducer(String bootstrap, String topic, int partitions) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("acks", "all");
    producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    thread = new Thread(() -> write(topic, partitions), "steady-producer");
    thread.start();
  }

  private void write(String topic, int partitions) {
    for (int i = 0; !ended; i++) {
      String value = "steady " + i;
      producer.send(
          new ProducerRecord<>(topic, i % partitions, null, value),
          (metadata, e) -> {
            if (e == null) {
              acknowledged.add(value);
            } else {
              failure.compareAndSet(null, e);
            }
          });
      LockSupport.parkNanos(3_000_000L);
    }
  }

  /** Waits until so many more are acknowledged. */
  void awaitMore(int count) {
    int target = acknowledged.size() + count;
    Waiting.until(count + " more records", () -> acknowledged.size() >= target);
  }

  /** Ends it; every record was acknowledged. */
  void stop() throws InterruptedException {
    ended = true;
    thread.join();
    producer.flush();
    Exception failed = failure.get();
    if (failed != null) {
      throw new AssertionError("a record was not acknowledged", failed);
    }
  }

  List<String> acknowledged() {
    return new ArrayList<>(acknowledged);
  }

  @Override
  public void close() throws InterruptedException {
    ended = true;
    thread.join();
    producer.close();
  }
}
