package io.strandline.tests.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.DoubleStream;

/**
 * A broker in a process of its own, with its data in a directory that outlives it. The class path
 * is the test's; the entry point is the one the launcher starts.
 */
public final class BrokerProcess implements AutoCloseable {
  private static final Duration READY = Duration.ofSeconds(180);
  private static final Duration STOPPED = Duration.ofSeconds(60);
  private static final Duration ADMIN = Duration.ofSeconds(30);

  private final Path dir;
  private final Map<String, String> settings;
  private final Map<String, String> environment;
  private final int port;
  private final int adminPort;
  private Process process;
  private int starts;

  private BrokerProcess(
      Path dir, int port, Map<String, String> settings, Map<String, String> environment)
      throws IOException {
    this.dir = dir;
    this.settings = new LinkedHashMap<>(settings);
    this.environment = Map.copyOf(environment);
    this.port = port;
    this.adminPort = Ports.free();
    this.process = launch();
  }

  /**
   * Starts a node that may have to wait for others, and waits for nothing.
   *
   * @param port where clients find it, as its {@code listeners} say
   * @param settings as after {@code --set}
   */
  public static BrokerProcess launch(Path dir, int port, Map<String, String> settings)
      throws IOException {
    return launch(dir, port, settings, Map.of());
  }

  /** The same with more in the environment of the process. */
  public static BrokerProcess launch(
      Path dir, int port, Map<String, String> settings, Map<String, String> environment)
      throws IOException {
    return new BrokerProcess(dir, port, settings, environment);
  }

  /**
   * Starts a broker on a free port of the loopback address and waits until it serves.
   *
   * @param settings as after {@code --set}
   */
  public static BrokerProcess start(Path dir, Map<String, String> settings) throws IOException {
    return start(dir, settings, Map.of());
  }

  /** The same with more in the environment of the process. */
  public static BrokerProcess start(
      Path dir, Map<String, String> settings, Map<String, String> environment) throws IOException {
    BrokerProcess broker = new BrokerProcess(dir, Ports.free(), settings, environment);
    broker.awaitReady();
    return broker;
  }

  /**
   * Starts a broker that is to refuse its start, and waits for its end.
   *
   * @return the exit code, and all that it said
   */
  public static Refusal startRefused(
      Path dir, Map<String, String> settings, Map<String, String> environment) throws IOException {
    BrokerProcess broker = new BrokerProcess(dir, Ports.free(), settings, environment);
    try (broker) {
      broker.await(STOPPED);
      return new Refusal(broker.process.exitValue(), broker.output());
    }
  }

  /** How a start ended that was no start. */
  public record Refusal(int exitCode, String output) {
    /** What it told the operator, beside its log. */
    public List<String> said() {
      return output.lines().filter(line -> line.startsWith("strandline: ")).toList();
    }
  }

  public String bootstrap() {
    return "127.0.0.1:" + port;
  }

  public Path dir() {
    return dir;
  }

  /** No goodbye: what the page cache holds is all that is left. */
  public void kill() throws IOException {
    process.destroyForcibly();
    await(STOPPED);
  }

  /** It stands still, and its sockets with it, until it is resumed. */
  public void pause() throws IOException, InterruptedException {
    signal("STOP");
  }

  public void resume() throws IOException, InterruptedException {
    signal("CONT");
  }

  /** Its threads, among what it says. */
  public void dumpThreads() throws IOException, InterruptedException {
    signal("QUIT");
  }

