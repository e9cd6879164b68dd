package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.strandline.tests.fault.Waiting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/strandline} with a JVM that only writes down what it was started with. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LauncherTest {
  /** Makes an archive when it is to. */
  private static final String JVM =
      """
      #!/bin/bash
      archive=''
      for arg in "$@"; do
        case $arg in -XX:ArchiveClassesAtExit=*) archive=${arg#*=} ;; esac
      done
      printf '%s\\n' "pid=$$" "$@" > "$RECORD/${archive:+training-}$$"
      env | grep '^STRANDLINE_' > "$RECORD/environment-${archive:+of-training}" || true
      if [ -n "$archive" ]; then
        echo "class data" > "$archive"
        exit 0
      fi
      exit "${EXIT:-0}"
      """;

  private static final String MAKES = "echo \"class data\" > \"$archive\"";
  private static final long MIB = 1 << 20;

  @TempDir Path dir;
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void install() throws IOException {
    Path bin = Files.createDirectories(dir.resolve("home/bin"));
    Files.createDirectories(dir.resolve("home/lib"));
    Files.writeString(dir.resolve("home/lib/a.jar"), "a");
    Files.createDirectories(dir.resolve("groups"));
    Files.createDirectories(dir.resolve("record"));
    String launcher = Files.readString(Distribution.ROOT.resolve("bin/strandline"));
    // Groups of this test's in the place of the machine's.
    executable(
        bin.resolve("strandline"),
        launcher
            .replace("/sys/fs/cgroup", dir.resolve("groups").toString())
            .replace("/proc/self/cgroup", dir.resolve("cgroup").toString()));
    Files.writeString(dir.resolve("cgroup"), "0::/\n");
    jvm(JVM);
    environment.put("JAVA_HOME", dir.resolve("jvm").toString());
    environment.put("RECORD", dir.resolve("record").toString());
  }

  @Test
  void becomesTheJvmAndEndsAsItDoes() throws Exception {
    environment.put("EXIT", "3");
    environment.put("STRANDLINE_JAVA_OPTS", "-Dmine=1");
    environment.put("STRANDLINE_TMP", dir.resolve("tmp").toString());
    Files.createDirectories(dir.resolve("tmp/jvm/of-one-that-was-killed"));
    Process process = process("server", "--set", "a b=c").start();
    assertThat(process.waitFor()).isEqualTo(3);
    List<String> started = started();
    assertThat(started).contains("pid=" + process.pid(), "-Xmx512m", "-Dmine=1");
    assertThat(started).contains("-XX:MaxDirectMemorySize=1g", "-XX:+ExitOnOutOfMemoryError");
    assertThat(started).contains("-Djava.io.tmpdir=" + dir.resolve("tmp/jvm"));
    assertThat(started).endsWith("io.strandline.broker.Main", "--set", "a b=c");
    assertThat(dir.resolve("tmp/jvm")).isEmptyDirectory();
  }

  @Test
  void memoryFollowsTheLimitOfTheContainer() throws Exception {
    environment.put("STRANDLINE_MEMORY", "cgroup");
    assertThat(memory()).as("no limit").containsExactly("512m", "1g");
    Files.writeString(dir.resolve("groups/memory.max"), "max\n");
    assertThat(memory()).as("no limit").containsExactly("512m", "1g");
    for (long limit : List.of(512L, 768L, 1024L, 2048L, 4096L, 65536L)) {
      Files.writeString(dir.resolve("groups/memory.max"), limit * MIB + "\n");
      List<Long> both = memory().stream().map(LauncherTest::mebibytes).toList();
      assertThat(both.get(0) + both.get(1) + 160)
          .as("heap and direct memory %s beside the JVM's own in %d MiB", both, limit)
          .isLessThan(limit)
          .isGreaterThan(Math.min(limit, 4096) / 2);
      assertThat(both.get(0)).as("heap").isGreaterThan(both.get(1) - 1);
    }
    Files.writeString(dir.resolve("cgroup"), "0::/system.slice/one.service\n");
    Path slice = Files.createDirectories(dir.resolve("groups/system.slice"));
    Files.writeString(slice.resolve("memory.max"), 1024 * MIB + "\n");
    Files.createDirectory(slice.resolve("one.service"));
    Files.writeString(slice.resolve("one.service/memory.max"), "max\n");
    List<String> gibibyte = memory();
    assertThat(mebibytes(gibibyte.get(0))).as("of the group above").isEqualTo(400);
    Files.writeString(dir.resolve("cgroup"), "5:cpu,cpuacct:/\n4:memory:/docker/abc\n");
    assertThat(memory()).as("no such group").containsExactly("512m", "1g");
    Path old = Files.createDirectories(dir.resolve("groups/memory"));
    Files.writeString(old.resolve("memory.limit_in_bytes"), 1024 * MIB + "\n");
    assertThat(memory()).as("version 1, seen from inside").isEqualTo(gibibyte);
    Files.writeString(old.resolve("memory.limit_in_bytes"), "9223372036854771712\n");
    assertThat(memory()).as("version 1 without").containsExactly("512m", "1g");
  }

  @Test
  void memoryThatIsSaidHolds() throws Exception {
    environment.put("STRANDLINE_MEMORY", "1024m");
    List<String> said = memory();
    environment.put("STRANDLINE_MEMORY", "1g");
    assertThat(memory()).isEqualTo(said);
    environment.put("STRANDLINE_HEAP", "300m");
    assertThat(memory()).containsExactly("300m", said.get(1));
    environment.put("STRANDLINE_DIRECT", "100m");
    assertThat(memory()).containsExactly("300m", "100m");
    environment.put("STRANDLINE_MEMORY", "lots");
    assertThat(run("server").exitCode()).isEqualTo(2);
  }

  @Test
  void classDataIsMadeOnceForTheseJarsAndThisJvm() throws Exception {
    run("server");
    Path first = archive();
    assertThat(trainings()).isEqualTo(1);
    assertThat(started()).contains("-Xshare:auto", "-XX:SharedArchiveFile=" + first);
    run("server");
    assertThat(trainings()).as("after another start").isEqualTo(1);
    Files.setLastModifiedTime(
        dir.resolve("home/lib/a.jar"), FileTime.from(Instant.parse("2026-01-01T00:00:00Z")));
    run("server");
    assertThat(trainings()).as("with another jar").isEqualTo(2);
    Files.writeString(dir.resolve("jvm/release"), "JAVA_VERSION=\"99\"\n");
    run("server");
    assertThat(trainings()).as("with another JVM").isEqualTo(3);
    assertThat(started()).doesNotContain("-XX:SharedArchiveFile=" + first);
    Files.delete(dir.resolve("jvm/release"));
    run("server");
    assertThat(trainings()).as("and back").isEqualTo(3);
    for (int i = 0; i < 3; i++) {
      Files.writeString(dir.resolve("jvm/release"), "JAVA_VERSION=\"" + i + "\"\n");
      run("server");
    }
    assertThat(archives()).as("old ones go").hasSize(3);
  }

  /**
   * Else it would take the real one's bucket for a cluster of its own, or join the real cluster.
   */
  @Test
  void theNodeThatMakesClassDataKnowsNothingOfTheRealOne() throws Exception {
    environment.put("STRANDLINE_OBJECT_STORE", "s3://history");
    environment.put("STRANDLINE_CLUSTER_ID", "MkU3OEVBNTcwNTJENDM2Qg");
    environment.put("STRANDLINE_MEMORY", "1g");
    run("server");
    assertThat(trainings()).isEqualTo(1);
    Path record = dir.resolve("record");
    assertThat(record.resolve("environment-of-training")).isEmptyFile();
    assertThat(record.resolve("environment-"))
        .content()
        .contains("STRANDLINE_OBJECT_STORE=s3://history", "STRANDLINE_CLUSTER_ID=");
  }

  @Test
  void classDataNeverBreaksAStart() throws Exception {
    run("server");
    Path archive = archive();
    Files.writeString(archive, "class d");
    run("server");
    assertThat(trainings()).as("the first was torn").isEqualTo(2);
    assertThat(archive).hasContent("class data\n");
    Files.delete(archive.resolveSibling(archive.getFileName() + ".sum"));
    run("server");
    assertThat(trainings()).as("nobody knows whether it is whole").isEqualTo(3);

    environment.put("STRANDLINE_CLASS_DATA", dir.resolve("not/there").toString());
    assertThat(run("server").exitCode()).isZero();
    assertThat(started()).contains("-Xshare:auto").noneMatch(a -> a.contains("SharedArchive"));
    assertThat(run("class-data").exitCode()).isEqualTo(1);

    environment.put(
        "STRANDLINE_CLASS_DATA", Files.createDirectory(dir.resolve("other")).toString());
    jvm(JVM.replace(MAKES, "exit 1"));
    for (int i = 0; i < 2; i++) {
      assertThat(run("server").exitCode()).isZero();
      assertThat(started()).noneMatch(a -> a.contains("SharedArchive"));
    }
    assertThat(trainings()).as("what failed is not tried at each start").isEqualTo(4);
    assertThat(run("class-data").exitCode()).isEqualTo(1);
  }

  @Test
  void isStoppedWhileItMakesClassData() throws Exception {
    jvm(JVM.replace(MAKES, "while :; do sleep 0.02; done"));
    Process process = process("server").start();
    Waiting.until("the training to begin", () -> trainings() == 1);
    process.destroy();
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).as("at once").isTrue();
    assertThat(process.exitValue()).isEqualTo(143);
    jvm(JVM);
    run("server");
    assertThat(started()).anyMatch(a -> a.contains("SharedArchive"));
  }

  @Test
  void healthAsksTheAdminEndpoint() throws Exception {
    HttpServer admin =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    Map<String, Integer> answers = new HashMap<>(Map.of("/healthz", 200, "/readyz", 503));
    answers
        .keySet()
        .forEach(
            path ->
                admin.createContext(
                    path,
                    exchange -> {
                      byte[] body = ("{\"of\":\"" + path + "\"}").getBytes(StandardCharsets.UTF_8);
                      exchange.sendResponseHeaders(answers.get(path), body.length);
                      exchange.getResponseBody().write(body);
                      exchange.close();
                    }));
    admin.start();
    try {
      String port = Integer.toString(admin.getAddress().getPort());
      Path file = dir.resolve("server.properties");
      Files.writeString(file, "a=b\nstrandline.admin.listener = 0.0.0.0:" + port + "\n");
      environment.put("STRANDLINE_ADMIN_LISTENER", "127.0.0.1:" + port);
      Commands.Ended unready = run("health");
      assertThat(unready.exitCode()).isEqualTo(1);
      assertThat(unready.output()).isEqualTo("{\"of\":\"/readyz\"}\n");
      assertThat(run("health", "--live").exitCode()).isZero();
      answers.put("/readyz", 200);
      assertThat(run("health").exitCode()).isZero();
      environment.put("STRANDLINE_ADMIN_LISTENER", "off");
      assertThat(run("health").exitCode()).isEqualTo(2);
      environment.remove("STRANDLINE_ADMIN_LISTENER");
      assertThat(run("health", "--config", file.toString()).exitCode()).isZero();
    } finally {
      admin.stop(0);
    }
    String gone = "127.0.0.1:" + admin.getAddress().getPort();
    assertThat(run("health", gone))
        .isEqualTo(new Commands.Ended(1, "nothing answers at " + gone + "\n"));
  }

  @Test
  void kafkasCommandsStartKafkasClasses() throws Exception {
    jvm("#!/bin/bash\nprintf '%s\\n' \"$@\"\n");
    Path path = Files.createDirectory(dir.resolve("path"));
    List<String> commands = new ArrayList<>();
    for (Path script : kafkas()) {
      String name = script.getFileName().toString();
      commands.add(name.replace(".sh", ""));
      Path copy = dir.resolve("home/bin").resolve(name);
      Files.copy(script, copy, StandardCopyOption.COPY_ATTRIBUTES);
      Path link = Files.createSymbolicLink(path.resolve(name), copy);
      Commands.Ended ended =
          Commands.run(dir, environment, List.of(link.toString(), "--topic", "a b"));
      assertThat(ended.exitCode()).as(ended.output()).isZero();
      List<String> told = ended.output().lines().toList();
      assertThat(told)
          .endsWith("--topic", "a b")
          .contains(dir.resolve("home/lib/a.jar").toString());
      Class<?> main = Class.forName(told.get(told.size() - 3));
      assertThat(main.getMethod("main", String[].class)).as(name).isNotNull();
    }
    assertThat(commands).contains("kafka-topics", "kafka-configs");
    assertThat(run("kafka-no-such").exitCode()).isEqualTo(2);
    assertThat(
            Files.readAllLines(Distribution.ROOT.resolve("bin/strandline")).stream()
                .map(String::strip)
                .filter(line -> line.matches("kafka-[a-z-]+\\) main=.*"))
                .map(line -> line.substring(0, line.indexOf(')'))))
        .as("those that the launcher knows")
        .containsExactlyInAnyOrderElementsOf(commands);
  }

  private static List<Path> kafkas() throws IOException {
    try (Stream<Path> files = Files.list(Distribution.ROOT.resolve("bin"))) {
      return files.filter(f -> f.getFileName().toString().startsWith("kafka-")).toList();
    }
  }

  /** Heap and direct memory of a start. */
  private List<String> memory() throws Exception {
    assertThat(run("server").exitCode()).isZero();
    List<String> started = started();
    return Stream.of("-Xmx", "-XX:MaxDirectMemorySize=")
        .map(
            o ->
                started.stream()
                    .filter(a -> a.startsWith(o))
                    .findFirst()
                    .orElseThrow()
                    .substring(o.length()))
        .toList();
  }

  private static long mebibytes(String said) {
    assertThat(said).endsWith("m");
    return Long.parseLong(said.substring(0, said.length() - 1));
  }

  private void jvm(String text) throws IOException {
    executable(Files.createDirectories(dir.resolve("jvm/bin")).resolve("java"), text);
  }

  private static void executable(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Commands.Ended run(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(dir.resolve("home/bin/strandline").toString()));
    command.addAll(List.of(arguments));
    return Commands.run(dir, environment, command);
  }

  private ProcessBuilder process(String... arguments) {
    List<String> command = new ArrayList<>(List.of(dir.resolve("home/bin/strandline").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("out").toFile());
    builder.environment().putAll(environment);
    return builder;
  }

  /** What the JVM of the newest start was told. */
  private List<String> started() throws IOException {
    try (Stream<Path> files = Files.list(dir.resolve("record"))) {
      Path newest =
          files
              .filter(f -> f.getFileName().toString().matches("[0-9]+"))
              .max(java.util.Comparator.comparing(LauncherTest::modified))
              .orElseThrow();
      return Files.readAllLines(newest);
    }
  }

  private static FileTime modified(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private int trainings() throws IOException {
    try (Stream<Path> files = Files.list(dir.resolve("record"))) {
      return (int) files.filter(f -> f.getFileName().toString().startsWith("training-")).count();
    }
  }

  private Path archive() throws IOException {
    List<Path> all = archives();
    assertThat(all).hasSize(1);
    return all.get(0);
  }

  private List<Path> archives() throws IOException {
    try (Stream<Path> files = Files.list(dir.resolve("home"))) {
      return files.filter(f -> f.getFileName().toString().matches("server-.*\\.jsa")).toList();
    }
  }
}
