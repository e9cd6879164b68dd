package io.strandline.tests.deploy;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The tar that {@code mvn package} makes, unpacked. */
record Distribution(Path home) {
  /** Of the repository. */
  static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  /** For nodes that live for seconds. */
  static final String QUICK = "-XX:TieredStopAtLevel=1";

  /**
   * Unpacks it below a directory; skips the test where nothing was packaged, as after {@code mvn
   * test} alone.
   */
  static Distribution unpack(Path into) throws IOException, InterruptedException {
    Path tar = made("strandline-.*\\.tar\\.gz");
    Commands.Ended unpacked = Commands.run(into, List.of("tar", "-xzf", tar.toString()));
    if (unpacked.exitCode() != 0) {
      throw new IOException("tar failed: " + unpacked.output());
    }
    try (Stream<Path> entries = Files.list(into)) {
      List<Path> homes =
          entries.filter(e -> e.getFileName().toString().startsWith("strandline-")).toList();
      if (homes.size() != 1) {
        throw new IOException("the tar does not hold one directory: " + homes);
      }
      return new Distribution(homes.get(0));
    }
  }

  /**
   * The newest file of such a name that {@code mvn package} made; skips the test where there is
   * none, or what was compiled since is not in it.
   */
  static Path made(String pattern) throws IOException {
    Optional<Path> newest = Optional.empty();
    Path target = ROOT.resolve("target");
    if (Files.isDirectory(target)) {
      try (Stream<Path> files = Files.list(target)) {
        newest =
            files
                .filter(f -> f.getFileName().toString().matches(pattern))
                .max(Comparator.comparingLong(Distribution::modified));
      }
    }
    assumeTrue(newest.isPresent(), "SKIPPED: no target/" + pattern + " here: mvn package makes it");
    assumeTrue(
        modified(newest.orElseThrow()) >= classesModified(),
        "SKIPPED: target/" + pattern + " is older than the classes: mvn package makes it anew");
    return newest.orElseThrow();
  }

  private static long modified(Path file) {
    return file.toFile().lastModified();
  }

  private static long classesModified() throws IOException {
    long newest = 0;
    for (String module : List.of("cache", "tiering", "replay", "broker", "tools")) {
      try (Stream<Path> all = Files.walk(ROOT.resolve(module).resolve("target/classes"))) {
        newest = Math.max(newest, all.mapToLong(Distribution::modified).max().orElse(0));
      }
    }
    return newest;
  }

  /** The launcher. */
  Path launcher() {
    return bin("strandline");
  }

  /** A command of that name. */
  Path bin(String name) {
    return home.resolve("bin").resolve(name);
  }

  /** One of the examples. */
  Path example(String name) {
    return home.resolve("etc").resolve(name);
  }

  /** The launcher with arguments, to be started. */
  ProcessBuilder command(Path directory, Path out, List<String> arguments) {
    List<String> command =
        Stream.concat(Stream.of(launcher().toString()), arguments.stream()).toList();
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile()));
    builder.environment().put("STRANDLINE_JAVA_OPTS", QUICK);
    return builder;
  }

  /** Ends a node that this test started, in order if it can. */
  static void end(Process node) throws InterruptedException {
    node.destroy();
    if (!node.waitFor(60, TimeUnit.SECONDS)) {
      node.destroyForcibly();
    }
  }
}
