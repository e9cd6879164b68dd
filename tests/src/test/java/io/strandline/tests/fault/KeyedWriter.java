package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Writes few keys again and again, and now and then a tombstone, to a compacted partition; knows at
 * the end what each key's last value is.
 */
final class KeyedWriter implements AutoCloseable {
  private static final int KEYS = 500;
  private static final int UNDER_WAY = 64;
  private static final long TRICKLE_NANOS = 4_000_000;

  private final TopicPartition partition;
  private final long seed;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Semaphore slots = new Semaphore(UNDER_WAY);
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();

  /** Number of the last record of each key; absent after a tombstone. The thread's. */
  private final Map<Integer, Long> last = new HashMap<>();

  private final Thread thread;
  private volatile boolean stopped;
  private long sent;

  KeyedWriter(String bootstrap, TopicPartition partition, long seed) {
    this.partition = partition;
    this.seed = seed;
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("delivery.timeout.ms", "300000");
    properties.put("request.timeout.ms", "10000");
    properties.put("reconnect.backoff.max.ms", "200");
    properties.put("compression.type", "lz4");
    producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    thread = new Thread(this::run, "keyed-writer");
    thread.start();
  }

  private void run() {
    Random random = new Random(seed);
    try {
      while (!stopped && failure.get() == null) {
        slots.acquire();
        int key = random.nextInt(KEYS);
        boolean tombstone = random.nextInt(10) == 0;
        long number = sent++;
        var unused =
            producer.send(
                new ProducerRecord<>(
                    partition.topic(),
                    partition.partition(),
                    bytes(key),
                    tombstone ? null : Numbered.value(seed, number)),
                (metadata, thrown) -> {
                  slots.release();
                  failure.compareAndSet(null, thrown);
                });
        if (tombstone) {
          last.remove(key);
        } else {
          last.put(key, number);
        }
        LockSupport.parkNanos(TRICKLE_NANOS);
      }
    } catch (Exception e) {
      failure.compareAndSet(null, e);
    }
  }

  private static byte[] bytes(int key) {
    return ByteBuffer.allocate(4).putInt(key).array();
  }

  /** Ends the writing; returns when every record was acknowledged, or one failed. */
  void finish() throws InterruptedException {
    stopped = true;
    thread.join();
    producer.flush();
    check();
  }

  /** Fails as soon as a record was given up. */
  void check() {
    Exception thrown = failure.get();
    if (thrown != null) {
      throw new AssertionError("the producer of keys failed", thrown);
    }
  }

  long sent() {
    return sent;
  }

  /**
   * Reads all of it from the beginning: each key's last value is the one written last, and nothing
   * stands out of order.
   *
   * @return records read
   */
  long verify(String bootstrap) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("enable.auto.commit", "false");
    Map<Integer, Long> found = new HashMap<>();
    long count = 0;
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      long before = -1;
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
          assertThat(record.offset()).isGreaterThan(before);
          before = record.offset();
          count++;
          int key = ByteBuffer.wrap(record.key()).getInt();
          if (record.value() == null) {
            found.remove(key);
          } else {
            long number = Numbered.number(record.value());
            assertThat(record.value()).isEqualTo(Numbered.value(seed, number));
            found.put(key, number);
          }
        }
      }
    }
    assertThat(found).as("last values by key").isEqualTo(last);
    return count;
  }

  @Override
  public void close() {
    stopped = true;
    slots.release();
    producer.close(Duration.ZERO);
  }
}
