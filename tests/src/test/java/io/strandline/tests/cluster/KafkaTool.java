package io.strandline.tests.cluster;

import io.strandline.tests.process.Jvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A command of Apache Kafka's, in a process of its own. */
final class KafkaTool {
  private KafkaTool() {}

  /**
   * Runs it to its end and gives what it printed.
   *
   * @param main the class that the script of that name starts
   * @throws IOException if it failed, with what it printed
   */
  static String run(String main, String... arguments) throws IOException, InterruptedException {
    List<String> command = Jvm.command(main, "-Xmx256m");
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(main + " failed:\n" + said);
    }
    return said;
  }
}
