package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Retention over tier and hot log, changed while the topic is in use; DeleteRecords. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class RetentionTest {
  private static final int RECORDS = 3_000;
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));

  @TempDir Path dir;
  private BrokerProcess broker;

  @BeforeEach
  void start() throws Exception {
    System.out.println("RetentionTest: -Dfault.seed=" + SEED);
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    settings.put("strandline.tier.grace.ms", "1000");
    broker = BrokerProcess.start(dir.resolve("broker"), settings);
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
  }

  private long offset(TopicPartition partition, OffsetSpec spec) throws Exception {
    return Topics.offset(broker.bootstrap(), partition, spec);
  }

  @Test
  void theLogStartMovesWithEachAndTheObjectsGo() throws Exception {
    TopicPartition partition = Topics.create(broker.bootstrap(), "kept");
    try (NumberedWriter writer = new NumberedWriter(broker.bootstrap(), partition, SEED)) {
      writer.awaitMore(RECORDS);
      Topics.awaitReleased(broker.bootstrap(), partition, RECORDS / 2);
      deleteRecords(partition, 700);
      assertThat(offset(partition, OffsetSpec.earliest())).isEqualTo(700);
      readFrom(700, partition, writer);

      Waiting.until("what was deleted is gone", () -> bases().get(1) > 700);
      long oldest = bases().get(0);
      Topics.alter(
          broker.bootstrap(), "kept", Map.of("retention.bytes", Integer.toString(3 << 20)));
      Waiting.until("records expire", () -> offset(partition, OffsetSpec.earliest()) > 700);
      Waiting.until("their objects go", () -> bases().get(0) > oldest);
      long start = offset(partition, OffsetSpec.earliest());
      assertThat(offset(partition, OffsetSpec.earliestLocal())).isGreaterThan(start);
      readFrom(start, partition, writer);

      int written = writer.acknowledged().size();
      writer.finish();
      Topics.alter(broker.bootstrap(), "kept", Map.of("retention.ms", "1000"));
      Waiting.until(
          "all expires, the active segment too",
          () -> offset(partition, OffsetSpec.earliest()) == offset(partition, OffsetSpec.latest()));
      assertThat(offset(partition, OffsetSpec.latest())).isGreaterThanOrEqualTo(written);
      Waiting.until("all objects go", () -> bases().isEmpty());
    }
    assertThat(Audit.of("file:" + dir.resolve("objects")).findings()).isEmpty();
  }

  private void readFrom(long offset, TopicPartition partition, NumberedWriter writer) {
    try (NumberedReader reader = new NumberedReader(broker.bootstrap(), partition, SEED)) {
      reader.seekTo(offset);
      reader.readTo(writer.acknowledged().size());
    }
  }

  private void deleteRecords(TopicPartition partition, long before) throws Exception {
    try (Admin admin = Topics.admin(broker.bootstrap())) {
      admin
          .deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(before)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
  }

  /** The base offset of each segment object, in order. */
  private List<Long> bases() throws IOException {
    while (true) {
      try (Stream<Path> files = Files.walk(dir.resolve("objects"))) {
        return files
            .map(file -> file.getFileName().toString())
            .filter(name -> name.endsWith(".seg"))
            .map(name -> Long.parseLong(name.substring(0, 20)))
            .sorted()
            .toList();
      } catch (UncheckedIOException e) {
        assertThat(e.getCause()).isInstanceOf(NoSuchFileException.class);
        // One went while we looked: once more.
      }
    }
  }
}
