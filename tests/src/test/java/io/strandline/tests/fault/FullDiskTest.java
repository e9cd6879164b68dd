package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The disk of a log directory runs full: a small file system of its own, which only root can mount;
 * skipped elsewhere. Metadata and objects lie beside it.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class FullDiskTest {
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));

  @TempDir Path dir;
  private Path disk;

  @BeforeEach
  void mount() throws Exception {
    System.out.println("FullDiskTest: -Dfault.seed=" + SEED);
    disk = Files.createDirectory(dir.resolve("disk"));
    assumeThat(run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk.toString()))
        .as("exit code of mount: needs root")
        .isZero();
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", disk.toString());
  }

  @Test
  void aFullDiskIsToldToClientsAndLosesNothing() throws Exception {
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings())) {
      Map<String, String> local = Map.of("remote.storage.enable", "false");
      TopicPartition filling = Topics.create(broker.bootstrap(), "filling", local);
      TopicPartition waiting = Topics.create(broker.bootstrap(), "waiting", local);
      try (NumberedWriter patient = new NumberedWriter(broker.bootstrap(), waiting, SEED)) {
        patient.awaitMore(100);
        long filled = fill(broker, filling);
        Waiting.until("an answer that is not well", () -> health(broker).status() == 503);
        assertThat(health(broker).body()).contains("offline");
        assertThat(broker.output()).contains("log directory goes offline");
        broker.stop();
        assertThat(run("mount", "-o", "remount,size=256m", disk.toString())).isZero();
        broker.startAgain();
        patient.awaitMore(500);
        patient.finish();
        NumberedReader.verify(broker.bootstrap(), waiting, SEED, patient.acknowledged());
        try (NumberedReader reader = new NumberedReader(broker.bootstrap(), filling, SEED)) {
          reader.readTo(filled);
        }
        assertThat(health(broker).status()).isEqualTo(200);
      }
    }
  }

  /** Writes one record after the other until one is refused; gives how many were acknowledged. */
  private static long fill(BrokerProcess broker, TopicPartition partition) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    properties.put("acks", "all");
    properties.put("retries", "0");
    properties.put("enable.idempotence", "false");
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (long number = 0; ; number++) {
        byte[] value = Numbered.value(SEED, number);
        var sent =
            producer.send(
                new ProducerRecord<>(partition.topic(), partition.partition(), null, value));
        try {
          assertThat(sent.get().offset()).isEqualTo(number);
        } catch (ExecutionException refused) {
          assertThat(refused.getCause())
              .isInstanceOf(KafkaStorageException.class)
              .isInstanceOf(RetriableException.class);
          return number;
        }
      }
    }
  }

  private static BrokerProcess.AdminAnswer health(BrokerProcess broker) throws IOException {
    return broker.admin("/healthz");
  }

  private Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("log.dirs", disk.resolve("data").toString());
    settings.put("metadata.log.dir", dir.resolve("metadata").toString());
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    settings.put("strandline.cache.disk.bytes", "0");
    settings.put("strandline.disk.reserve", "off"); // as if somebody else filled the disk
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
