package io.strandline.tests.fault.streams;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Writes random numbers for random accounts, each account's into one partition, by an idempotent
 * producer that never gives up; and keeps the books.
 */
final class NumberWriter implements AutoCloseable {
  private static final int ACCOUNTS = 20;
  private static final int NUMBER_MAX = 1_000;
  private static final int BURST = 40;
  private static final long PAUSE_NANOS = 40_000_000;
  private static final long AHEAD_MAX = 3_000;

  private final int partitions;
  private final Random random;
  private final LongSupplier told;
  private final KafkaProducer<String, String> producer;
  private final Map<String, List<Long>> sums = new TreeMap<>();
  private final AtomicLong written = new AtomicLong();
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private final Thread thread = new Thread(this::run, "numbers");
  private volatile boolean stopped;

  /**
   * @param told how many sums were seen: it waits for the application if that is too far behind
   */
  NumberWriter(String bootstrap, int partitions, long seed, LongSupplier told) {
    this.partitions = partitions;
    this.random = new Random(seed);
    this.told = told;
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            bootstrap,
            "delivery.timeout.ms",
            Integer.MAX_VALUE,
            "max.block.ms",
            600_000,
            "request.timeout.ms",
            5_000,
            "reconnect.backoff.max.ms",
            200);
    this.producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    while (!stopped) {
      if (written.get() - told.getAsLong() < AHEAD_MAX) {
        for (int i = 0; i < BURST; i++) {
          write();
        }
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private void write() {
    int account = random.nextInt(ACCOUNTS);
    int number = 1 + random.nextInt(NUMBER_MAX);
    String name = "account" + account;
    List<Long> before = sums.computeIfAbsent(name, any -> new ArrayList<>());
    before.add(number + (before.isEmpty() ? 0 : before.get(before.size() - 1)));
    String key = Long.toString(written.getAndIncrement());
    producer.send(
        new ProducerRecord<>(RunningSums.NUMBERS, account % partitions, key, name + " " + number),
        (metadata, thrown) -> {
          if (thrown != null) {
            failure.compareAndSet(null, thrown);
          }
        });
  }

  void check() {
    if (failure.get() != null) {
      throw new AssertionError("a number was not written", failure.get());
    }
  }

  /** Until all that it wrote is acknowledged. */
  void finish() throws InterruptedException {
    stopped = true;
    thread.join();
    producer.flush();
    check();
  }

  /** After {@link #finish}: each account's sum after each of its numbers. */
  Map<String, List<Long>> sums() {
    return sums;
  }

  long written() {
    return written.get();
  }

  @Override
  public void close() {
    stopped = true;
    producer.close(java.time.Duration.ZERO);
  }
}
