package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.strandline.tests.process.Ports;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** Settings of a broker, and levels of its loggers, changed while it runs (KIP-226, KIP-412). */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class DynamicConfigTest {
  private static final ConfigResource THIS = new ConfigResource(Type.BROKER, "1");
  private static final ConfigResource ALL = new ConfigResource(Type.BROKER, "");
  private static final ConfigResource KEPT = new ConfigResource(Type.TOPIC, "kept");
  private static final ConfigResource LOGGERS = new ConfigResource(Type.BROKER_LOGGER, "1");
  private static final String QUIET = "org.apache.kafka.clients.Metadata";

  private Node node;
  private Admin admin;

  @BeforeAll
  void start(@TempDir Path dir) {
    node = new Node(dir, Map.of("producer.id.expiration.check.interval.ms", "200"));
    admin = node.admin();
  }

  @AfterAll
  void stop() {
    admin.close();
    node.close();
  }

  private void alter(ConfigResource of, OpType type, String key, String value) {
    alter(of, type, key, value, false);
  }

  private void alter(ConfigResource of, OpType type, String key, String value, boolean tried) {
    AlterConfigOp change = new AlterConfigOp(new ConfigEntry(key, value), type);
    Node.get(
        admin
            .incrementalAlterConfigs(
                Map.of(of, List.of(change)), new AlterConfigsOptions().validateOnly(tried))
            .all());
  }

  private ConfigEntry told(ConfigResource of, String key) {
    return Node.get(admin.describeConfigs(List.of(of)).all()).get(of).get(key);
  }

  @ParameterizedTest
  @CsvSource({
    "1, log.dirs, /elsewhere, Cannot update these configs dynamically",
    "1, num.io.threads, many, num.io.threads",
    "1, num.io.threads, 100, double",
    "'', num.replica.fetchers, 0, num.replica.fetchers",
    "'', log.cleaner.threads, 9, twice",
    "1, num.network.threads, 1000, twice of 3",
    "'', num.network.threads, 1000, twice of 3",
    "1, log.local.retention.ms, 99999999999, longer",
    "1, cordoned.log.dirs, /nowhere, log.dirs",
    "1, remote.log.manager.copy.max.bytes.per.second, 0, at least 1",
    "1, ssl.keystore.location, /x.p12, listener prefix",
    "'', listener.name.plaintext.ssl.keystore.location, /x.p12, broker id must be specified",
    "1, producer.id.expiration.ms, 0, producer.id.expiration.ms",
  })
  void whatTheBrokerCannotTakeIsRefusedAndNotWrittenDown(
      String broker, String key, String value, String why) {
    ConfigResource resource = new ConfigResource(Type.BROKER, broker);
    assertThatThrownBy(() -> alter(resource, OpType.SET, key, value))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(why);
    assertThat(Node.get(admin.describeConfigs(List.of(resource)).all()).get(resource).entries())
        .noneMatch(
            entry ->
                entry.name().equals(key)
                    && (entry.source() == ConfigSource.DYNAMIC_BROKER_CONFIG
                        || entry.source() == ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG));
  }

  @Test
  void listenersOfARunningBrokerStay() {
    assertThatThrownBy(() -> alter(THIS, OpType.SET, "listeners", "PLAINTEXT://:1,CONTROLLER://:2"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("keeps its listeners");
  }

  @Test
  void threadsAreKafkasByDefaultAndComeByDoublesOfThose() {
    for (String key : List.of("num.network.threads", "num.io.threads")) {
      assertThat(told(THIS, key).source()).as(key).isEqualTo(ConfigSource.DEFAULT_CONFIG);
    }
    assertThat(told(THIS, "num.network.threads").value()).isEqualTo("3");
    set(admin, THIS, "num.io.threads", "16");
    alter(THIS, OpType.DELETE, "num.io.threads", "");
    Node.await("8 again", () -> told(THIS, "num.io.threads").value().equals("8"));
  }

  /** What was set but not taken yet is no ground for more. */
  @Test
  void networkThreadsAreJudgedByThoseThatRun() {
    set(admin, ALL, "num.network.threads", "6");
    assertThatThrownBy(() -> alter(ALL, OpType.SET, "num.network.threads", "12"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("twice of 3");
    alter(ALL, OpType.DELETE, "num.network.threads", "");
    Node.await("3 again", () -> told(THIS, "num.network.threads").value().equals("3"));
  }

  @Test
  void whatIsOnlyTriedIsJudgedAndNotWrittenDown() {
    alter(ALL, OpType.SET, "log.cleaner.backoff.ms", "4321", true);
    assertThat(told(THIS, "log.cleaner.backoff.ms").value()).isEqualTo("15000");
    assertThatThrownBy(() -> alter(ALL, OpType.SET, "log.cleaner.backoff.ms", "-4", true))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void aProducerIsForgottenByTheNewTime() throws Exception {
    Node.get(admin.createTopics(List.of(new NewTopic("producers", 1, (short) 1))).all());
    TopicPartition partition = new TopicPartition("producers", 0);
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      producer.send(new ProducerRecord<>("producers", "a")).get(30, TimeUnit.SECONDS);
    }
    assertThat(producers(partition)).isEqualTo(1);
    alter(ALL, OpType.SET, "producer.id.expiration.ms", "1");
    Node.await("the producer to be forgotten", () -> producers(partition) == 0);
    alter(ALL, OpType.DELETE, "producer.id.expiration.ms", "");
    Node.await(
        "the file's to hold again",
        () -> told(THIS, "producer.id.expiration.ms").value().equals("86400000"));
  }

  private int producers(TopicPartition partition) {
    return Node.get(admin.describeProducers(List.of(partition)).partitionResult(partition))
        .activeProducers()
        .size();
  }

  @Test
  void aCordonedDirectoryTakesNoNewReplicas(@TempDir Path dir) {
    String a = dir.resolve("a").toString();
    String b = dir.resolve("b").toString();
    String slash = a + "/"; // a way of writing that the controller never hears of
    try (Node two = new Node(dir, Map.of("log.dirs", slash + "," + b));
        Admin admin = two.admin()) {
      cordon(admin, slash);
      Node.await("the directory to be cordoned", () -> cordoned(admin).equals(Set.of(a)));
      Node.get(admin.createTopics(List.of(new NewTopic("t", 4, (short) 1))).all());
      Node.await("replicas", () -> replicas(admin, b) == 4);
      assertThat(replicas(admin, a)).isZero();
      cordon(admin, "*");
      Node.await("all to be cordoned", () -> cordoned(admin).equals(Set.of(a, b)));
      // The controller hears of it by the next heartbeat.
      Node.await("new topics to be refused", () -> refused(admin));
      cordon(admin, "");
      Node.await("none to be cordoned", () -> cordoned(admin).isEmpty());
    }
  }

  @Test
  void aCordonOfTheFileHoldsFromTheStart(@TempDir Path dir) {
    Map<String, String> all = Map.of("log.dirs", dir.resolve("a") + "//", "cordoned.log.dirs", "*");
    try (Node one = new Node(dir, all);
        Admin admin = one.admin()) {
      Node.await("new topics to be refused", () -> refused(admin));
    }
  }

  private static void cordon(Admin admin, String directories) {
    AlterConfigOp change =
        new AlterConfigOp(new ConfigEntry("cordoned.log.dirs", directories), OpType.SET);
    Node.get(admin.incrementalAlterConfigs(Map.of(THIS, List.of(change))).all());
  }

  private static Map<String, LogDirDescription> directories(Admin admin) {
    return Node.get(admin.describeLogDirs(List.of(1)).allDescriptions()).get(1);
  }

  private static Set<String> cordoned(Admin admin) {
    return directories(admin).entrySet().stream()
        .filter(one -> one.getValue().isCordoned())
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  private static int replicas(Admin admin, String directory) {
    return directories(admin).get(directory).replicaInfos().size();
  }

  private static boolean refused(Admin admin) {
    NewTopic another = new NewTopic("more-" + System.nanoTime(), 1, (short) 1);
    try {
      Node.get(admin.createTopics(List.of(another)).all());
      return false;
    } catch (InvalidReplicationFactorException asWanted) {
      return true;
    }
  }

  @Test
  void whatWasSetStepByStepHoldsAfterARestart(@TempDir Path dir) {
    String b = dir.resolve("b").toString();
    Map<String, String> two = Map.of("log.dirs", dir.resolve("a") + "," + b);
    try (Node before = new Node(dir, two);
        Admin admin = before.admin()) {
      cordon(admin, b);
      Node.get(admin.createTopics(List.of(new NewTopic("kept", 1, (short) 1))).all());
      set(admin, ALL, "log.retention.ms", "-1");
      set(admin, ALL, "log.cleaner.threads", "2");
      set(admin, ALL, "log.cleaner.threads", "4");
      assertThat(value(admin, KEPT, "retention.ms")).isEqualTo("-1");
    }
    ListAppender<ILoggingEvent> said = new ListAppender<>();
    Logger all = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    said.start();
    all.addAppender(said);
    try (Node after = new Node(dir, two);
        Admin admin = after.admin()) {
      all.detachAppender(said);
      assertThat(said.list).filteredOn(line -> line.getLevel() == Level.ERROR).isEmpty();
      assertThat(cordoned(admin)).containsExactly(b);
      assertThat(value(admin, THIS, "log.cleaner.threads")).isEqualTo("4");
      assertThat(value(admin, KEPT, "retention.ms")).isEqualTo("-1");
      set(admin, ALL, "log.retention.ms", "77000");
      Node.await("a change", () -> value(admin, KEPT, "retention.ms").equals("77000"));
    }
  }

  @Test
  void aStoredValueThatDoesNotDoAnyMoreIsLeftOutAndTheOthersHold(@TempDir Path dir) {
    String a = dir.resolve("a").toString();
    String b = dir.resolve("b").toString();
    try (Node before = new Node(dir, Map.of("log.dirs", a + "," + b));
        Admin admin = before.admin()) {
      Node.get(admin.createTopics(List.of(new NewTopic("kept", 1, (short) 1))).all());
      set(admin, THIS, "log.retention.ms", "-1");
      cordon(admin, b);
      Node.await("the directory to be cordoned", () -> cordoned(admin).equals(Set.of(b)));
    }
    try (Node after = new Node(dir, Map.of("log.dirs", a)); // the other disk was taken out
        Admin admin = after.admin()) {
      assertThat(value(admin, KEPT, "retention.ms")).isEqualTo("-1");
      set(admin, THIS, "log.retention.ms", "77000");
      Node.await("a change", () -> value(admin, KEPT, "retention.ms").equals("77000"));
    }
  }

  /** The controller writes down what it is told: it does not know what a broker takes. */
  @Test
  void whatWasWrittenDownWithoutTheBrokerRefusesNoOtherChange(@TempDir Path dir) throws Exception {
    String controller = "127.0.0.1:" + Ports.free();
    Map<String, String> settings =
        Map.of("listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://" + controller);
    try (Node node = new Node(dir, settings);
        Admin direct = Admin.create(Map.of("bootstrap.controllers", controller));
        Admin admin = node.admin()) {
      AlterConfigOp change =
          new AlterConfigOp(new ConfigEntry("ssl.keystore.location", "/x"), OpType.SET);
      Node.get(direct.incrementalAlterConfigs(Map.of(THIS, List.of(change))).all());
      set(admin, THIS, "log.retention.ms", "77000");
    }
  }

  private static void set(Admin admin, ConfigResource of, String key, String value) {
    AlterConfigOp change = new AlterConfigOp(new ConfigEntry(key, value), OpType.SET);
    Node.get(admin.incrementalAlterConfigs(Map.of(of, List.of(change))).all());
    Node.await(key, () -> value.equals(value(admin, THIS, key)));
  }

  private static String value(Admin admin, ConfigResource of, String key) {
    return Node.get(admin.describeConfigs(List.of(of)).all()).get(of).get(key).value();
  }

  @Test
  void aLoggerSpeaksAtTheLevelThatIsSet() {
    var logger = (ch.qos.logback.classic.Logger) org.slf4j.LoggerFactory.getLogger(QUIET);
    String before = told(LOGGERS, QUIET).value();
    assertThat(told(LOGGERS, "root").source()).isEqualTo(ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG);
    alter(LOGGERS, OpType.SET, QUIET, "ERROR", true);
    assertThat(logger.getLevel()).as("only tried").isNull();
    alter(LOGGERS, OpType.SET, QUIET, "ERROR");
    assertThat(logger.getLevel()).hasToString("ERROR");
    assertThat(told(LOGGERS, QUIET).value()).isEqualTo("ERROR");
    alter(LOGGERS, OpType.DELETE, QUIET, "");
    assertThat(logger.getLevel()).isNull();
    assertThat(told(LOGGERS, QUIET).value()).isEqualTo(before);
  }

  @Test
  void loggersTakeNothingElse() {
    assertThatThrownBy(() -> alter(LOGGERS, OpType.SET, QUIET, "LOUD"))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("LOUD");
    assertThatThrownBy(() -> alter(LOGGERS, OpType.SET, "no.such.logger", "INFO"))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("no.such.logger");
    assertThatThrownBy(() -> alter(LOGGERS, OpType.DELETE, "root", ""))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> alter(LOGGERS, OpType.APPEND, QUIET, "INFO"))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void oneRefusalLeavesTheOthersOfARequest() {
    Node.get(admin.createTopics(List.of(new NewTopic("mixed", 1, (short) 1))).all());
    ConfigResource topic = new ConfigResource(Type.TOPIC, "mixed");
    var done =
        admin
            .incrementalAlterConfigs(
                Map.of(
                    topic,
                    List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "777"), OpType.SET)),
                    ALL,
                    List.of(new AlterConfigOp(new ConfigEntry("node.id", "3"), OpType.SET))))
            .values();
    assertThatCode(() -> Node.get(done.get(topic))).doesNotThrowAnyException();
    assertThatThrownBy(() -> Node.get(done.get(ALL))).isInstanceOf(InvalidRequestException.class);
    Node.await("the topic's to be seen", () -> told(topic, "retention.ms").value().equals("777"));
  }
}
