package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.Jvm;
import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code strandline cluster}. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class LocalClusterTest {
  private static final String TOPIC = "tried";

  @TempDir Path dir;
  private int starts;

  @Test
  void aKeptClusterComesBackAndEndsWithItsProcess() throws Exception {
    Path kept = dir.resolve("kept");
    int port = Ports.free();
    List<String> values = Records.values("local", 100);
    Process first = start("--brokers", "2", "--port", "" + port, "--dir", kept.toString());
    try {
      String bootstrap = bootstrap(first);
      assertThat(bootstrap).startsWith("127.0.0.1:" + port + ",127.0.0.1:");
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
        admin
            .createTopics(List.of(new NewTopic(TOPIC, Map.of(0, List.of(1), 1, List.of(2)))))
            .all()
            .get(60, TimeUnit.SECONDS);
      }
      Records.produce(bootstrap, TOPIC, 2, values);
      interrupt(first);
      assertThat(first.waitFor(90, TimeUnit.SECONDS)).as("the end after Ctrl-C").isTrue();
      assertThat(first.exitValue()).isZero();
    } finally {
      first.destroyForcibly();
    }
    Process second = start("--brokers", "2", "--dir", kept.toString());
    List<ProcessHandle> nodes = List.of();
    try {
      String bootstrap = bootstrap(second);
      nodes = second.descendants().toList();
      assertThat(nodes).as("two brokers and a controller").hasSize(3);
      assertThat(Records.consume(bootstrap, TOPIC, 2, values.size()))
          .containsExactlyInAnyOrderElementsOf(values);
      assertThat(
              Files.readString(kept.resolve("node-1").resolve("node.log"))
                  .lines()
                  .filter(line -> line.contains(" opened path=")))
          .as("after an orderly stop")
          .last()
          .asString()
          .contains("state=\"clean\"");
    } finally {
      second.destroyForcibly();
    }
    List<ProcessHandle> left = nodes;
    Waiting.until(
        "the nodes to end with their process",
        () -> left.stream().noneMatch(ProcessHandle::isAlive));
  }

  /** The wait is for a controller that is away; without a second signal it takes half a minute. */
  @Test
  void aSecondSignalHasTheNodesWaitForNobody() throws Exception {
    Path kept = dir.resolve("hurried");
    Process cluster = start("--brokers", "1", "--port", "0", "--dir", kept.toString());
    Path log = kept.resolve("node-1").resolve("node.log");
    try {
      bootstrap(cluster);
      for (ProcessHandle node : cluster.descendants().toList()) {
        if (Files.readString(Path.of("/proc/" + node.pid() + "/cmdline"))
            .contains("process.roles=controller")) {
          node.destroyForcibly();
        }
      }
      Waiting.until("the controller's end", () -> said().contains(" ended with "));
      interrupt(cluster);
      Waiting.until("the wait", () -> Files.readString(log).contains("hands its leadership over"));
      interrupt(cluster);
      assertThat(cluster.waitFor(90, TimeUnit.SECONDS)).as("the end").isTrue();
      assertThat(cluster.exitValue()).isZero();
      assertThat(Files.readString(log))
          .contains("asked again to stop")
          .doesNotContain("did not let this node go");
    } finally {
      cluster.destroyForcibly();
    }
  }

  @Test
  void whatCanNotBeIsRefused() throws Exception {
    Process wrong = start("--controllers", "2");
    assertThat(wrong.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(wrong.exitValue()).isEqualTo(2);
    assertThat(said()).contains("--controllers wants 1 or 3, not 2");
  }

  private Process start(String... options) throws IOException {
    List<String> command = Jvm.command("io.strandline.broker.Main", "-Xmx256m");
    command.add("cluster");
    command.addAll(List.of(options));
    starts++;
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(out().toFile())
        .start();
  }

  private Path out() {
    return dir.resolve("cluster-" + starts + ".out");
  }

  private String said() throws IOException {
    return Files.readString(out());
  }

  /** What it prints when all serve. */
  private String bootstrap(Process cluster) {
    Waiting.until(
        "the cluster to serve",
        () -> {
          if (!cluster.isAlive()) {
            throw new AssertionError("it ended: " + said());
          }
          return said().contains("Ctrl-C stops");
        });
    try {
      return said()
          .lines()
          .filter(line -> line.startsWith("bootstrap.servers="))
          .map(line -> line.substring("bootstrap.servers=".length()))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * As a terminal does, which tells all processes in front. Where this process was itself told to
   * ignore that signal, so are those it starts: then an ordinary end has to do.
   */
  private static void interrupt(Process process) throws Exception {
    List<String> kill = new ArrayList<>(List.of("kill", ignoresInterrupts() ? "-TERM" : "-INT"));
    if (!ignoresInterrupts()) {
      process.descendants().forEach(node -> kill.add(Long.toString(node.pid())));
    }
    kill.add(Long.toString(process.pid()));
    assertThat(new ProcessBuilder(kill).start().waitFor()).isZero();
  }

  private static boolean ignoresInterrupts() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.split("\\s+")[1], 16) & 2) != 0);
  }
}
