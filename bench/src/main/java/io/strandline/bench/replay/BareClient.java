package io.strandline.bench.replay;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** {@link BareReads} in a process of its own, so that what it costs can be told. */
public final class BareClient implements AutoCloseable {
  private final Process process;
  private final Writer orders;
  private final BufferedReader answers;

  private BareClient(Process process) {
    this.process = process;
    this.orders = process.outputWriter(StandardCharsets.UTF_8);
    this.answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Whose client gets the objects. */
  public enum Whose {
    /** Nothing of ours: the SDK's own, or plain reads of files. */
    BARE,
    /** The tier's, with its guards, and nothing else of the broker. */
    OWN
  }

  /**
   * @param rangeBytes longest range of one GET
   * @param parallel GETs under way at once
   */
  public static BareClient start(String uri, Whose whose, int rangeBytes, int parallel)
      throws IOException {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xms1g",
            "-Xmx1g",
            "-XX:+UseG1GC",
            "-Dlogback.configurationFile=logback-bench.xml",
            "-cp",
            System.getProperty("java.class.path"),
            BareReads.class.getName(),
            uri,
            whose == Whose.OWN ? "own" : "bare",
            Integer.toString(rangeBytes),
            Integer.toString(parallel));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().putIfAbsent("AWS_ACCESS_KEY_ID", "bench");
    builder.environment().putIfAbsent("AWS_SECRET_ACCESS_KEY", "bench-secret");
    return new BareClient(builder.start());
  }

  public long pid() {
    return process.pid();
  }

  /**
   * Reads every object once.
   *
   * @return their bytes
   */
  public long readAll() throws IOException {
    orders.write("again\n");
    orders.flush();
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the bare client ended");
    }
    return Long.parseLong(answer);
  }

  @Override
  public void close() {
    process.destroy();
  }
}
