package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.cluster.Records;
import io.strandline.tests.fault.Waiting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code modules/local}, applied by terraform and used by clients. */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class LocalModuleTest {
  private static final List<Integer> BROKERS = List.of(1, 2, 3);
  private static final List<Integer> NODES = List.of(101, 1, 2, 3);
  private static final int PORTS = 24;
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir Path dir;
  private Path cluster = Path.of("not yet");
  private int firstPort;

  @BeforeEach
  void choose() throws IOException {
    cluster = dir.resolve("cluster");
    firstPort = freePorts();
  }

  /** Whatever a failed test left. */
  @AfterEach
  void endAll() throws IOException {
    for (int node : NODES) {
      if (Files.exists(pidFile(node))) {
        process(node).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
  }

  @Test
  void aClusterIsAppliedMendedChangedAndDestroyed() throws Exception {
    Terraform.require();
    Distribution distribution = Distribution.unpack(Files.createDirectory(dir.resolve("dist")));
    Terraform terraform =
        Terraform.example("local", Files.createDirectory(dir.resolve("terraform")));
    terraform.set("distribution", distribution.home().toString());
    terraform.set("directory", cluster.toString());
    terraform.set("first_port", Integer.toString(firstPort));
    terraform.set("settings", settings(""));

    terraform.apply();
    assertThat(terraform.plansChanges()).as("after it was applied").isFalse();
    String bootstrap = terraform.output("bootstrap_servers");
    List<String> values = Records.values("applied", 300);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      admin.createTopics(List.of(new NewTopic("t", 3, (short) 3))).all().get(60, TimeUnit.SECONDS);
    }
    Records.produce(bootstrap, "t", 3, values);

    long killed = process(2).orElseThrow().pid();
    process(2).orElseThrow().destroyForcibly();
    Waiting.until("the others to miss it", () -> underReplicated() > 0);
    assertThat(terraform.plansChanges()).as("with a dead broker").isTrue();
    List<Long> others = List.of(pid(101), pid(1), pid(3));
    terraform.apply();
    assertThat(pid(2)).isNotEqualTo(killed);
    assertThat(List.of(pid(101), pid(1), pid(3))).as("left alone").isEqualTo(others);
    assertThat(terraform.plansChanges()).as("after it was mended").isFalse();
    Waiting.until("all replicas to be back", () -> underReplicated() == 0);

    List<Long> before = List.of(pid(101), pid(1), pid(2), pid(3));
    terraform.set("settings", settings(",\"log.retention.hours\":\"48\""));
    int fewest = fewestReadyWhile(terraform::apply);
    assertThat(List.of(pid(101), pid(1), pid(2), pid(3))).doesNotContainAnyElementsOf(before);
    assertThat(fewest).as("brokers that were ready while all were started anew").isEqualTo(2);
    assertThat(Records.consume(bootstrap, "t", 3, values.size()))
        .containsExactlyInAnyOrderElementsOf(values);

    List<ProcessHandle> running = new ArrayList<>();
    for (int node : NODES) {
      running.add(process(node).orElseThrow());
    }
    terraform.destroy();
    // Those that have ended are there until their parent has heard of it.
    Waiting.until(
        "no node to be left after destroy",
        () -> running.stream().noneMatch(ProcessHandle::isAlive));
    assertThat(cluster.resolve("node-1").resolve("data")).as("kept").isNotEmptyDirectory();
    assertThat(stops())
        .as("brokers stopped before the controller that lets them go")
        .allMatch(line -> !line.contains("did not let this node go"));

    terraform.set("keep_data", "false");
    terraform.apply();
    assertThat(Records.consume(bootstrap, "t", 3, values.size()))
        .as("of the kept data")
        .containsExactlyInAnyOrderElementsOf(values);
    terraform.destroy();
    assertThat(cluster).doesNotExist();
  }

  /** Short time-outs, so that a death is noticed soon. */
  private static String settings(String more) {
    return "{\"broker.session.timeout.ms\":\"3000\",\"broker.heartbeat.interval.ms\":\"500\","
        + "\"offsets.topic.num.partitions\":\"4\""
        + more
        + "}";
  }

  private interface Work {
    void run() throws Exception;
  }

  /** Runs it, and looks all the while how many brokers are ready. */
  private int fewestReadyWhile(Work work) throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger fewest = new AtomicInteger(BROKERS.size());
    Thread watch =
        new Thread(
            () -> {
              while (!over.get()) {
                int ready = (int) BROKERS.stream().filter(this::ready).count();
                fewest.accumulateAndGet(ready, Math::min);
                LockSupport.parkNanos(20_000_000L);
              }
            });
    watch.start();
    try {
      work.run();
    } finally {
      over.set(true);
      watch.join();
    }
    return fewest.get();
  }

  private boolean ready(int broker) {
    try {
      return get(broker, "/readyz").statusCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  /** Summed over the brokers that answer. */
  private double underReplicated() {
    double sum = 0;
    for (int broker : BROKERS) {
      try {
        sum +=
            get(broker, "/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("strandline_partition_under_replicated"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
      } catch (IOException e) {
        continue;
      }
    }
    return sum;
  }

  private HttpResponse<String> get(int broker, String path) throws IOException {
    URI uri = URI.create("http://127.0.0.1:" + (firstPort + 2 * broker - 1) + path);
    try {
      return HTTP.send(
          HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private List<String> stops() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int node : BROKERS) {
      lines.addAll(Files.readAllLines(cluster.resolve("node-" + node).resolve("node.log")));
    }
    return lines;
  }

  private Path pidFile(int node) {
    return cluster.resolve("node-" + node).resolve("pid");
  }

  private long pid(int node) throws IOException {
    return Long.parseLong(Files.readString(pidFile(node)).strip());
  }

  private java.util.Optional<ProcessHandle> process(int node) throws IOException {
    return ProcessHandle.of(pid(node)).filter(ProcessHandle::isAlive);
  }

  /** The first of a row of ports that are free, below those that single nodes are given. */
  private static int freePorts() throws IOException {
    for (int i = 0; i < 100; i++) {
      int first = ThreadLocalRandom.current().nextInt(3_000 / PORTS) * PORTS + 12_000;
      if (allFree(first)) {
        return first;
      }
    }
    throw new IOException("no " + PORTS + " free ports in a row");
  }

  private static boolean allFree(int first) {
    for (int port = first; port < first + PORTS; port++) {
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        assertThat(socket.isBound()).isTrue();
      } catch (IOException e) {
        return false;
      }
    }
    return true;
  }
}
