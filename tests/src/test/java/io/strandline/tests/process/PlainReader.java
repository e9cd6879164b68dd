package io.strandline.tests.process;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads a topic from offset 0 and prints a digest per partition. A program of its own that uses
 * nothing newer than what client 2.8 has, so that it runs with an old client's jars on the class
 * path.
 */
public final class PlainReader {
  private PlainReader() {}

  /**
   * @param args bootstrap address and topic
   */
  public static void main(String[] args) {
    read(args[0], args[1]).forEach(System.out::println);
  }

  /** Lines {@code partition count digest}, by partition; fails if an offset is skipped. */
  static List<String> read(String bootstrap, String topic) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put(
        "key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    properties.put(
        "value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "none");
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (PartitionInfo p : consumer.partitionsFor(topic)) {
        partitions.add(new TopicPartition(topic, p.partition()));
      }
      consumer.assign(partitions);
      for (TopicPartition p : partitions) {
        consumer.seek(p, 0);
      }
      return digests(consumer, partitions);
    }
  }

  private static List<String> digests(
      KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions) {
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    Map<TopicPartition, LineDigest> digests = new HashMap<>();
    Map<TopicPartition, Long> next = new HashMap<>();
    for (TopicPartition p : partitions) {
      digests.put(p, new LineDigest());
      next.put(p, 0L);
    }
    while (!next.equals(ends)) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
        TopicPartition p = new TopicPartition(record.topic(), record.partition());
        if (record.offset() != next.get(p)) {
          throw new IllegalStateException(
              p + ": offset " + record.offset() + " after " + next.get(p));
        }
        next.put(p, record.offset() + 1);
        digests.get(p).add(record.value());
      }
    }
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < partitions.size(); i++) {
      lines.add(i + " " + digests.get(new TopicPartition(partitions.get(0).topic(), i)).finish());
    }
    return lines;
  }
}
