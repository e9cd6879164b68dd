package io.strandline.tests.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A share group whose records lie in the tier first and in the hot log then. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class TieredShareTest {
  private static final int RECORDS = 200;
  private static final String PADDING = "x".repeat(40_000);

  @TempDir Path dir;

  @Test
  void historyIsSharedOnceOverTheSeam() throws Exception {
    Map<String, String> settings =
        Map.of(
            "strandline.object.store", "file:" + dir.resolve("objects"),
            "log.retention.check.interval.ms", "500",
            "log.segment.delete.delay.ms", "500",
            "strandline.tier.check.ms", "200",
            "strandline.tier.reclaim.ms", "1000");
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings)) {
      ShareClients clients = new ShareClients(broker.bootstrap());
      TopicPartition topic = clients.topic("tiered", Map.of());
      small(clients, topic);
      try (KafkaProducer<String, String> producer = clients.producer(Map.of())) {
        for (int i = 0; i < RECORDS; i++) {
          producer.send(new ProducerRecord<>(topic.topic(), PADDING + i));
        }
      }
      ShareClients.await("release", () -> localStart(clients, topic) > RECORDS / 2);
      List<Long> got = new ArrayList<>();
      try (ShareConsumer<String, String> consumer = clients.consumer("tiered", Map.of())) {
        ShareClients.await(
            "all",
            () -> {
              consumer.poll(ShareClients.POLL).forEach(record -> got.add(record.offset()));
              return got.size() >= RECORDS;
            });
        consumer.commitSync();
        assertThat(ShareClients.rest(consumer)).isEmpty();
      }
      assertThat(got)
          .containsExactlyInAnyOrderElementsOf(LongStream.range(0, RECORDS).boxed().toList());
    }
  }

  private static void small(ShareClients clients, TopicPartition topic) {
    try (Admin admin = clients.admin()) {
      List<AlterConfigOp> ops =
          List.of(
              new AlterConfigOp(
                  new ConfigEntry("segment.bytes", "1048576"), AlterConfigOp.OpType.SET),
              new AlterConfigOp(
                  new ConfigEntry("local.retention.bytes", "1"), AlterConfigOp.OpType.SET));
      ConfigResource config = new ConfigResource(ConfigResource.Type.TOPIC, topic.topic());
      ShareClients.get(admin.incrementalAlterConfigs(Map.of(config, ops)).all());
    }
  }

  private static long localStart(ShareClients clients, TopicPartition topic) {
    try (Admin admin = clients.admin()) {
      return ShareClients.get(
              admin.listOffsets(Map.of(topic, OffsetSpec.earliestLocal())).partitionResult(topic))
          .offset();
    }
  }
}
