package io.strandline.tests.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.Jvm;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The command {@code strandline tier restore cluster}, which the launcher hands to the broker. */
final class RestoreRun {
  private RestoreRun() {}

  /**
   * Runs the command to its end, which must be a good one.
   *
   * @return what it printed, by line
   */
  static List<String> run(Path scratch, Map<String, String> environment, String... options)
      throws Exception {
    List<String> command = Jvm.command("io.strandline.broker.Main", "-Xmx256m");
    command.add("restore-cluster");
    command.addAll(List.of(options));
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(scratch.toFile()).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said.lines().toList();
  }
}
