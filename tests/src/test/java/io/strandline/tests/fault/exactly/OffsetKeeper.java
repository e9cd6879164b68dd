package io.strandline.tests.fault.exactly;

import io.strandline.tests.fault.exactly.History.Offset;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** The only member of a group: commits what it has read, and asks what is committed. */
final class OffsetKeeper extends Client {
  private final String bootstrap;
  private final List<TopicPartition> partitions;
  private final Ledger ledger;

  OffsetKeeper(String name, String bootstrap, List<TopicPartition> partitions, Ledger ledger) {
    super(name, ledger);
    this.bootstrap = bootstrap;
    this.partitions = partitions;
    this.ledger = ledger;
  }

  @Override
  void run() {
    try (KafkaConsumer<String, String> consumer =
        consumer(bootstrap, IsolationLevel.READ_UNCOMMITTED, name())) {
      consumer.assign(partitions);
      while (!stopped()) {
        Map<TopicPartition, OffsetAndMetadata> read = new HashMap<>();
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
          read.put(
              new TopicPartition(record.topic(), record.partition()),
              new OffsetAndMetadata(record.offset() + 1));
        }
        try {
          commit(consumer, read);
          ask(consumer);
        } catch (KafkaException away) {
          // not acknowledged, not told
        }
      }
    }
  }

  private void commit(
      KafkaConsumer<String, String> consumer, Map<TopicPartition, OffsetAndMetadata> read) {
    if (!read.isEmpty()) {
      consumer.commitSync(read);
      read.forEach((at, offset) -> ledger.offset(new Offset(at, offset.offset(), true)));
    }
  }

  private void ask(KafkaConsumer<String, String> consumer) {
    consumer
        .committed(Set.copyOf(partitions))
        .forEach(
            (partition, offset) -> {
              long told = offset == null ? 0 : offset.offset();
              ledger.offset(new Offset(partition, told, false));
            });
  }
}
