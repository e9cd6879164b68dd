package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.Kcat;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A small disk under the logs, a file system of its own, which only root can mount; skipped
 * elsewhere. Objects lie beside it.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class DiskWatermarkTest {
  private static final int RECORDS_OF_TWO_DISKS = 36_000;
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));

  @TempDir Path dir;
  private Path disk;

  @BeforeEach
  void mount() throws Exception {
    System.out.println("DiskWatermarkTest: -Dfault.seed=" + SEED);
    disk = Files.createDirectory(dir.resolve("disk"));
    assumeThat(run("mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk.toString()))
        .as("exit code of mount: needs root")
        .isZero();
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", disk.toString());
  }

  @Test
  void tieredSegmentsMakeRoomWhateverLocalRetentionSays() throws Exception {
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings())) {
      TopicPartition partition = Topics.create(broker.bootstrap(), "tiered", Map.of());
      try (NumberedWriter writer = new NumberedWriter(broker.bootstrap(), partition, SEED)) {
        writer.awaitMore(RECORDS_OF_TWO_DISKS);
        writer.finish();
        assertThat(Topics.offset(broker.bootstrap(), partition, OffsetSpec.earliestLocal()))
            .isPositive();
        assertThat(broker.output()).contains("tiered segments go");
        assertThat(broker.output()).doesNotContain("goes offline");
        NumberedReader.verify(broker.bootstrap(), partition, SEED, writer.acknowledged());
      }
    }
  }

  @Test
  void whenNothingCanGoProducersWaitAndGoOnByThemselves() throws Exception {
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings())) {
      Map<String, String> local = Map.of("remote.storage.enable", "false");
      TopicPartition filling = Topics.create(broker.bootstrap(), "filling", local);
      TopicPartition waiting = Topics.create(broker.bootstrap(), "waiting", local);
      try (NumberedWriter patient = new NumberedWriter(broker.bootstrap(), waiting, SEED)) {
        patient.awaitMore(100);
        fill(broker, filling);
        Waiting.until("not ready", () -> broker.admin("/readyz").status() == 503);
        assertThat(broker.admin("/readyz").body()).contains("disk space");
        assertThat(broker.admin("/healthz").status()).as("it lives").isEqualTo(200);
        assertThat(broker.metric("strandline_disk_refused_total")).isPositive();
        commit(broker, filling);
        awaitRefused(broker);
        int acknowledged = patient.acknowledged().size();
        awaitRefused(broker);
        assertThat(patient.acknowledged()).as("while it waits").hasSize(acknowledged);
        long free = Files.getFileStore(disk).getUsableSpace();
        assertThat(free).isPositive();
        deleteAll(broker, filling);
        patient.awaitMore(500);
        Waiting.until("ready again", () -> broker.admin("/readyz").status() == 200);
        patient.finish();
        NumberedReader.verify(broker.bootstrap(), waiting, SEED, patient.acknowledged());
      }
      assertThat(broker.output()).doesNotContain("goes offline");
    }
  }

  @Test
  void librdkafkaWaitsAndGoesOnByItselfToo() throws Exception {
    assumeThat(Kcat.onPath()).as("kcat is there").isTrue();
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings())) {
      String at = broker.bootstrap();
      Map<String, String> local = Map.of("remote.storage.enable", "false");
      TopicPartition filling = Topics.create(at, "filling", local);
      TopicPartition waiting = Topics.create(at, "waiting", local);
      fill(broker, filling);
      Process kcat = Kcat.writer(at, waiting);
      try {
        try (Writer lines = kcat.outputWriter()) {
          for (int n = 0; n < 100; n++) {
            lines.write("line " + n + "\n");
          }
        }
        awaitRefused(broker);
        assertThat(Topics.offset(at, waiting, OffsetSpec.latest())).isZero();
        assertThat(kcat.isAlive()).as("it goes on trying").isTrue();
        deleteAll(broker, filling);
        assertThat(kcat.waitFor(60, TimeUnit.SECONDS)).as("it comes to its end").isTrue();
        assertThat(kcat.exitValue()).isZero();
      } finally {
        kcat.destroy();
      }
      assertThat(lines(broker, waiting))
          .containsExactlyElementsOf(IntStream.range(0, 100).mapToObj(n -> "line " + n).toList());
    }
  }

  /** Of whoever writes. */
  private static void awaitRefused(BrokerProcess broker) throws IOException {
    double refused = broker.metric("strandline_disk_refused_total");
    Waiting.until(
        "some tries more", () -> broker.metric("strandline_disk_refused_total") >= refused + 3);
  }

  private static List<String> lines(BrokerProcess broker, TopicPartition partition) {
    Map<String, Object> properties = Map.of("bootstrap.servers", broker.bootstrap());
    List<String> lines = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        consumer.poll(Duration.ofMillis(200)).forEach(record -> lines.add(record.value()));
      }
    }
    return lines;
  }

  /** Writes one record after the other until one is refused. */
  private static void fill(BrokerProcess broker, TopicPartition partition) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    properties.put("retries", "0");
    properties.put("enable.idempotence", "false");
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      while (true) {
        try {
          producer.send(new ProducerRecord<>(partition.topic(), 0, null, new byte[50_000])).get();
        } catch (ExecutionException refused) {
          assertThat(refused.getCause()).isInstanceOf(KafkaStorageException.class);
          return;
        }
      }
    }
  }

  /** A group's offsets are taken still. */
  private static void commit(BrokerProcess broker, TopicPartition partition) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    properties.put("group.id", "group");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(1)));
    }
  }

  private static void deleteAll(BrokerProcess broker, TopicPartition partition) throws Exception {
    try (Admin admin = Topics.admin(broker.bootstrap())) {
      admin
          .deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
  }

  private Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("log.dirs", disk.resolve("data").toString());
    settings.put("metadata.log.dir", dir.resolve("metadata").toString());
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    settings.put("strandline.cache.disk.bytes", "0");
    settings.put("strandline.disk.high.watermark", "50%");
    settings.put("strandline.disk.low.watermark", "40%");
    settings.put("strandline.disk.reserve", Integer.toString(8 << 20));
    settings.put("log.flush.scheduler.interval.ms", "200");
    return settings;
  }

  private static int run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(List.of(command))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }
}
