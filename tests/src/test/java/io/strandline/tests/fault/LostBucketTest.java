package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The bucket is lost, with more history than a manifest's head names, and the broker goes on with
 * an empty one: nothing is taken for deleted until an operator says so, then all that comes goes up
 * again. What goes up by itself is left alone. Half a minute, on demand.
 */
@EnabledIfSystemProperty(named = "lost.bucket", matches = "true")
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class LostBucketTest {
  /** A segment each, more than a head names. */
  private static final int RECORDS = 140;

  /** Of the topic that is all on disk. */
  private static final int WHOLE = 10;

  private static final long SEED = 11;

  @TempDir Path dir;

  @Test
  void whatComesAfterALostBucketGoesUpOnceTheOperatorGaveUpWhatWasThere() throws Exception {
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    settings.put("strandline.merge.bytes", "0");
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings)) {
      Map<String, String> configs = new HashMap<>();
      configs.put("local.retention.bytes", "1");
      configs.put("segment.index.bytes", "8");
      configs.put("index.interval.bytes", "1");
      TopicPartition partition = Topics.create(broker.bootstrap(), "lost", configs);
      configs.remove("local.retention.bytes");
      TopicPartition whole = Topics.create(broker.bootstrap(), "whole", configs);
      write(broker, partition, 0, RECORDS);
      write(broker, whole, 0, WHOLE);
      Topics.awaitReleased(broker.bootstrap(), partition, RECORDS - 3);

      broker.stop();
      delete(dir.resolve("objects"));
      broker.startAgain();
      write(broker, partition, RECORDS, 2 * RECORDS);
      Waiting.until(
          "it is told", () -> broker.admin("/healthz").body().contains("1 partitions gap"));
      assertThat(Topics.offset(broker.bootstrap(), partition, OffsetSpec.earliest())).isZero();
      long local = Topics.offset(broker.bootstrap(), partition, OffsetSpec.earliestLocal());
      assertThat(local).isBetween(RECORDS - 3L, (long) RECORDS);
      readFrom(broker, partition, local);
      Topics.alter(broker.bootstrap(), whole.topic(), Map.of("local.retention.bytes", "1"));
      Topics.awaitReleased(broker.bootstrap(), whole, WHOLE / 2);
      Map<TopicPartition, RecordsToDelete> gone = gone(broker, List.of(partition, whole));
      assertThat(gone).containsOnlyKeys(partition);
      assertThat(gone.get(partition).beforeOffset()).isEqualTo(local);
      try (Admin admin = Topics.admin(broker.bootstrap())) {
        admin.deleteRecords(gone).all().get();
      }
      Topics.awaitReleased(broker.bootstrap(), partition, 2 * RECORDS - 3);
      assertThat(Topics.offset(broker.bootstrap(), partition, OffsetSpec.earliest()))
          .isEqualTo(local);
      readFrom(broker, partition, local);
      assertThat(broker.admin("/healthz").body()).doesNotContain("gap");
      assertThat(Topics.offset(broker.bootstrap(), whole, OffsetSpec.earliest())).isZero();
    }
  }

  /** What the page on disasters would have deleted, by its own commands. */
  private Map<TopicPartition, RecordsToDelete> gone(
      BrokerProcess broker, List<TopicPartition> partitions) throws Exception {
    Path work = Files.createDirectories(dir.resolve("work"));
    List<String> local = new ArrayList<>();
    for (TopicPartition p : partitions) {
      long offset = Topics.offset(broker.bootstrap(), p, OffsetSpec.earliestLocal());
      local.add(p.topic() + ":" + p.partition() + ":" + offset);
    }
    Files.write(work.resolve("local"), local);
    String store = "file:" + dir.resolve("objects");
    ToolProcess.Ended tiers = ToolProcess.run(dir, Map.of(), "tier", "ls", "--store", store);
    assertThat(tiers.exitCode()).as(tiers.err()).isZero();
    assertThat(tiers.out()).anyMatch(line -> line.matches("\\S+ +lost .* live"));
    Files.write(work.resolve("tiers"), tiers.out());
    List<String> page = Files.readAllLines(Path.of("..", "docs", "disaster-recovery.md"));
    List<String> script =
        page.stream().map(String::strip).filter(line -> line.startsWith("awk ")).toList();
    assertThat(script).as("between tier ls and kafka-delete-records.sh").hasSize(2);
    Process awk =
        new ProcessBuilder("bash", "-c", String.join("\n", script) + " true")
            .directory(work.toFile())
            .inheritIO()
            .start();
    assertThat(awk.waitFor()).isZero();
    Map<TopicPartition, RecordsToDelete> gone = new HashMap<>();
    for (JsonNode p :
        new ObjectMapper().readTree(work.resolve("gone.json").toFile()).path("partitions")) {
      gone.put(
          new TopicPartition(p.path("topic").asText(), p.path("partition").asInt()),
          RecordsToDelete.beforeOffset(p.path("offset").asLong()));
    }
    return gone;
  }

  /** Each on its own, so that each is a batch, and a segment. */
  private static void write(BrokerProcess broker, TopicPartition to, int from, int end)
      throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (long i = from; i < end; i++) {
        byte[] value = Numbered.value(SEED, i);
        producer.send(new ProducerRecord<>(to.topic(), 0, null, value)).get();
      }
    }
  }

  private static void readFrom(BrokerProcess broker, TopicPartition partition, long offset) {
    try (NumberedReader reader = new NumberedReader(broker.bootstrap(), partition, SEED)) {
      reader.seekTo(offset);
      reader.readTo(2 * RECORDS);
    }
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
