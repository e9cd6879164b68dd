package io.strandline.tests.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A command line tool in a process of its own; the entry point is the one the launcher starts. */
public final class ToolProcess {
  private ToolProcess() {}

  /** What a tool printed, by line, and how it ended. */
  public record Ended(int exitCode, List<String> out, String err) {}

  /**
   * Runs a tool to its end.
   *
   * @param environment more of it
   */
  public static Ended run(Path scratch, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    Path err = Files.createTempFile(scratch, "tool", ".err");
    ProcessBuilder builder = command(scratch, arguments).redirectError(err.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int exitCode = process.waitFor();
    return new Ended(exitCode, out.lines().toList(), Files.readString(err));
  }

  /** Runs a tool to its end whose standard output is a file, which may be a device. */
  static Ended runInto(Path scratch, Path out, String... arguments)
      throws IOException, InterruptedException {
    Path err = Files.createTempFile(scratch, "tool", ".err");
    Process process =
        command(scratch, arguments)
            .redirectError(err.toFile())
            .redirectOutput(out.toFile())
            .start();
    return new Ended(process.waitFor(), List.of(), Files.readString(err));
  }

  /** Starts a tool whose standard output the caller reads. */
  static Process startRead(Path scratch, String... arguments) throws IOException {
    Path err = Files.createTempFile(scratch, "tool", ".err");
    return command(scratch, arguments).redirectError(err.toFile()).start();
  }

  /** Starts a tool that the caller ends; what it prints goes into a file. */
  public static Process start(Path scratch, String... arguments) throws IOException {
    Path out = Files.createTempFile(scratch, "tool", ".out");
    return command(scratch, arguments)
        .redirectErrorStream(true)
        .redirectOutput(out.toFile())
        .start();
  }

  private static ProcessBuilder command(Path scratch, String... arguments) throws IOException {
    List<String> command =
        Jvm.command(
            "io.strandline.tools.Main",
            "-Xmx256m",
            Jvm.temporaryFilesIn(scratch.resolve("tmp")),
            "-Dlogback.configurationFile=logback-tools.xml");
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }
}
