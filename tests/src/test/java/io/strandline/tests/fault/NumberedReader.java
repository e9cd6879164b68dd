package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads one partition that only a {@link NumberedWriter} wrote, and fails on the first record that
 * is not the next number, at the next offset, with the right bytes. Any error that the client does
 * not bear itself comes out of {@link #poll}.
 */
final class NumberedReader implements AutoCloseable {
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final TopicPartition partition;
  private final long seed;
  private long next;

  NumberedReader(String bootstrap, TopicPartition partition, long seed) {
    this.partition = partition;
    this.seed = seed;
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "none");
    properties.put("reconnect.backoff.max.ms", "200");
    properties.put("max.partition.fetch.bytes", "262144");
    consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.assign(List.of(partition));
    consumer.seek(partition, 0);
  }

  /** Reads what comes within the time; gives how many. */
  int poll(Duration patience) {
    int count = 0;
    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(patience)) {
      assertThat(record.offset()).as("offset").isEqualTo(next);
      assertThat(Numbered.number(record.value())).as("number at " + next).isEqualTo(next);
      assertThat(record.value()).as("bytes at " + next).isEqualTo(Numbered.value(seed, next));
      next++;
      count++;
    }
    return count;
  }

  /** Reads on until so many were read since the beginning; no error is borne. */
  void readTo(long end) {
    Waiting.polling(
        partition + " from " + next + " to " + end,
        () -> {
          poll(Duration.ofMillis(200));
          return next >= end;
        });
  }

  void seekTo(long offset) {
    consumer.seek(partition, offset);
    next = offset;
  }

  long next() {
    return next;
  }

  /** All that was acknowledged is there, once, at its offset; and nothing else. */
  static void verify(String bootstrap, TopicPartition partition, long seed, Map<Long, Long> acked) {
    acked.forEach((number, offset) -> assertThat(offset).as("of " + number).isEqualTo(number));
    try (NumberedReader reader = new NumberedReader(bootstrap, partition, seed)) {
      long end = reader.consumer.endOffsets(List.of(partition)).get(partition);
      assertThat(end).as("end of " + partition).isGreaterThanOrEqualTo(acked.size());
      assertThat(reader.consumer.beginningOffsets(List.of(partition)).get(partition)).isZero();
      reader.readTo(end);
    }
  }

  @Override
  public void close() {
    consumer.close();
  }
}
