package io.strandline.tests.scale;

import io.strandline.tests.fault.Footprint;
import io.strandline.tests.process.Jvm;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import kafka.tools.StorageTool;

/**
 * A node of either product in a process of its own, with the same options of the JVM: garbage
 * collector and compilers as they are by default, a heap of {@code -Dscale.heap} (512m). What
 * {@code -Dscale.jvm} names is added for brokers, say a recording.
 */
final class ScaledNode implements AutoCloseable {
  private static final String HEAP = System.getProperty("scale.heap", "512m");
  private static final String MORE = System.getProperty("scale.jvm", "");
  private static final double TICKS_PER_SECOND = 100;
  private static final String QUIET_LOG =
      """
      <configuration>
        <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
          <encoder><pattern>%d %level %logger %msg%n</pattern></encoder>
        </appender>
        <root level="INFO"><appender-ref ref="out"/></root>
      </configuration>
      """;

  private final Product product;
  private final int id;
  private final Path dir;
  private final Map<String, String> settings;
  private Process process;

  /** Formats and starts it; waits for nothing. */
  ScaledNode(Product product, int id, Path home, String clusterId, Map<String, String> settings)
      throws IOException {
    this.product = product;
    this.id = id;
    this.dir = Files.createDirectories(home.resolve("node-" + id));
    this.settings = new LinkedHashMap<>(settings);
    this.settings.put("node.id", Integer.toString(id));
    this.settings.put("log.dirs", dir.resolve("data").toString());
    format(clusterId);
    this.settings.putAll(product.own(home));
    write("server.properties");
    Files.writeString(dir.resolve("logback.xml"), QUIET_LOG);
    process = launch();
  }

  private Path write(String name) throws IOException {
    Properties properties = new Properties();
    properties.putAll(settings);
    Path file = dir.resolve(name);
    try (Writer writer = Files.newBufferedWriter(file)) {
      properties.store(writer, null);
    }
    return file;
  }

  private void format(String clusterId) throws IOException {
    String[] format = {"format", "-t", clusterId, "-c", write("format.properties").toString()};
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    if (StorageTool.execute(format, new PrintStream(said, true, StandardCharsets.UTF_8)) != 0) {
      throw new IOException("formatting failed:\n" + said.toString(StandardCharsets.UTF_8));
    }
  }

  private Process launch() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Jvm.java());
    command.addAll(List.of("-Xms" + HEAP, "-Xmx" + HEAP, "-XX:+UseG1GC"));
    if (product == Product.KAFKA) {
      command.add("-Dlogback.configurationFile=" + dir.resolve("logback.xml"));
    } else {
      command.addAll(
          List.of(
              "-XX:MaxDirectMemorySize=1g",
              "-Dio.netty.tryReflectionSetAccessible=true",
              "-Dio.netty.leakDetection.level=disabled",
              "-Dio.netty.jfr.enabled=false",
              "--add-opens=java.base/java.nio=ALL-UNNAMED"));
    }
    if (!MORE.isEmpty() && settings.getOrDefault("process.roles", "").contains("broker")) {
      command.addAll(List.of(MORE.split(" ")));
    }
    command.addAll(Jvm.classPath());
    command.add(product.main());
    command.add(dir.resolve("server.properties").toString());
    return new ProcessBuilder(command)
        .directory(dir.toFile())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(dir.resolve("node.out").toFile()))
        .start();
  }

  int id() {
    return id;
  }

  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** SIGTERM; waits for its end. */
  void stop() throws IOException, InterruptedException {
    process.destroy();
    if (!process.waitFor(5, TimeUnit.MINUTES)) {
      throw new IOException("node " + id + " does not end");
    }
  }

  /** Starts it again; waits for nothing. */
  void startAgain() throws IOException {
    process = launch();
  }

  /** What it has taken of processors since it was started. */
  double cpuSeconds() throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
  }

  /** What it holds, its garbage collected before. */
  Footprint footprint() throws Exception {
    long residentKb =
        Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status")).stream()
            .filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
            .findFirst()
            .orElse(0);
    return Footprint.of(process.pid(), residentKb);
  }

  /** The sum of a meter over its tags, 0 if there is none; of Strandline's. */
  double metric(String name) throws IOException, InterruptedException {
    URI uri = URI.create("http://" + settings.get("strandline.admin.listener") + "/metrics");
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
        .body()
        .lines()
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  /** All that it said, over all its starts. */
  String output() throws IOException {
    return Files.readString(dir.resolve("node.out"));
  }

  @Override
  public void close() {
    kill();
  }
}
