package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** An example of {@code deploy/terraform}, copied, with the state of what was applied beside it. */
final class Terraform {
  private static final Path SOURCES = Distribution.ROOT.resolve("deploy").resolve("terraform");
  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          "TF_IN_AUTOMATION",
          "1",
          "CHECKPOINT_DISABLE",
          "1",
          "TF_CLI_CONFIG_FILE",
          "/dev/null",
          "STRANDLINE_JAVA_OPTS",
          Distribution.QUICK);

  private final Path root;
  private final Map<String, String> variables = new LinkedHashMap<>();

  private Terraform(Path root) {
    this.root = root;
  }

  /** Skips the test where there is no terraform. */
  static void require() throws IOException, InterruptedException {
    require(Commands.exists("terraform"), "no terraform on the PATH");
  }

  /**
   * Skips the test where something is not there that it needs, or fails it where {@code
   * STRANDLINE_CI_TERRAFORM=required} says that it has to be.
   */
  static void require(boolean there, String otherwise) {
    if ("required".equals(System.getenv("STRANDLINE_CI_TERRAFORM"))) {
      assertThat(there).as(otherwise).isTrue();
    }
    assumeTrue(there, "SKIPPED: " + otherwise);
  }

  /** Copies an example and the modules, and initializes it. */
  static Terraform example(String name, Path into) throws IOException, InterruptedException {
    for (String part : List.of("modules", "examples")) {
      copy(SOURCES.resolve(part), into.resolve(part));
    }
    Terraform terraform = new Terraform(into.resolve("examples").resolve(name));
    terraform.run("init", "-input=false");
    return terraform;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path each : all.toList()) {
        Path target = to.resolve(from.relativize(each).toString());
        if (Files.isDirectory(each)) {
          Files.createDirectories(target);
        } else {
          Files.copy(each, target);
        }
      }
    }
  }

  /** Sets a variable for all that comes. */
  void set(String variable, String value) {
    variables.put("TF_VAR_" + variable, value);
  }

  /** What apply and destroy say. */
  String apply() throws IOException, InterruptedException {
    return run("apply", "-auto-approve", "-input=false");
  }

  String destroy() throws IOException, InterruptedException {
    return run("destroy", "-auto-approve", "-input=false");
  }

  /** Whether a plan finds something to do. */
  boolean plansChanges() throws IOException, InterruptedException {
    Commands.Ended plan = terraform("plan", "-detailed-exitcode", "-input=false");
    assertThat(plan.exitCode()).as(plan.output()).isIn(0, 2);
    return plan.exitCode() == 2;
  }

  /** An output that is a string. */
  String output(String name) throws IOException, InterruptedException {
    Commands.Ended ended =
        Commands.run(root, environment(), List.of("terraform", "output", "-raw", name));
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    return ended.output();
  }

  /** An output of whatever type, as JSON. */
  String json(String name) throws IOException, InterruptedException {
    Commands.Ended ended =
        Commands.run(root, environment(), List.of("terraform", "output", "-json", name));
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    return ended.output();
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    Commands.Ended ended = terraform(arguments);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    return ended.output();
  }

  private Commands.Ended terraform(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("terraform"));
    command.addAll(List.of(arguments));
    command.add("-no-color");
    return Commands.run(root, environment(), command);
  }

  private Map<String, String> environment() {
    Map<String, String> all = new LinkedHashMap<>(ENVIRONMENT);
    all.putAll(variables);
    return all;
  }
}
