package io.strandline.tests.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tools.doctor.Checkup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import kafka.admin.ConfigCommand;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The tool is told to end between the word whose history the next topic of a name has, and that of
 * which topic it is.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class InterruptedRestoreTest {
  private static final ConfigResource CLUSTER = new ConfigResource(ConfigResource.Type.BROKER, "");

  @TempDir private static Path home;
  private static LosingProxy proxy;
  private static BrokerProcess broker;
  private static String store;

  /** Of the tool's. */
  @TempDir Path dir;

  @BeforeAll
  static void start() throws Exception {
    store = "file:" + home.resolve("objects");
    proxy = new LosingProxy();
    Map<String, String> settings = new HashMap<>(TwoClusters.settings(store, ""));
    settings.put("advertised.listeners", "PLAINTEXT://" + proxy.address());
    broker = BrokerProcess.start(home.resolve("broker"), settings);
    proxy.to(broker.bootstrap());
    TwoClusters.create(broker, "trips", 1);
    TwoClusters.produce(broker, "trips", 1, 0, 1_000);
    TwoClusters.until(
        "a segment in the tier",
        () ->
            TwoClusters.offset(broker, new TopicPartition("trips", 0), OffsetSpec.latestTiered())
                > 0);
  }

  @AfterAll
  static void stop() throws Exception {
    broker.close();
    proxy.close();
  }

  @Test
  void itEndsOnceTheTopicIsWhatWasSaidOfItAndTheNextOfItsNameIsEmpty() throws Exception {
    LosingProxy.Held said = proxy.holdAnswerTo(ApiKeys.INCREMENTAL_ALTER_CONFIGS);
    Process tool = restore("again");
    said.here().await();
    tool.destroy();
    TwoClusters.until("it takes notice", () -> !tool.isAlive() || output().contains("interrupted"));
    said.onward().countDown();
    assertThat(tool.waitFor()).as(output()).isEqualTo(143);
    assertThat(output()).contains("the topic again is there");
    try (Admin admin = TwoClusters.admin(broker)) {
      Uuid id = admin.describeTopics(List.of("again")).allTopicNames().get().get("again").topicId();
      assertThat(origin(admin, "again"))
          .hasValueSatisfying(value -> assertThat(value).endsWith(":" + id));
      admin.deleteTopics(List.of("again")).all().get();
    }
    theNextIsEmpty("again");
  }

  @Test
  void whatCannotBeSettledInTimeIsTold() throws Exception {
    LosingProxy.Held said = proxy.holdAnswerTo(ApiKeys.INCREMENTAL_ALTER_CONFIGS);
    Process tool = restore("untold");
    said.here().await();
    tool.destroy();
    assertThat(tool.waitFor()).isEqualTo(143);
    assertThat(output()).contains("--delete-config strandline.origin.untold");
    said.onward().countDown();
    try (Admin admin = TwoClusters.admin(broker)) {
      assertThat(origin(admin, "untold")).as("what the tool cannot know").isPresent();
    }
    Properties client = new Properties();
    client.put("bootstrap.servers", broker.bootstrap());
    assertThat(new Checkup(Path.of("/")).cluster(client))
        .filteredOn(finding -> finding.check().equals("topics origin"))
        .singleElement()
        .satisfies(finding -> assertThat(finding.verdict().name()).isEqualTo("WARN"))
        .satisfies(finding -> assertThat(finding.found()).contains("untold"));
    ConfigCommand.main(
        new String[] {
          "--bootstrap-server",
          broker.bootstrap(),
          "--alter",
          "--entity-type",
          "brokers",
          "--entity-default",
          "--delete-config",
          "strandline.origin.untold"
        });
    theNextIsEmpty("untold");
  }

  @Test
  void whatWasSaidIsTakenBackIfTheTopicCannotBe() throws Exception {
    Process tool = restore("refused", "-c", "no.such.config=1");
    assertThat(tool.waitFor()).isEqualTo(1);
    try (Admin admin = TwoClusters.admin(broker)) {
      // The controller has taken it away; the broker hears of it.
      Waiting.until(output(), () -> origin(admin, "refused").isEmpty());
    }
    theNextIsEmpty("refused");
  }

  private void theNextIsEmpty(String topic) throws Exception {
    TwoClusters.create(broker, topic, 1);
    TopicPartition fresh = new TopicPartition(topic, 0);
    assertThat(TwoClusters.offset(broker, fresh, OffsetSpec.latest())).isZero();
  }

  private static Optional<String> origin(Admin admin, String topic) throws Exception {
    return admin.describeConfigs(List.of(CLUSTER)).all().get().get(CLUSTER).entries().stream()
        .filter(entry -> entry.name().equals("strandline.origin." + topic))
        .map(ConfigEntry::value)
        .findAny();
  }

  private Process restore(String as, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of("tier", "restore", "topic", "--copy", "--from", store));
    arguments.addAll(List.of("--topic", "trips", "--as", as));
    arguments.addAll(List.of("--bootstrap", proxy.address()));
    arguments.addAll(List.of(more));
    return ToolProcess.start(dir, arguments.toArray(String[]::new));
  }

  /** What the tool printed. */
  private String output() throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      for (Path file : files.filter(f -> f.getFileName().toString().endsWith(".out")).toList()) {
        return Files.readString(file);
      }
    }
    return "";
  }
}
