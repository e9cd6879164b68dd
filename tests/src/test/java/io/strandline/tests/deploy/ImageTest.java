package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.strandline.tests.cluster.Records;
import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The container image, unpacked, and run as an engine would run it. {@code -Dstrandline.image=TAR}
 * takes one with a JVM of its own instead of the layers that the build makes, below which the
 * machine's system is laid.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class ImageTest {
  private static final long MIB = 1 << 20;

  @TempDir static Path unpacked;
  private static Optional<ImageTar> image = Optional.empty();

  @TempDir Path dir;
  private Optional<Container> container = Optional.empty();

  @BeforeAll
  static void unpack() throws Exception {
    String given = System.getProperty("strandline.image", "");
    Path tar = given.isEmpty() ? Distribution.made("strandline-.*-layers\\.tar") : Path.of(given);
    image = Optional.of(ImageTar.unpack(tar, unpacked));
  }

  @AfterEach
  void end() throws InterruptedException {
    if (container.isPresent()) {
      container.orElseThrow().kill();
    }
  }

  @Test
  void saysWhoItRunsAsAndWhatItIs() {
    ImageTar it = image.orElseThrow();
    assertThat(it.text("User")).as("a number that is not root's").matches("[1-9][0-9]*:0");
    assertThat(it.list("Entrypoint")).containsExactly("/opt/strandline/bin/strandline");
    assertThat(it.list("Cmd"))
        .containsExactly("server", "--config", "/etc/strandline/server.properties");
    assertThat(it.config().get("config").get("Volumes").has("/var/lib/strandline")).isTrue();
    assertThat(it.config().get("config").get("ExposedPorts").has("9092/tcp")).isTrue();
    assertThat(it.environment()).containsEntry("STRANDLINE_MEMORY", "cgroup");
    assertThat(it.config().get("config").get("Labels").fieldNames())
        .toIterable()
        .contains("org.opencontainers.image.version", "org.opencontainers.image.licenses");
    assertThat(it.config().get("created").asText())
        .as("the same bytes again")
        .startsWith("2026-01");
  }

  @Test
  void layersChangeWithWhatIsInThem() throws Exception {
    Path tar = Distribution.made("strandline-.*\\.tar\\.gz");
    List<String> distribution =
        Commands.run(dir, List.of("tar", "-tzf", tar.toString())).output().lines().toList();
    List<List<String>> layers =
        image.orElseThrow().layers().stream()
            .filter(files -> files.stream().anyMatch(f -> f.contains("opt/strandline/lib/")))
            .toList();
    assertThat(layers).hasSize(2);
    assertThat(layers.get(0))
        .anyMatch(f -> f.contains("kafka-clients-"))
        .noneMatch(f -> f.matches(".*/(cache|tiering|replay|broker|tools)-[0-9].*jar"))
        .noneMatch(f -> f.contains("junit"));
    assertThat(layers.get(1).stream().filter(f -> f.endsWith(".jar"))).hasSize(5);
    assertThat(layers.get(1)).anyMatch(f -> f.endsWith("opt/strandline/LICENSE"));
    assertThat(image.orElseThrow().root().resolve("opt/strandline/bin/kafka-topics.sh"))
        .isExecutable();
    assertThat(jars(layers)).as("all that the tar has").isEqualTo(jars(List.of(distribution)));
  }

  @Test
  void servesFromARootThatNobodyCanWriteToAndStopsInOrder() throws Exception {
    int port = Ports.free();
    String bootstrap = "127.0.0.1:" + port;
    Container node = start(port, Map.of());
    Waiting.until(
        "the container to be healthy",
        () -> {
          assertThat(node.runs()).as(node.output()).isTrue();
          return node.exec(List.of("/usr/local/bin/strandline", "health")).exitCode() == 0;
        });
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      // The broker compresses, for which a native library is unpacked and executed.
      NewTopic topic = new NewTopic("t", 1, (short) 1).configs(Map.of("compression.type", "zstd"));
      admin.createTopics(List.of(topic)).all().get(60, TimeUnit.SECONDS);
    }
    List<String> values = Records.values("contained", 100);
    Records.produce(bootstrap, "t", 1, values);
    assertThat(Records.consume(bootstrap, "t", 1, 100)).isEqualTo(values);

    ProcessHandle first = node.first();
    Path proc = Path.of("/proc").resolve(Long.toString(first.pid()));
    String status = Files.readString(proc.resolve("status"));
    assertThat(status).containsPattern("NSpid:.*\\t1\\n").containsPattern("Uid:\\t10001\\t10001");
    assertThat(status).containsPattern("CapBnd:\\t0+\\n");
    assertThat(Files.readString(proc.resolve("comm"))).as("no shell between").isEqualTo("java\n");
    List<String> line = List.of(Files.readString(proc.resolve("cmdline")).split("\0"));
    assertThat(line).as("of 768 MiB").contains("-Xmx280m", "-XX:MaxDirectMemorySize=140m");
    boolean trained = hasClassData();
    assertThat(line.stream().anyMatch(a -> a.startsWith("-XX:SharedArchiveFile=/opt/strandline/")))
        .as("class data, if the image has some")
        .isEqualTo(trained);
    for (String file : List.of("/opt/strandline/x", "/etc/strandline/server.properties", "/x")) {
      assertThat(node.exec(List.of("sh", "-c", "echo x > " + file)).exitCode()).isNotZero();
    }
    assertThat(node.output()).doesNotContain("unknown configuration key");

    assertThat(node.stop()).as("after SIGTERM").isZero();
    assertThat(dir.resolve("volume/data")).as("on the volume").isNotEmptyDirectory();
  }

  @Test
  void keepsTheExitCodeOfAWrongConfiguration() throws Exception {
    Container node = start(Ports.free(), Map.of("STRANDLINE_NUM_PARTITIONS", "many"));
    Waiting.until("it to end", () -> !node.runs());
    assertThat(node.stop()).isEqualTo(2);
    assertThat(node.output()).contains("num.partitions=many is not allowed");
  }

  private static boolean hasClassData() throws IOException {
    try (Stream<Path> files = Files.list(image.orElseThrow().root().resolve("opt/strandline"))) {
      return files.anyMatch(f -> f.getFileName().toString().endsWith(".jsa"));
    }
  }

  private static Set<String> jars(List<List<String>> layers) {
    return layers.stream()
        .flatMap(List::stream)
        .filter(f -> f.endsWith(".jar"))
        .map(f -> f.substring(f.lastIndexOf('/') + 1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private Container start(int port, Map<String, String> more) throws Exception {
    Container.require();
    ImageTar it = image.orElseThrow();
    // A new volume is as the image has it.
    Path volume = Files.createDirectory(dir.resolve("volume"));
    Files.setPosixFilePermissions(
        volume, Files.getPosixFilePermissions(it.root().resolve("var/lib/strandline")));
    Map<String, String> environment = new LinkedHashMap<>(more);
    environment.put("STRANDLINE_LISTENERS", "CLIENTS://127.0.0.1:" + port);
    environment.put("STRANDLINE_ADVERTISED_LISTENERS", "CLIENTS://127.0.0.1:" + port);
    environment.put("STRANDLINE_ADMIN_LISTENER", "127.0.0.1:" + Ports.free());
    environment.put("STRANDLINE_JAVA_OPTS", Distribution.QUICK);
    assumeTrue(Files.exists(it.root().resolve("bin/sh")) || Commands.exists("java"));
    Container started = Container.start(it, dir, volume, 768 * MIB, environment);
    container = Optional.of(started);
    return started;
  }
}
