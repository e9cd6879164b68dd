package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tests.store.Bucket;
import io.strandline.tiering.store.crypt.TestRing;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real broker whose history is encrypted, whose keys rotate, and that loses one of them. */
class EncryptedTierTest {
  private static final int RECORDS = 4_000;

  @TempDir Path dir;
  private Bucket bucket;

  @BeforeEach
  void place() {
    bucket = Bucket.of(dir.resolve("objects"));
  }

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void historyIsSealedRotatesAndAMissingKeyHidesOnlyItsOwn() throws Exception {
    TestRing ring = new TestRing(dir.resolve("ring")).rotate("k1");
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", bucket.uri());
    settings.put("strandline.encryption.keyring", ring.file().toString());
    settings.put("strandline.cache.disk.bytes", "0");
    try (BrokerProcess broker =
        BrokerProcess.start(dir.resolve("broker"), settings, bucket.environment())) {
      TopicPartition topic = Topics.create(broker.bootstrap(), "secrets");
      produce(broker, topic, 0);
      Topics.awaitReleased(broker.bootstrap(), topic, RECORDS / 2);
      ring.rotate("k2");
      produce(broker, topic, RECORDS);
      Topics.awaitReleased(broker.bootstrap(), topic, RECORDS + RECORDS / 2);
      read(broker, topic, 0, 2 * RECORDS);
      nothingInClear();
      audited(ring);

      assertThat(broker.stop()).isZero();
      ring.retire("k1", "k2");
      broker.startAgain();
      assertThatThrownBy(() -> read(broker, topic, 0, RECORDS))
          .isInstanceOf(KafkaException.class)
          .isNotInstanceOf(TimeoutException.class);
      read(broker, topic, RECORDS + RECORDS / 4, 2 * RECORDS);
      assertThat(broker.output()).contains("encrypted under key k1");
      assertThat(broker.output()).doesNotContain(ring.secret("k2"));
    }
  }

  private static String value(int number) {
    return ("confidential " + number + " ").repeat(64);
  }

  private static void produce(BrokerProcess broker, TopicPartition topic, int from) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    properties.put("acks", "all");
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      for (int i = from; i < from + RECORDS; i++) {
        var unused = producer.send(new ProducerRecord<>(topic.topic(), 0, null, value(i)));
      }
    }
  }

  private static void read(BrokerProcess broker, TopicPartition topic, int from, int to) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    properties.put("enable.auto.commit", "false");
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(topic));
      consumer.seek(topic, from);
      int next = from;
      long deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
      while (next < to) {
        if (System.nanoTime() > deadline) {
          throw new TimeoutException("no more than " + next + " of " + to + " came");
        }
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
          assertThat(record.offset()).isEqualTo(next);
          assertThat(record.value()).isEqualTo(value(next));
          next++;
        }
      }
    }
  }

  private void nothingInClear() throws Exception {
    int encrypted = 0;
    for (String key : bucket.objects().keySet()) {
      assertThat(key).doesNotEndWith(".seg");
      encrypted += key.endsWith(".seg.enc") ? 1 : 0;
      String bytes = new String(bucket.read(key), StandardCharsets.ISO_8859_1);
      assertThat(bytes).doesNotContain("confidential");
    }
    assertThat(encrypted).isGreaterThan(4);
  }

  private void audited(TestRing ring) throws Exception {
    ToolProcess.Ended withKeys =
        ToolProcess.run(
            dir,
            bucket.environment(),
            "tier",
            "verify",
            "--store",
            bucket.uri(),
            "--keyring",
            ring.file().toString());
    assertThat(withKeys.exitCode()).as(withKeys.toString()).isZero();
    assertThat(withKeys.out()).anyMatch(line -> line.matches("k1 +[1-9][0-9]*"));
    assertThat(withKeys.out()).anyMatch(line -> line.matches("k2 +[1-9][0-9]*"));
    assertThat(withKeys.out()).noneMatch(line -> line.contains("locked"));
    ToolProcess.Ended without =
        ToolProcess.run(dir, bucket.environment(), "tier", "verify", "--store", bucket.uri());
    assertThat(without.exitCode()).as(without.toString()).isZero();
    assertThat(without.out()).anyMatch(line -> line.startsWith("locked"));
  }
}
