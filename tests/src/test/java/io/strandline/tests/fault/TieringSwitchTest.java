package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tiering turned off and on again under a writer, by the topic's configuration and by the broker's,
 * with a {@code kill -9} in each state: nothing is lost, and nothing that was to go stays.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class TieringSwitchTest {
  private static final int RECORDS = 1_500;
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));

  @TempDir Path dir;
  private BrokerProcess broker;

  @BeforeEach
  void start() throws Exception {
    System.out.println("TieringSwitchTest: -Dfault.seed=" + SEED);
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    settings.put("strandline.tier.grace.ms", "1000");
    settings.put("strandline.cache.disk.bytes", "0");
    broker = BrokerProcess.start(dir.resolve("broker"), settings);
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
  }

  private long offset(TopicPartition partition, OffsetSpec spec) throws Exception {
    return Topics.offset(broker.bootstrap(), partition, spec);
  }

  private void restart() throws Exception {
    broker.kill();
    broker.startAgain();
  }

  @Test
  void copyingTurnedOffAndOnAgainLosesNothing() throws Exception {
    TopicPartition partition = Topics.create(broker.bootstrap(), "switch");
    try (NumberedWriter writer = new NumberedWriter(broker.bootstrap(), partition, SEED)) {
      writer.awaitMore(RECORDS);
      Topics.awaitReleased(broker.bootstrap(), partition, RECORDS / 3);

      Topics.alter(broker.bootstrap(), "switch", Map.of("remote.log.copy.disable", "true"));
      writesStayLocal(partition, writer);

      Topics.alter(broker.bootstrap(), "switch", Map.of("remote.log.copy.disable", ""));
      goesOn(partition, writer);

      broker.kill();
      broker.set("strandline.tier.enable", "false");
      broker.startAgain();
      writesStayLocal(partition, writer);

      broker.kill();
      broker.set("strandline.tier.enable", "true");
      broker.startAgain();
      goesOn(partition, writer);
      writer.finish();
      NumberedReader.verify(broker.bootstrap(), partition, SEED, writer.acknowledged());
    }
    Audit.Result audit = Audit.of("file:" + dir.resolve("objects"));
    assertThat(audit.findings()).isEmpty();
  }

  /** What was tiered stays readable, and what comes stays here, also over a restart. */
  private void writesStayLocal(TopicPartition partition, NumberedWriter writer) throws Exception {
    writer.awaitMore(RECORDS);
    restart();
    writer.awaitMore(RECORDS);
    long tierEnd = offset(partition, OffsetSpec.latestTiered());
    assertThat(offset(partition, OffsetSpec.latest()) - tierEnd).isGreaterThan(RECORDS);
    assertThat(offset(partition, OffsetSpec.earliest())).isZero();
    assertThat(offset(partition, OffsetSpec.earliestLocal())).isPositive();
    try (NumberedReader reader = new NumberedReader(broker.bootstrap(), partition, SEED)) {
      reader.readTo(writer.acknowledged().size());
    }
  }

  private void goesOn(TopicPartition partition, NumberedWriter writer) throws Exception {
    int until = writer.acknowledged().size();
    writer.awaitMore(RECORDS);
    Topics.awaitReleased(broker.bootstrap(), partition, until);
  }

  @Test
  void historyThatIsGivenUpGoesAndTheLogGoesOnWithItsLocalPart() throws Exception {
    TopicPartition partition = Topics.create(broker.bootstrap(), "given-up");
    try (NumberedWriter writer = new NumberedWriter(broker.bootstrap(), partition, SEED)) {
      writer.awaitMore(RECORDS);
      Topics.awaitReleased(broker.bootstrap(), partition, RECORDS / 3);
      Topics.alter(
          broker.bootstrap(),
          "given-up",
          Map.of("remote.storage.enable", "false", "remote.log.delete.on.disable", "true"));
      Waiting.until("the log begins with what is local", () -> beginsLocally(partition));
      long start = offset(partition, OffsetSpec.earliest());
      restart();
      Waiting.until("no object of the topic is left", () -> segmentObjects("objects") == 0);
      writer.awaitMore(RECORDS);
      assertThat(offset(partition, OffsetSpec.earliest())).isEqualTo(start);
      assertThat(segmentObjects("objects")).isZero();

      Topics.alter(
          broker.bootstrap(),
          "given-up",
          Map.of("remote.storage.enable", "", "remote.log.delete.on.disable", ""));
      goesOn(partition, writer);
      restart();
      writer.finish();
      assertThat(offset(partition, OffsetSpec.earliest())).isEqualTo(start);
      try (NumberedReader reader = new NumberedReader(broker.bootstrap(), partition, SEED)) {
        reader.seekTo(start);
        reader.readTo(writer.acknowledged().size());
      }
    }
    assertThat(Audit.of("file:" + dir.resolve("objects")).findings()).isEmpty();
  }

  private boolean beginsLocally(TopicPartition partition) throws Exception {
    long start = offset(partition, OffsetSpec.earliest());
    return start > 0 && start == offset(partition, OffsetSpec.earliestLocal());
  }

  private long segmentObjects(String store) throws IOException {
    try (Stream<Path> files = Files.walk(dir.resolve(store))) {
      return files.filter(file -> file.toString().endsWith(".seg")).count();
    } catch (java.io.UncheckedIOException | NoSuchFileException e) {
      return -1; // one went while we looked
    }
  }

  /** What Apache Kafka's controller, which is ours, lets pass for a topic tiered by default. */
  @Test
  void whatTheControllerTakesAndRefuses() throws Exception {
    String bootstrap = broker.bootstrap();
    Topics.create(bootstrap, "default");
    Topics.alter(bootstrap, "default", Map.of("remote.storage.enable", "false"));
    Topics.alter(bootstrap, "default", Map.of("remote.storage.enable", ""));
    Topics.alter(bootstrap, "default", Map.of("remote.log.copy.disable", "true"));

    Topics.create(bootstrap, "explicit", Map.of("remote.storage.enable", "true"));
    for (String off : new String[] {"false", ""}) {
      assertThatThrownBy(
              () -> Topics.alter(bootstrap, "explicit", Map.of("remote.storage.enable", off)))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(InvalidConfigurationException.class)
          .hasMessageContaining("without deleting remote data");
    }
    Topics.alter(bootstrap, "explicit", Map.of("remote.log.copy.disable", "true"));
    Topics.alter(
        bootstrap,
        "explicit",
        Map.of("remote.storage.enable", "false", "remote.log.delete.on.disable", "true"));

    Topics.create(
        bootstrap, "little", Map.of("remote.storage.enable", "true", "local.retention.ms", "1000"));
    assertThatThrownBy(
            () -> Topics.alter(bootstrap, "little", Map.of("remote.log.copy.disable", "true")))
        .hasCauseInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("identical value");
  }
}
