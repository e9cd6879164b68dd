package io.strandline.tests.fault;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A steady producer and a reader of the tail, each on a thread of its own; how long each record
 * took is kept under the name of the phase in which it was sent. Record n lies at offset n.
 */
final class OutageClients implements AutoCloseable {
  private static final int VALUE_BYTES = 4096;
  private static final long PERIOD_NANOS = 2_000_000; // 500 records a second
  private static final long SLOW_NANOS = 200_000_000;

  /** A record that took long, by when it was sent. */
  private record Slow(Instant sent, long nanos) {}

  private final String bootstrap;
  private final TopicPartition partition;
  private final Supplier<String> phase;
  private final Map<String, ConcurrentLinkedQueue<Long>> produced = new ConcurrentHashMap<>();
  private final Map<String, ConcurrentLinkedQueue<Long>> consumed = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<Exception> failures = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Slow> slow = new ConcurrentLinkedQueue<>();
  private final AtomicLong acknowledged = new AtomicLong();
  private final AtomicBoolean stopped = new AtomicBoolean();
  private final List<Thread> threads;

  OutageClients(String bootstrap, TopicPartition partition, Supplier<String> phase) {
    this.bootstrap = bootstrap;
    this.partition = partition;
    this.phase = phase;
    threads = List.of(new Thread(this::write, "writer"), new Thread(this::readTail, "reader"));
    threads.forEach(Thread::start);
  }

  long acknowledged() {
    return acknowledged.get();
  }

  /** What went wrong at any of them, which is to be nothing. */
  List<Exception> failures() {
    return List.copyOf(failures);
  }

  /** Ends both. */
  @Override
  public void close() throws InterruptedException {
    stopped.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private void write() {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("acks", "all");
    properties.put("linger.ms", "0");
    try (var producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      long next = System.nanoTime();
      for (long number = 0; !stopped.get(); number++) {
        next += PERIOD_NANOS;
        while (System.nanoTime() - next < 0) {
          LockSupport.parkNanos(Math.max(1, next - System.nanoTime()));
        }
        send(producer, number);
      }
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }

  private void send(KafkaProducer<byte[], byte[]> producer, long number) {
    long sent = System.nanoTime();
    Instant at = Instant.now();
    String now = phase.get();
    byte[] value = ByteBuffer.allocate(VALUE_BYTES).putLong(number).putLong(sent).array();
    var unused =
        producer.send(
            new ProducerRecord<>(partition.topic(), 0, null, value),
            (metadata, thrown) -> {
              if (thrown != null) {
                failures.add(thrown);
              } else if (metadata.offset() != number) {
                failures.add(new IllegalStateException(number + " is at " + metadata.offset()));
              } else {
                acknowledged.incrementAndGet();
                long took = System.nanoTime() - sent;
                keep(produced, now, took);
                if (took > SLOW_NANOS) {
                  slow.add(new Slow(at, took));
                }
              }
            });
  }

  private void readTail() {
    try (var consumer = consumer(bootstrap, partition)) {
      long next = 0;
      while (!stopped.get()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          ByteBuffer value = ByteBuffer.wrap(record.value());
          long number = value.getLong();
          if (record.offset() != next || number != next) {
            failures.add(new IllegalStateException(number + " at " + record.offset()));
          }
          next++;
          keep(consumed, phase.get(), System.nanoTime() - value.getLong());
        }
      }
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }

  /** Reads everything from the beginning; gives how many records came, each the next. */
  static long readAll(String bootstrap, TopicPartition partition) {
    try (var consumer = consumer(bootstrap, partition)) {
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      long[] next = {0};
      Waiting.polling(
          "all " + end + " records",
          () -> {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
              long number = ByteBuffer.wrap(record.value()).getLong();
              if (record.offset() != next[0] || number != next[0]) {
                throw new AssertionError(number + " at " + record.offset() + ", not " + next[0]);
              }
              next[0]++;
            }
            return next[0] >= end;
          });
      return next[0];
    }
  }

  private static KafkaConsumer<byte[], byte[]> consumer(
      String bootstrap, TopicPartition partition) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("enable.auto.commit", "false");
    var consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.assign(List.of(partition));
    consumer.seekToBeginning(List.of(partition));
    return consumer;
  }

  private static void keep(
      Map<String, ConcurrentLinkedQueue<Long>> kept, String phase, long nanos) {
    kept.computeIfAbsent(phase, any -> new ConcurrentLinkedQueue<>()).add(nanos);
  }

  /** The first of each row of records that took a fifth of a second and more, with its time. */
  List<String> stalls() {
    List<String> stalls = new ArrayList<>();
    Instant last = Instant.EPOCH;
    for (Slow each : slow) {
      if (each.sent.isAfter(last.plusMillis(100))) {
        stalls.add(each.sent + " " + each.nanos / 1_000_000 + " ms");
      }
      last = each.sent;
    }
    return stalls;
  }

  /** A line for people. */
  String told(String inPhase) {
    return "produce " + told(produced.get(inPhase)) + "; hot read " + told(consumed.get(inPhase));
  }

  private static String told(ConcurrentLinkedQueue<Long> nanos) {
    List<Long> all = new ArrayList<>(nanos);
    all.sort(null);
    return String.format(
        Locale.ROOT,
        "%d records, p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.0f ms",
        all.size(),
        all.get(all.size() / 2) / 1e6,
        all.get(all.size() * 99 / 100) / 1e6,
        all.get(all.size() * 999 / 1000) / 1e6,
        all.get(all.size() - 1) / 1e6);
  }
}
