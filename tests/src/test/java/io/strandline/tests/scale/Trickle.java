package io.strandline.tests.scale;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A producer that writes to all partitions in turn with acks=all, at a rate or at once. */
final class Trickle implements AutoCloseable {
  private final KafkaProducer<byte[], byte[]> producer;
  private final List<TopicPartition> partitions;
  private final byte[] value = new byte[100];
  private final AtomicLong ackNanosMax = new AtomicLong();
  private final AtomicLong acknowledged = new AtomicLong();
  private final AtomicInteger lost = new AtomicInteger();
  private volatile boolean ended;
  private Thread thread = new Thread(() -> {});

  Trickle(String bootstrap, String prefix, int topics, int each) {
    Map<String, Object> properties = new HashMap<>();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("acks", "all");
    properties.put("linger.ms", 20);
    properties.put("retry.backoff.ms", 50);
    properties.put("retry.backoff.max.ms", 200);
    properties.put("delivery.timeout.ms", 600_000);
    properties.put("max.block.ms", 300_000);
    properties.put("buffer.memory", 256L << 20);
    producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    partitions = new ArrayList<>();
    for (int partition = 0; partition < each; partition++) {
      for (int topic = 0; topic < topics; topic++) {
        partitions.add(new TopicPartition(prefix + topic, partition));
      }
    }
  }

  /** A record to each, all acknowledged; milliseconds it took. */
  long toEach() throws InterruptedException {
    long begin = System.nanoTime();
    CountDownLatch left = new CountDownLatch(partitions.size());
    for (TopicPartition to : partitions) {
      send(to, left::countDown);
    }
    if (!left.await(10, TimeUnit.MINUTES)) {
      throw new AssertionError(left.getCount() + " partitions have not acknowledged");
    }
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
  }

  private void send(TopicPartition to, Runnable done) {
    long sent = System.nanoTime();
    var unused =
        producer.send(
            new ProducerRecord<>(to.topic(), to.partition(), null, value),
            (metadata, failure) -> {
              if (failure != null) {
                lost.incrementAndGet();
              } else {
                acknowledged.incrementAndGet();
                ackNanosMax.accumulateAndGet(System.nanoTime() - sent, Math::max);
              }
              done.run();
            });
  }

  /** So many records a second from now on. */
  void begin(int perSecond) {
    ended = false;
    thread =
        new Thread(
            () -> {
              long due = System.nanoTime();
              for (int i = 0; !ended; i++) {
                send(partitions.get(i % partitions.size()), () -> {});
                due += 1_000_000_000L / perSecond;
                LockSupport.parkNanos(due - System.nanoTime());
              }
            },
            "trickle");
    thread.start();
  }

  void end() throws InterruptedException {
    ended = true;
    thread.join();
    producer.flush();
  }

  /** The longest that a record waited since this was last asked, in milliseconds. */
  long longestMs() {
    return TimeUnit.NANOSECONDS.toMillis(ackNanosMax.getAndSet(0));
  }

  long acknowledged() {
    return acknowledged.get();
  }

  /** Records that were given up. */
  int lost() {
    return lost.get();
  }

  @Override
  public void close() {
    producer.close();
  }
}