  private void signal(String name) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    if (kill.waitFor() != 0) {
      throw new IOException("kill -" + name + " failed");
    }
  }

  /** SIGTERM, and it is not waited for. */
  public void terminate() throws IOException, InterruptedException {
    signal("TERM");
  }

  /** SIGTERM, as an operator stops it. */
  public int stop() throws IOException {
    process.destroy();
    await(STOPPED);
    return process.exitValue();
  }

  /** For the next start. */
  public void set(String key, String value) {
    settings.put(key, value);
  }

  public void startAgain() throws IOException {
    launchAgain();
    awaitReady();
  }

  /** Starts it again, which it is to refuse; gives what it told the operator. */
  public List<String> startAgainRefused() throws IOException {
    launchAgain();
    await(STOPPED);
    return new Refusal(process.exitValue(), output()).said();
  }

  /** Starts it again and waits for nothing. */
  public void launchAgain() throws IOException {
    process = launch();
  }

  /** Starts it and kills it while it comes up, unless it ends by itself before. */
  public void startAndKillAfter(Duration time) throws IOException {
    process = launch();
    try {
      process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    kill();
  }

  public boolean alive() {
    return process.isAlive();
  }

  /** An answer of the admin endpoint. */
  public record AdminAnswer(int status, String body) {}

  /** Asks the admin endpoint; fails if that does not answer in time. */
  public AdminAnswer admin(String path) throws IOException {
    URI uri = URI.create("http://127.0.0.1:" + adminPort + path);
    try {
      HttpResponse<String> answer =
          HttpClient.newBuilder()
              .connectTimeout(ADMIN)
              .build()
              .send(
                  HttpRequest.newBuilder(uri).timeout(ADMIN).build(),
                  HttpResponse.BodyHandlers.ofString());
      return new AdminAnswer(answer.statusCode(), answer.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /**
   * The sum of a meter over its tags.
   *
   * @throws IllegalStateException if there is no meter of that name
   */
  public double metric(String name) throws IOException {
    double[] values = values(name);
    if (values.length == 0) {
      throw new IllegalStateException("no meter is named " + name);
    }
    return DoubleStream.of(values).sum();
  }

  /** The sum of a meter that is there only once there is something to tell, 0 before. */
  public double metricOrZero(String name) throws IOException {
    return DoubleStream.of(values(name)).sum();
  }

  private double[] values(String name) throws IOException {
    return admin("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .toArray();
  }

  public long pid() {
    return process.pid();
  }

  /** Memory that the process holds now, in kB. */
  public long residentKb() throws IOException {
    return status("VmRSS:");
  }

  /** The most memory that the process ever held since this start, in kB. */
  public long peakResidentKb() throws IOException {
    return status("VmHWM:");
  }

  private long status(String field) throws IOException {
    return Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status")).stream()
        .filter(line -> line.startsWith(field))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElse(0);
  }

  /** Files, sockets and the like that the process has open. */
  public int openFiles() {
    String[] open = new java.io.File("/proc/" + process.pid() + "/fd").list();
    return open == null ? 0 : open.length;
  }

  /** All that the process said, over all its starts. */
  public String output() throws IOException {
    return Files.readString(dir.resolve("broker.out"), StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    if (process.isAlive()) {
      kill();
    }
  }

  private Process launch() throws IOException {
    Files.createDirectories(dir);
    starts = (int) readyLines(dir.resolve("broker.out")) + 1;
    ProcessBuilder builder =
        new ProcessBuilder(command())
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(dir.resolve("broker.out").toFile()));
    builder.environment().putAll(environment);
    return builder.start();
  }

  /** Waits until it serves; fails when it ends before. */
  public void awaitReady() throws IOException {
    Path out = dir.resolve("broker.out");
    long deadline = System.nanoTime() + READY.toNanos();
    while (readyLines(out) < starts) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        process.destroyForcibly();
        throw new IOException("the broker did not come up:\n" + Files.readString(out));
      }
      pause(process);
    }
  }

  private List<String> command() throws IOException {
    String temporary = Jvm.temporaryFilesIn(dir.resolve("tmp"));
    List<String> command = Jvm.command("io.strandline.broker.Main", "-Xmx512m", temporary);
    settings()
        .forEach(
            (key, value) -> {
              command.add("--set");
              command.add(key + "=" + value);
            });
    return command;
  }

  /** All that it is started with. */
  public Map<String, String> settings() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("listeners", "PLAINTEXT://" + bootstrap());
    all.put("log.dirs", dir.resolve("data").toString());
    all.put("strandline.tier.gather.ms", "0");
    all.put("strandline.tier.upload.min.bytes", "0");
    all.put("group.initial.rebalance.delay.ms", "0");
    all.put("strandline.admin.listener", "127.0.0.1:" + adminPort);
    all.putAll(settings);
    return all;
  }

  private static long readyLines(Path out) throws IOException {
    if (!Files.exists(out)) {
      return 0;
    }
    return Files.readAllLines(out, StandardCharsets.UTF_8).stream()
        .filter(line -> line.startsWith("Strandline is ready"))
        .count();
  }

  private void await(Duration limit) throws IOException {
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException("the broker did not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Waits a little, or until the process ends. */
  private static void pause(Process process) {
    try {
      process.waitFor(50, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new IOException("interrupted", e));
    }
  }
}
