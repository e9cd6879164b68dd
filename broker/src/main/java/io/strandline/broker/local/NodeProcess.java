package io.strandline.broker.local;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A node of a local cluster in a process of its own: this JVM's program, class path and options. It
 * hears no Ctrl-C, so that it can be stopped in its turn, and ends when this process does.
 */
final class NodeProcess {
  /** Names the process to end with, in the environment of a node. */
  static final String PARENT = "STRANDLINE_PARENT";

  private static final String READY = "Strandline is ready";
  private static final int LOOK_MS = 50;
  private static final int LAST_LINES = 5;

  private final int id;
  private final Path log;
  private final Process process;
  private final long before;

  private NodeProcess(int id, Path log, Process process, long before) {
    this.id = id;
    this.log = log;
    this.process = process;
    this.before = before;
  }

  /**
   * Starts it; does not wait until it serves.
   *
   * @param directory where its log goes
   * @param main the class that a server's process begins with
   */
  static NodeProcess start(int id, Path directory, String main, Map<String, String> settings)
      throws IOException {
    Files.createDirectories(directory);
    Path log = directory.resolve("node.log");
    long before = Files.exists(log) ? Files.size(log) : 0;
    List<String> command = new ArrayList<>();
    // A signal that is ignored when a JVM starts stays ignored.
    command.addAll(List.of("/bin/sh", "-c", "trap '' INT; exec \"$@\"", "node-" + id));
    command.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path", ""), main));
    settings.forEach(
        (key, value) -> {
          command.add("--set");
          command.add(key + "=" + value);
        });
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().put(PARENT, Long.toString(ProcessHandle.current().pid()));
    return new NodeProcess(id, log, builder.start(), before);
  }

  int id() {
    return id;
  }

  Process process() {
    return process;
  }

  /**
   * Waits until it serves.
   *
   * @param limitMs about how long
   * @throws IOException with what it said last, when it ended or did not get there
   */
  void awaitReady(long limitMs) throws IOException, InterruptedException {
    for (long waited = 0; !said().contains(READY); waited += LOOK_MS) {
      if (process.waitFor(LOOK_MS, TimeUnit.MILLISECONDS) || waited > limitMs) {
        List<String> lines = said().lines().toList();
        List<String> last = lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
        throw new IOException(
            "node " + id + " did not come up, see " + log + "\n" + String.join("\n", last));
      }
    }
  }

  /** What it said since this start. */
  private String said() throws IOException {
    byte[] all = Files.readAllBytes(log);
    int from = (int) Math.min(before, all.length);
    return new String(all, from, all.length - from, StandardCharsets.UTF_8);
  }

  /** Asks it to stop. */
  void stop() {
    process.destroy();
  }

  /** Waits until it has ended; ends it the hard way when it takes too long. */
  void awaitEnd(long limitMs) throws InterruptedException {
    if (!process.waitFor(limitMs, TimeUnit.MILLISECONDS)) {
      process.destroyForcibly();
      process.waitFor();
    }
  }
}
