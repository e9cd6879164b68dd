package io.strandline.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.ClusterTopics;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.Ports;
import io.strandline.tests.security.Certificates;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The commands of the runbooks, each on a cluster in the state that its alert tells of where that
 * is made by killing a broker, otherwise on a healthy one: {@code -Drunbooks.run=true}. The doctor
 * and Kafka's tools have to name what is wrong.
 *
 * <p>What the machine's own services say ({@link #OF_THE_MACHINE}) is left out.
 */
@EnabledIfSystemProperty(named = "runbooks.run", matches = "true")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class RunbookRunTest {
  private static final Set<String> OF_THE_MACHINE =
      Set.of("chronyc", "timedatectl", "systemctl", "dmesg");
  private static final int DOCTOR_FAILS = 2;

  /** Tiered; on the brokers that live through all of it. */
  private static final TopicPartition ORDERS = new TopicPartition("orders", 0);

  /** One replica, on a broker that is killed for a while. */
  private static final TopicPartition ALONE = new TopicPartition("alone", 0);

  /** Two replicas, of which one has to do. */
  private static final TopicPartition TORN = new TopicPartition("torn", 0);

  /** Two replicas that both have to be in sync; one broker is killed for good. */
  private static final TopicPartition PAIR = new TopicPartition("pair", 0);

  private static final TopicPartition OTHER_PAIR = new TopicPartition("pair", 1);

  private Path dir;
  private TestCluster cluster;
  private Path home;
  private Path directory;
  private Places places;

  static List<String> pages() throws IOException {
    return Ledger.read().runbooks();
  }

  @BeforeAll
  void start(@TempDir Path scratch) throws Exception {
    dir = scratch;
    cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3, 4)
            .replicas(2, 1)
            .start();
    ClusterTopics.create(
        cluster, "orders", Map.of(0, List.of(1, 2)), ClusterTopics.tiered(1 << 20, 1 << 20));
    ClusterTopics.create(cluster, "alone", Map.of(0, List.of(2)), Map.of());
    ClusterTopics.create(cluster, "torn", Map.of(0, List.of(2, 3)), Map.of());
    ClusterTopics.create(
        cluster,
        "pair",
        Map.of(0, List.of(1, 3), 1, List.of(1, 4)),
        Map.of("min.insync.replicas", "2"));
    home = Files.createDirectories(dir.resolve("home"));
    directory = Files.createDirectories(dir.resolve("page"));
    new Workbench(home, directory).lay(Map.of("9092", "0", "9644", "0"));
    String admin = adminAddress(cluster.node(1));
    places =
        new Places(
            Map.ofEntries(
                Map.entry("HOST:9644,HOST:9644", admin + "," + adminAddress(cluster.node(2))),
                Map.entry("HOST:9644", admin),
                Map.entry(
                    "--bootstrap-controller HOST:PORT",
                    "--bootstrap-controller " + cluster.controllerBootstrap()),
                Map.entry("HOST:PORT", cluster.bootstrap(1)),
                Map.entry("HOST", "127.0.0.1"),
                Map.entry("FILE", config(cluster.node(1)).toString()),
                Map.entry("DIRECTORY", dir.resolve("replayed").toString()),
                Map.entry("TOPIC", ORDERS.topic()),
                Map.entry("N", "0"),
                Map.entry("ID", "1"),
                Map.entry("NAME", "alice"),
                Map.entry("BYTES", "1000000"),
                Map.entry("LEVEL", Short.toString(level()))));
  }

  @AfterAll
  void stop() throws IOException {
    cluster.close();
  }

  @ParameterizedTest
  @MethodSource("pages")
  void namesWhatIsWrongAndMendsIt(String name) throws Exception {
    switch (Path.of(name).getFileName().toString()) {
      case "certificate-expiring.md" -> withCertificate(name);
      case "tier-damaged.md" -> withHistory(name);
      case "tier-lagging.md" -> withOpenTransaction(name);
      case "partition-offline.md" -> withLostLeader(name);
      case "partition-under-min-isr.md" -> without(3, name, PAIR);
      case "broker-fenced.md" -> goneForGood(4, name, "fenced");
      case "partition-under-replicated.md" -> goneForGood(3, name, "pair-0", "Topic: pair");
      default -> run(name, places);
    }
  }

  private void withHistory(String name) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer(Map.of())) {
      for (int i = 0; i < 3000; i++) {
        producer.send(new ProducerRecord<>(ORDERS.topic(), 0, null, new byte[1024]));
      }
    }
    Waiting.until(
        "a tiered segment",
        () ->
            cluster.node(1).metric("strandline_tiering_upload_bytes_total") > 0
                && cluster.node(1).metric("strandline_tiering_lag_bytes") == 0);
    run(name, places);
    assertThat(dir.resolve("replayed")).isNotEmptyDirectory();
  }

  private void withOpenTransaction(String name) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("transactional.id", "till"))) {
      producer.initTransactions();
      producer.beginTransaction();
      long offset =
          producer
              .send(new ProducerRecord<>(ALONE.topic(), 0, null, new byte[1]))
              .get(30, TimeUnit.SECONDS)
              .offset();
      assertThat(openTransactions()).isOne();
      run(name, places.with(Map.of("TOPIC", "alone", "OFFSET", Long.toString(offset))));
      Waiting.until("the end of the transaction", () -> openTransactions() == 0);
    }
  }

  private long openTransactions() throws Exception {
    return cluster
        .admin()
        .describeProducers(List.of(ALONE))
        .partitionResult(ALONE)
        .get(30, TimeUnit.SECONDS)
        .activeProducers()
        .stream()
        .filter(producer -> producer.currentTransactionStartOffset().isPresent())
        .count();
  }

  /** A broker is down, and comes back afterwards. */
  private void without(int id, String name, TopicPartition named) throws Exception {
    cluster.node(id).kill();
    try {
      awaitFenced(id);
      assertThat(run(name, places)).contains(named.toString(), "Topic: " + named.topic());
    } finally {
      startAgain(id);
    }
  }

  private void startAgain(int id) throws IOException {
    cluster.node(id).startAgain();
    ClusterTopics.awaitInSync(cluster, ORDERS, Set.of(1, 2));
    ClusterTopics.awaitInSync(cluster, PAIR, Set.of(1, 3));
  }

  /** The last of an ISR is down, and a replica that was down before it lives. */
  private void withLostLeader(String name) throws Exception {
    cluster.node(3).kill();
    awaitFenced(3);
    ClusterTopics.awaitInSync(cluster, TORN, Set.of(2));
    cluster.node(2).kill();
    try {
      awaitFenced(2);
      cluster.node(3).startAgain();
      String shown = run(name, places.with(Map.of("TOPIC", TORN.topic())));
      assertThat(shown).contains(TORN.toString(), "Topic: alone", "Topic: torn");
      assertThat(ClusterTopics.leader(cluster, TORN)).isEqualTo(3);
    } finally {
      startAgain(2);
    }
  }

  private void goneForGood(int id, String name, String... named) throws Exception {
    cluster.node(id).kill();
    awaitFenced(id);
    assertThat(run(name, places.with(Map.of("ID", Integer.toString(id))))).contains(named);
    for (TopicPartition pair : List.of(PAIR, OTHER_PAIR)) {
      assertThat(ClusterTopics.describe(cluster, pair).replicas()).noneMatch(r -> r.id() == id);
    }
    assertThat(cluster.node(1).metric("strandline_controller_brokers_fenced")).isZero();
  }

  private void awaitFenced(int id) {
    Waiting.until(
        "broker " + id + " to be fenced",
        () ->
            cluster.admin().describeCluster().nodes().get(10, TimeUnit.SECONDS).stream()
                .noneMatch(node -> node.id() == id));
  }

  /** A broker of its own, with a listener for the public and a certificate of two days. */
  private void withCertificate(String name) throws Exception {
    Certificates certificates = new Certificates(dir);
    Path first = certificates.make("first.p12", "broker");
    // Kafka takes another certificate of the same subject only.
    Path second = certificates.make("second.p12", "broker");
    int plain = Ports.free();
    int secured = Ports.free();
    Map<String, String> settings =
        Map.of(
            "listeners",
            "PLAINTEXT://127.0.0.1:%d,PUBLIC://127.0.0.1:%d".formatted(plain, secured),
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,PUBLIC:SSL,CONTROLLER:PLAINTEXT",
            "listener.name.public.ssl.keystore.location",
            first.toString(),
            "listener.name.public.ssl.keystore.type",
            "PKCS12",
            "listener.name.public.ssl.keystore.password",
            Certificates.PASSWORD);
    try (BrokerProcess broker = BrokerProcess.launch(dir.resolve("secured"), plain, settings)) {
      broker.awaitReady();
      String shown =
          run(
              name,
              places.with(
                  Map.of(
                      "-connect HOST:PORT",
                      "-connect 127.0.0.1:" + secured,
                      "HOST:PORT",
                      broker.bootstrap(),
                      "HOST:9644",
                      adminAddress(broker),
                      "location=FILE",
                      "location=" + second,
                      "NAME",
                      "public")));
      assertThat(shown).contains("strandline_listener_certificate_expires_seconds");
      Waiting.until(
          "the new certificate",
          () -> {
            Said again = type("openssl s_client -connect 127.0.0.1:" + secured);
            return !certificate(again.text()).equals(certificate(shown));
          });
    }
  }

  /** The first that {@code openssl s_client} shows. */
  private static String certificate(String shown) {
    String begin = "-----BEGIN CERTIFICATE-----";
    String end = "-----END CERTIFICATE-----";
    assertThat(shown).contains(begin, end);
    return shown.substring(shown.indexOf(begin), shown.indexOf(end));
  }

  /** What a command printed, standard error included. */
  private record Said(int exitCode, String text) {}

  /** Types a page's commands one after the other; none may fail. */
  private String run(String name, Places here) throws Exception {
    StringBuilder all = new StringBuilder();
    for (Page.Block block : PageRun.blocks(Page.of(name))) {
      for (String line : block.text()) {
        if (OF_THE_MACHINE.contains(line.split(" ")[0])) {
          continue;
        }
        Said said = type(here.fill(line));
        all.append(said.text());
        assertThat(said.exitCode())
            .as("%s: %s%n%s", name, here.fill(line), said.text())
            .isLessThanOrEqualTo(worst(line, said));
      }
    }
    return all.toString();
  }

  /** The doctor's is a verdict, as long as it gives one. */
  private static int worst(String line, Said said) {
    boolean verdict = said.text().lines().anyMatch(text -> text.matches("(OK|WARN|FAIL)\\b.*"));
    return line.startsWith("bin/strandline doctor") && verdict ? DOCTOR_FAILS : 0;
  }

  private Said type(String command) throws Exception {
    Process shell =
        new ProcessBuilder("bash", "-c", "source " + home + "/prelude.sh; " + command)
            .directory(directory.toFile())
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .start();
    String text = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Said(shell.waitFor(), text);
  }

  private KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(more);
    settings.put("bootstrap.servers", cluster.bootstrap());
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static String adminAddress(BrokerProcess node) {
    return node.settings().getOrDefault("strandline.admin.listener", "");
  }

  private short level() throws Exception {
    return cluster
        .admin()
        .describeFeatures()
        .featureMetadata()
        .get(30, TimeUnit.SECONDS)
        .finalizedFeatures()
        .get("metadata.version")
        .maxVersionLevel();
  }

  private Path config(BrokerProcess node) throws IOException {
    Properties properties = new Properties();
    properties.putAll(node.settings());
    Path file = dir.resolve("node.properties");
    try (OutputStream out = Files.newOutputStream(file)) {
      properties.store(out, null);
    }
    return file;
  }
}
