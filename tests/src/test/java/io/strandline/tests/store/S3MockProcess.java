package io.strandline.tests.store;

import io.strandline.tests.process.Jvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Adobe S3Mock in a process of its own, on a loopback port of the kernel's choice. It checks no
 * signature, and of writers that race more than one may win.
 */
public final class S3MockProcess implements AutoCloseable {
  private static final Pattern STARTED =
      Pattern.compile("Tomcat started on ports .* (\\d+) \\(http\\)");
  private static final Path HOME = Path.of("target", "s3mock").toAbsolutePath();
  private static final Path SOURCES = Path.of("src", "test", "s3mock").toAbsolutePath();

  private final Path data;
  private final String bucket;
  private Process process;
  private int port;

  private S3MockProcess(Path data, String bucket) throws IOException, InterruptedException {
    this.data = data;
    this.bucket = bucket;
    this.process = launch();
    this.port = portOrEnd();
  }

  /** Starts a server with an empty bucket; its jars are resolved by Maven the first time. */
  public static S3MockProcess start(Path data, String bucket)
      throws IOException, InterruptedException {
    return new S3MockProcess(data, bucket);
  }

  private Process launch() throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Jvm.java());
    command.addAll(List.of("-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.add(Jvm.temporaryFilesIn(data.resolveSibling(data.getFileName() + ".tmp")));
    command.addAll(List.of("-cp", classPath()));
    command.addAll(List.of("-Dhttp.port=" + port, "-Dserver.port=0", "-Dserver.address=127.0.0.1"));
    command.add("-Dcom.adobe.testing.s3mock.store.root=" + data);
    command.add("-Dcom.adobe.testing.s3mock.store.retain-files-on-exit=true");
    command.add("-Dcom.adobe.testing.s3mock.store.initial-buckets=" + bucket);
    command.add(SOURCES.resolve("LoopbackS3Mock.java").toString());
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  private int portOrEnd() throws IOException {
    try {
      return awaitPort(process);
    } catch (IOException | RuntimeException e) {
      process.destroyForcibly();
      throw e;
    }
  }

  /** It hangs: connections stay, nothing is answered. */
  public void freeze() throws IOException, InterruptedException {
    signal("STOP");
  }

  public void thaw() throws IOException, InterruptedException {
    signal("CONT");
  }

  private void signal(String name) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    if (kill.waitFor() != 0) {
      throw new IOException("kill -" + name + " failed");
    }
  }

  /**
   * It is gone: connections are refused, requests under way end without an answer. What it stored
   * stays. It writes what it knows of objects in place, and one file cut short makes it answer 500
   * for ever, as no store does that others rely on: so it is killed when none is being written.
   */
  public void kill() throws IOException, InterruptedException {
    freeze();
    while (!frozen() || writing()) {
      thaw();
      LockSupport.parkNanos(20_000_000L);
      freeze();
    }
    process.destroyForcibly();
    process.waitFor();
  }

  /** Whether the system has come to stop it. */
  private boolean frozen() throws IOException {
    for (int tries = 0; tries < 100; tries++) {
      String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
      if (stat.charAt(stat.lastIndexOf(')') + 2) == 'T') {
        return true;
      }
      LockSupport.parkNanos(1_000_000L);
    }
    return false;
  }

  private boolean writing() throws IOException {
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".json")).toList()) {
        if (!Files.readString(file).strip().endsWith("}")) {
          return true;
        }
      }
      return false;
    }
  }

  /**
   * After {@link #kill}: the same port, the same objects.
   *
   * @throws IOException if it does not answer a listing
   */
  public void startAgain() throws IOException, InterruptedException {
    process = launch();
    port = portOrEnd();
    URI listing = URI.create(endpoint() + "/" + bucket + "?list-type=2");
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(HttpRequest.newBuilder(listing).build(), HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException("S3Mock is damaged: " + answer.statusCode() + " " + answer.body());
    }
  }

  public String endpoint() {
    return "http://127.0.0.1:" + port;
  }

  /** Reads what it says until it says its port, and then for as long as it lives. */
  private static int awaitPort(Process process) throws IOException {
    BufferedReader output = process.inputReader();
    StringBuilder said = new StringBuilder();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      said.append(line).append('\n');
      Matcher started = STARTED.matcher(line);
      if (started.find()) {
        Thread drain = new Thread(() -> output.lines().forEach(ignored -> {}), "s3mock-output");
        drain.setDaemon(true);
        drain.start();
        return Integer.parseInt(started.group(1));
      }
    }
    throw new IOException("S3Mock ended:\n" + said);
  }

  private static String classPath() throws IOException, InterruptedException {
    SortedMap<String, String> versions = new TreeMap<>();
    for (String name : List.of("s3mock.version", "springboot.version")) {
      versions.put(name, Objects.requireNonNull(System.getProperty(name), name));
    }
    Path file = HOME.resolve("classpath-" + String.join("-", versions.values()));
    if (!Files.exists(file)) {
      Files.createDirectories(HOME);
      Path fresh = Files.createTempFile(HOME, "classpath", "");
      resolve(versions, fresh);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return Files.readString(file).strip();
  }

  private static void resolve(SortedMap<String, String> versions, Path to)
      throws IOException, InterruptedException {
    String home = System.getProperty("maven.home");
    List<String> command = new ArrayList<>();
    command.add(home == null ? "mvn" : Path.of(home, "bin", "mvn").toString());
    command.addAll(List.of("-B", "-q", "-f", SOURCES.resolve("pom.xml").toString()));
    versions.forEach((name, version) -> command.add("-D" + name + "=" + version));
    if (System.getProperty("maven.mode", "").equals("offline=true")) {
      command.add("-o");
    }
    String repository = System.getProperty("maven.repository");
    if (repository != null) {
      command.add("-Dmaven.repo.local=" + repository);
    }
    command.add("dependency:build-classpath");
    command.add("-DincludeScope=runtime");
    command.add("-Dmdep.outputFile=" + to);
    Path log = HOME.resolve("resolve.log");
    Process maven =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    if (maven.waitFor() != 0) {
      throw new IOException("cannot resolve S3Mock: " + Files.readString(log));
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
