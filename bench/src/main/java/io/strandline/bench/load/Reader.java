package io.strandline.bench.load;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
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
  private long records;

  Reader(String bootstrap, String topic, int partitionCount) {
    this.consumer = new KafkaConsumer<>(config(bootstrap));
    this.partitions = Topics.partitions(topic, partitionCount);
    consumer.assign(partitions);
  }

  private static Map<String, Object> config(String bootstrap) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("bootstrap.servers", bootstrap);
    config.put("key.deserializer", ByteArrayDeserializer.class.getName());
    config.put("value.deserializer", ByteArrayDeserializer.class.getName());
    config.put("auto.offset.reset", "earliest");
    config.put("enable.auto.commit", "false");
    config.put("receive.buffer.bytes", 2 * 1024 * 1024);
    config.put("check.crcs", "false");
    return config;
  }

  /** Goes to the beginning; the connection is made and offsets are known when it returns. */
  void rewind() {
    records = 0;
    Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    for (TopicPartition partition : partitions) {
      long begin = begins.getOrDefault(partition, 0L);
      records += ends.getOrDefault(partition, 0L) - begin;
      consumer.seek(partition, begin);
    }
  }

  /**
   * Reads what there was at the rewind.
   *
   * @return bytes of the values
   */
  long readAll() {
    long bytes = 0;
    long stalled = System.nanoTime() + STALLED_NANOS;
    for (long seen = 0; seen < records; ) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        seen++;
        bytes += record.serializedValueSize();
        stalled = System.nanoTime() + STALLED_NANOS;
      }
      if (System.nanoTime() > stalled) {
        throw new IllegalStateException("no record for a minute, " + seen + " of " + records);
      }
    }
    return bytes;
  }

  double requests() {
    return ClientRequests.of(consumer.metrics());
  }

  @Override
  public void close() {
    consumer.close();
  }
}
