package io.strandline.bench.load;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Consumers that replay a topic's past, one a partition, at a common rate, and begin anew at its
 * end. Closing it ends them.
 */
public final class PacedReplay implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(50);

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<KafkaConsumer<byte[], byte[]>> consumers = new ArrayList<>();
  private final List<Future<Long>> running = new ArrayList<>();
  private final Map<TopicPartition, Long> ends;
  private volatile boolean stopping;

  /**
   * @param ends offsets at which each partition's past ends
   */
  public PacedReplay(String bootstrap, Map<TopicPartition, Long> ends) {
    this.ends = Map.copyOf(ends);
    for (TopicPartition partition : this.ends.keySet()) {
      KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Reader.config(bootstrap));
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      consumers.add(consumer);
    }
  }

  /**
   * @param bytesPerSecond of all consumers together
   */
  public void begin(double bytesPerSecond) {
    stopping = false;
    for (KafkaConsumer<byte[], byte[]> consumer : consumers) {
      running.add(threads.submit(() -> read(consumer, bytesPerSecond / consumers.size())));
    }
  }

  /**
   * @return bytes of the values that were read since the beginning
   */
  public long end() throws InterruptedException, ExecutionException {
    stopping = true;
    long bytes = 0;
    for (Future<Long> one : running) {
      bytes += one.get();
    }
    running.clear();
    return bytes;
  }

  /** Reads as fast as it is let for some seconds; gives bytes a second. */
  public double rate(double seconds) throws InterruptedException, ExecutionException {
    long begun = System.nanoTime();
    begin(Double.POSITIVE_INFINITY);
    TimeUnit.MILLISECONDS.sleep((long) (seconds * 1000));
    return end() / ((System.nanoTime() - begun) / 1e9);
  }

  private long read(KafkaConsumer<byte[], byte[]> consumer, double bytesPerSecond) {
    TopicPartition partition = consumer.assignment().iterator().next();
    long end = ends.getOrDefault(partition, 0L);
    long bytes = 0;
    long begun = System.nanoTime();
    while (!stopping) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        bytes += record.serializedValueSize();
      }
      if (consumer.position(partition) >= end) {
        consumer.seekToBeginning(List.of(partition));
      }
      pause(begun + (long) (bytes / bytesPerSecond * 1e9));
    }
    return bytes;
  }

  private void pause(long until) {
    for (long left = until - System.nanoTime();
        left > 0 && !stopping;
        left = until - System.nanoTime()) {
      LockSupport.parkNanos(Math.min(left, 20_000_000));
    }
  }

  @Override
  public void close() {
    stopping = true;
    threads.shutdown();
    try {
      if (threads.awaitTermination(30, TimeUnit.SECONDS)) {
        consumers.forEach(KafkaConsumer::close);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
