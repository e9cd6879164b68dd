package io.strandline.tests.deploy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Programs of this machine, run to their end. */
final class Commands {
  private static final long LIMIT_MINUTES = 4;

  private Commands() {}

  /**
   * How a program ended.
   *
   * @param output both streams, as they came
   */
  record Ended(int exitCode, String output) {}

  static Ended run(Path directory, List<String> command) throws IOException, InterruptedException {
    return run(directory, Map.of(), command);
  }

  /**
   * Runs a program to its end.
   *
   * @param environment more of it
   * @throws IOException when there is no such program, or it does not end
   */
  static Ended run(Path directory, Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile("command", ".out");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .redirectOutput(out.toFile());
      builder.environment().putAll(environment);
      Process process = builder.start();
      if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IOException(command + " did not end: " + Files.readString(out));
      }
      return new Ended(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8));
    } finally {
      Files.deleteIfExists(out);
    }
  }

  /** Whether there is a program of this name on the PATH. */
  static boolean exists(String program) throws IOException, InterruptedException {
    return run(Path.of("/"), List.of("sh", "-c", "command -v " + program)).exitCode() == 0;
  }
}
