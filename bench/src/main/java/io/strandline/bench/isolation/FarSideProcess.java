package io.strandline.bench.isolation;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * {@link FarSide} as a child, which gives way to all others at once ({@code SCHED_IDLE}): it stands
 * for machines of its own, and what it takes of these processors shall not be laid at the broker's
 * door.
 */
public final class FarSideProcess implements AutoCloseable {
  private final Process process;
  private final Writer orders;
  private final BufferedReader answers;
  private final String uri;

  private FarSideProcess(Process process) throws IOException {
    this.process = process;
    this.orders = process.outputWriter(StandardCharsets.UTF_8);
    this.answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    this.uri = answer();
  }

  /** Starts it and its store. */
  public static FarSideProcess start(Path objects) throws IOException {
    List<String> command =
        List.of(
            "chrt",
            "--idle",
            "0",
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xms1g",
            "-Xmx1g",
            "-XX:+UseParallelGC",
            "-Dlogback.configurationFile=logback-bench.xml",
            "-cp",
            System.getProperty("java.class.path"),
            FarSide.class.getName(),
            objects.toString());
    return new FarSideProcess(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  /** The store as Strandline's configuration names it. */
  public String uri() {
    return uri;
  }

  public long pid() {
    return process.pid();
  }

  public void write(String bootstrap, long bytes) throws IOException {
    ask("write " + bootstrap + " " + bytes);
  }

  /** Replays as fast as it is let; gives bytes a second. */
  public double rate(double seconds) throws IOException {
    return Double.parseDouble(ask("rate " + seconds));
  }

  public void begin(double bytesPerSecond) throws IOException {
    ask("begin " + bytesPerSecond);
  }

  /** Ends the replay; gives the bytes that were read. */
  public long end() throws IOException {
    return Long.parseLong(ask("end"));
  }

  /** Closes all clients of the broker, which may stop after that. */
  public void leave() throws IOException {
    ask("leave");
  }

  private String ask(String order) throws IOException {
    orders.write(order + "\n");
    orders.flush();
    return answer();
  }

  private String answer() throws IOException {
    String line = answers.readLine();
    if (line == null) {
      throw new IOException("the far side ended");
    }
    return line;
  }

  @Override
  public void close() {
    process.destroy();
  }
}
