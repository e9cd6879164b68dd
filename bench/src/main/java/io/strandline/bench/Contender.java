package io.strandline.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;

/** A broker under measurement, in a process of its own. */
enum Contender {
  STRANDLINE {
    @Override
    List<String> command(Path dir, int port, int controllerPort) throws IOException {
      Path config = dir.resolve("server.properties");
      Files.writeString(
          config,
          "listeners=PLAINTEXT://127.0.0.1:"
              + port
              + "\nlog.dirs="
              + dir.resolve("data")
              + "\n"
              + "strandline.admin.listener=127.0.0.1:0\n");
      return List.of("io.strandline.broker.Main", config.toString());
    }
  },
  KAFKA {
    @Override
    List<String> command(Path dir, int port, int controllerPort)
        throws IOException, InterruptedException {
      Path config = dir.resolve("server.properties");
      Files.writeString(
          config,
          """
          process.roles=broker,controller
          node.id=1
          listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d
          controller.listener.names=CONTROLLER
          listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
          controller.quorum.voters=1@127.0.0.1:%d
          offsets.topic.replication.factor=1
          group.initial.rebalance.delay.ms=0
          log.dirs=%s
          """
              .formatted(port, controllerPort, controllerPort, dir.resolve("data")));
      Process format =
          java(
              dir,
              "format.out",
              List.of(
                  "kafka.tools.StorageTool",
                  "format",
                  "-t",
                  "AAAAAAAAAAAAAAAAAAAAAQ",
                  "-c",
                  config.toString()));
      if (format.waitFor() != 0) {
        throw new IOException(Files.readString(dir.resolve("format.out")));
      }
      return List.of("kafka.Kafka", config.toString());
    }
  };

  private static final String HEAP = System.getProperty("bench.heap", "1g");

  /** Main class and arguments, after whatever preparation the broker wants. */
  abstract List<String> command(Path dir, int port, int controllerPort)
      throws IOException, InterruptedException;

  /** Starts it on free ports with empty data, and waits until it answers. */
  Running start(Path dir) throws IOException, InterruptedException {
    Files.createDirectories(dir);
    int port = freePort();
    long begun = System.nanoTime();
    Process process = java(dir, "broker.out", command(dir, port, freePort()));
    Running running = new Running(this, process, "127.0.0.1:" + port);
    try (Admin admin = Admin.create(java.util.Map.of("bootstrap.servers", running.bootstrap()))) {
      while (admin.describeCluster().nodes().get(60, TimeUnit.SECONDS).isEmpty()) {
        process.waitFor(10, TimeUnit.MILLISECONDS);
      }
    } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
      process.destroyForcibly();
      throw new IOException(
          name() + " did not come up: " + Files.readString(dir.resolve("broker.out")), e);
    }
    running.readySeconds = (System.nanoTime() - begun) / 1e9;
    return running;
  }

  private static Process java(Path dir, String out, List<String> command) throws IOException {
    List<String> line = new java.util.ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(
        List.of(
            "-Xms" + HEAP,
            "-Xmx" + HEAP,
            "-XX:+UseG1GC",
            "-cp",
            System.getProperty("java.class.path")));
    line.addAll(command);
    return new ProcessBuilder(line)
        .directory(dir.toFile())
        .redirectErrorStream(true)
        .redirectOutput(dir.resolve(out).toFile())
        .start();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** One that serves. */
  static final class Running implements AutoCloseable {
    private final Contender contender;
    private final Process process;
    private final String bootstrap;
    private double readySeconds;

    Running(Contender contender, Process process, String bootstrap) {
      this.contender = contender;
      this.process = process;
      this.bootstrap = bootstrap;
    }

    Contender contender() {
      return contender;
    }

    String bootstrap() {
      return bootstrap;
    }

    /** From the start of the process to the first answer. */
    double readySeconds() {
      return readySeconds;
    }

    /** User and system time of the process so far, as the kernel counts it. */
    double cpuSeconds() {
      return process.info().totalCpuDuration().orElseThrow().toNanos() / 1e9;
    }

    /** Resident memory in bytes, as the kernel counts it. */
    long residentBytes() throws IOException {
      for (String line :
          Files.readAllLines(Path.of("/proc", String.valueOf(process.pid()), "status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
      throw new IOException("no VmRSS for " + process.pid());
    }

    @Override
    public void close() {
      process.destroy();
      try {
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
          process.destroyForcibly();
        }
      } catch (InterruptedException e) {
        process.destroyForcibly();
        Thread.currentThread().interrupt();
      }
    }
  }
}
