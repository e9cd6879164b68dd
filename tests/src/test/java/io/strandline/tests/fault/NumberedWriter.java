package io.strandline.tests.fault;

import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * An idempotent producer with acks=all on a thread of its own: writes 0, 1, 2, … to one partition,
 * with a bounded number under way, until it is told to stop, and slowly while nobody waits for
 * more; remembers what was acknowledged where.
 */
final class NumberedWriter implements AutoCloseable {
  private static final int UNDER_WAY = 64;
  private static final long TRICKLE_NANOS = 5_000_000;

  private final TopicPartition partition;
  private final long seed;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Semaphore slots = new Semaphore(UNDER_WAY);
  private final Map<Long, Long> acknowledged = new ConcurrentHashMap<>();
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private final Thread thread;
  private volatile boolean stopped;
  private volatile long wanted;
  private long sent;

  NumberedWriter(String bootstrap, TopicPartition partition, long seed) {
    this.partition = partition;
    this.seed = seed;
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("acks", "all");
    properties.put("enable.idempotence", "true");
    properties.put("delivery.timeout.ms", "300000");
    properties.put("request.timeout.ms", "10000");
    properties.put("reconnect.backoff.max.ms", "200");
    properties.put("linger.ms", "2");
    producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    thread = new Thread(this::run, "writer-" + partition);
    thread.start();
  }

  private void run() {
    try {
      while (!stopped && failure.get() == null) {
        slots.acquire();
        if (sent > wanted + UNDER_WAY) {
          LockSupport.parkNanos(TRICKLE_NANOS); // nobody waits for more
        }
        long number = sent++;
        var unused =
            producer.send(
                new ProducerRecord<>(
                    partition.topic(), partition.partition(), null, Numbered.value(seed, number)),
                (metadata, thrown) -> answered(number, metadata, thrown));
      }
    } catch (Exception e) {
      failure.compareAndSet(null, e);
    }
  }

  private void answered(long number, RecordMetadata metadata, @Nullable Exception thrown) {
    slots.release();
    if (thrown != null) {
      failure.compareAndSet(null, thrown);
    } else {
      acknowledged.put(number, metadata.offset());
    }
  }

  /** Waits until so many more were acknowledged than now. */
  void awaitMore(int records) {
    long target = acknowledged.size() + (long) records;
    wanted = target;
    Waiting.until(
        records + " more acknowledgements",
        () -> {
          check();
          return acknowledged.size() >= target;
        });
  }

  /** Fails as soon as a record was given up. */
  void check() {
    Exception thrown = failure.get();
    if (thrown != null) {
      throw new AssertionError("the producer failed", thrown);
    }
  }

  TopicPartition partition() {
    return partition;
  }

  /** The offset of each number that was acknowledged. */
  Map<Long, Long> acknowledged() {
    return acknowledged;
  }

  @Nullable Exception failure() {
    return failure.get();
  }

  /** Ends the writing; returns when every record was acknowledged, or one failed. */
  void finish() throws InterruptedException {
    stopped = true;
    thread.join();
    producer.flush();
    check();
    if (acknowledged.size() != sent) {
      throw new AssertionError(acknowledged.size() + " of " + sent + " were acknowledged");
    }
  }

  @Override
  public void close() {
    stopped = true;
    slots.release();
    producer.close(java.time.Duration.ZERO);
  }
}
