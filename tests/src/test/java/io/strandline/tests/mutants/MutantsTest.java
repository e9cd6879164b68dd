package io.strandline.tests.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every mutant still says what it takes out, names a test that is there, and applies. */
class MutantsTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path TESTS = Path.of("src/test/java/io/strandline/tests");

  static List<Path> mutants() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("mutants"))) {
      List<Path> patches = files.filter(f -> f.toString().endsWith(".patch")).sorted().toList();
      assertThat(patches).hasSizeGreaterThan(10);
      return patches;
    }
  }

  @ParameterizedTest
  @MethodSource("mutants")
  void applies(Path patch) throws IOException {
    String file = "";
    List<String> before = new ArrayList<>();
    for (String line : Files.readAllLines(patch)) {
      if (line.startsWith("--- a/")) { // the end of the file before
        requireIn(file, before);
        before.clear();
        file = "";
      } else if (line.startsWith("+++ b/")) {
        file = line.substring(6);
      } else if (line.startsWith("@@")) {
        requireIn(file, before);
        before.clear();
      } else if (!file.isEmpty() && !line.startsWith("+") && !line.isEmpty()) {
        before.add(line.substring(1));
      }
    }
    requireIn(file, before);
    assertThat(before).as("hunks").isNotEmpty();
  }

  private static void requireIn(String file, List<String> before) throws IOException {
    if (!before.isEmpty()) {
      assertThat(Files.readString(ROOT.resolve(file)))
          .as(file)
          .containsOnlyOnce(String.join("\n", before) + "\n");
    }
  }

  @ParameterizedTest
  @MethodSource("mutants")
  void saysWhatItTakesOutAndWhoFindsIt(Path patch) throws IOException {
    List<String> lines = Files.readAllLines(patch);
    assertThat(patch.getFileName()).hasToString(lines.get(0) + ".patch");
    assertThat(lines.get(1)).startsWith("Takes out: ").endsWith(".");
    assertThat(lines.get(2)).startsWith("Must fail: ");
    String[] test = lines.get(2).substring("Must fail: ".length()).split("#", 2);
    try (Stream<Path> files = Files.walk(TESTS)) {
      Path found = files.filter(f -> f.endsWith(test[0] + ".java")).findFirst().orElseThrow();
      assertThat(Files.readString(found)).contains("void " + (test.length > 1 ? test[1] : ""));
    }
  }
}
