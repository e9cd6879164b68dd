package io.strandline.bench.load;

import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * One consumer of all partitions of a topic. Its settings are those of Kafka's own performance
 * tool: a large receive buffer and no checksums of its own, so that the client is no brake.
 */
final class Reader implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(100);
  private static final long STALLED_NANOS = 60_000_000_000L;

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final List<TopicPartition> partitions;
  private Map<TopicPartition, Long> ends = Map.of();
  private Set<TopicPartition> left = Set.of();

  Reader(String bootstrap, String topic, int partitionCount) {
    this(Map.of("bootstrap.servers", bootstrap), topic, partitionCount);
  }

  Reader(Map<String, Object> connection, String topic, int partitionCount) {
    this.consumer = new KafkaConsumer<>(config(connection));
    this.partitions = Topics.partitions(topic, partitionCount);
    consumer.assign(partitions);
  }

  static Map<String, Object> config(String bootstrap) {
    return config(Map.of("bootstrap.servers", bootstrap));
  }

  private static Map<String, Object> config(Map<String, Object> connection) {
    Map<String, Object> config = new LinkedHashMap<>(connection);
    config.put("key.deserializer", ByteArrayDeserializer.class.getName());
    config.put("value.deserializer", ByteArrayDeserializer.class.getName());
    config.put("auto.offset.reset", "earliest");
    config.put("enable.auto.commit", "false");
    config.put("receive.buffer.bytes", 2 * 1024 * 1024);
    config.put("check.crcs", "false");
    return config;
  }

  /** Goes to the beginning, to read what there is now. */
  void rewind() {
    rewind(consumer.endOffsets(partitions));
  }

  /**
   * Goes to the beginning; the connection is made and offsets are known when it returns.
   *
   * @param to offsets where to stop
   */
  void rewind(Map<TopicPartition, Long> to) {
    ends = Map.copyOf(to);
    left = new HashSet<>(partitions);
    consumer.resume(partitions);
    Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
    for (TopicPartition partition : partitions) {
      long begin = begins.getOrDefault(partition, 0L);
      consumer.seek(partition, begin);
      stopIfDone(partition, begin);
    }
  }

  /**
   * Reads from there to the ends.
   *
   * @return bytes of the values
   */
  long readAll() {
    long bytes = 0;
    long stalled = System.nanoTime() + STALLED_NANOS;
    while (!left.isEmpty()) {
      ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
      for (TopicPartition partition : polled.partitions()) {
        bytes += take(partition, polled.records(partition));
        stalled = System.nanoTime() + STALLED_NANOS;
      }
      if (System.nanoTime() > stalled) {
        throw new IllegalStateException("no record for a minute; to be read: " + left);
      }
    }
    return bytes;
  }

  private long take(TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
    long end = ends.getOrDefault(partition, 0L);
    long bytes = 0;
    for (ConsumerRecord<byte[], byte[]> record : records) {
      if (record.offset() < end) {
        bytes += record.serializedValueSize();
      }
    }
    stopIfDone(partition, records.get(records.size() - 1).offset() + 1);
    return bytes;
  }

  private void stopIfDone(TopicPartition partition, long next) {
    if (next >= ends.getOrDefault(partition, 0L) && left.remove(partition)) {
      consumer.pause(List.of(partition));
    }
  }

  double requests() {
    return ClientRequests.of(consumer.metrics());
  }

  @Override
  public void close() {
    consumer.close();
  }
}
