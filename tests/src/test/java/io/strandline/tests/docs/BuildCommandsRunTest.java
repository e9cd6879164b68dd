package io.strandline.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The documentation's commands that build, test and measure, typed in a clone of the last commit:
 * {@code -Dbuilds=all}, or a pattern of those that are wanted: {@code -Dbuilds=bench/run}. They are
 * made short as {@code docs/builds.txt} says. A test has to run and pass, a measurement has to
 * print figures.
 */
@EnabledIfSystemProperty(named = "builds", matches = ".+")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BuildCommandsRunTest {
  private static final int MINUTES = 30;
  private static final String ASKED = System.getProperty("builds", "");
  private static final Pattern RULE = Pattern.compile("^(as|with|not) +(.+?)(?: \\| (.+))?$");
  private static final Pattern TESTS_RUN =
      Pattern.compile(
          "Tests run: (\\d+), Failures: 0, Errors: 0, Skipped: (\\d+)$", Pattern.MULTILINE);

  private static final Pattern COLOURS = Pattern.compile("\u001b\\[[0-9;]*m");

  /** A line of a table, or of JMH's. */
  private static final Pattern FIGURE =
      Pattern.compile("^\\| [^|]*\\| [~0-9]| (thrpt|avgt) .*[0-9]", Pattern.MULTILINE);

  private Path scratch;
  private Path clone;
  private Places places;

  static Collection<String> commands() throws IOException {
    Set<String> commands = new LinkedHashSet<>();
    Pattern wanted = Pattern.compile(ASKED.equals("all") ? "" : ASKED);
    for (Page page : Page.all()) {
      for (String command : BuildCommands.typed(page)) {
        Rule rule = Rule.of(command);
        if (!rule.kind().equals("not") && wanted.matcher(command).find()) {
          commands.add((command + " " + rule.rest()).strip());
        }
      }
    }
    return commands;
  }

  @BeforeAll
  void begin(@TempDir Path dir) throws Exception {
    scratch = dir;
    clone = scratch.resolve("clone");
    shell(scratch, "git clone -q " + Page.ROOT + " " + clone);
    Map<String, String> values = new HashMap<>();
    values.put("DIR", Files.createDirectories(scratch.resolve("dir")).toString());
    values.put("FILE", scratch.resolve("results").toString());
    values.put("N", "1");
    String base = System.getProperty("builds.base");
    if (base != null) {
      values.put("tar://BASE", "tar://" + base);
    }
    places = new Places(values);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void works(String command) throws Exception {
    String filled = places.fill(command);
    assumeFalse(filled.contains("tar://BASE"), "needs -Dbuilds.base=FILE");
    String printed = shell(clone, filled);
    if (filled.contains("-Dtest=") && !filled.contains(" -q ")) {
      assertThat(TESTS_RUN.matcher(printed).results().mapToInt(BuildCommandsRunTest::ran).sum())
          .as("tests that were not skipped in %n%s", printed)
          .isPositive();
    }
    if (filled.contains("bench/run") || filled.contains("bench/jmh")) {
      assertThat(printed).containsPattern(FIGURE);
    }
  }

  private static int ran(MatchResult tests) {
    return Integer.parseInt(tests.group(1)) - Integer.parseInt(tests.group(2));
  }

  /** Types a command; what it printed. */
  private String shell(Path directory, String command) throws IOException, InterruptedException {
    Path out = Files.createTempFile(scratch, "out", "");
    Process shell =
        new ProcessBuilder("bash", "-eo", "pipefail", "-c", command)
            .directory(directory.toFile())
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    if (!shell.waitFor(MINUTES, TimeUnit.MINUTES)) {
      List<ProcessHandle> all = new ArrayList<>(shell.descendants().toList());
      all.add(shell.toHandle());
      all.forEach(ProcessHandle::destroyForcibly);
    }
    int code = shell.waitFor();
    String printed = COLOURS.matcher(Files.readString(out)).replaceAll("");
    assertThat(code).as("%s%n%s", command, printed).isZero();
    return printed;
  }

  /**
   * How a command is typed.
   *
   * @param kind {@code as}, {@code with} or {@code not}
   * @param rest what is put behind it, or why it is not typed
   */
  private record Rule(String kind, Pattern pattern, String rest) {
    static Rule of(String command) throws IOException {
      return all().stream()
          .filter(rule -> rule.pattern().matcher(command).find())
          .findFirst()
          .orElseThrow();
    }

    private static List<Rule> all() throws IOException {
      try (InputStream in = Rule.class.getResourceAsStream("/docs/builds.txt")) {
        String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        return text.lines().filter(line -> !line.startsWith("#")).map(Rule::read).toList();
      }
    }

    private static Rule read(String line) {
      MatchResult words = RULE.matcher(line).results().findFirst().orElseThrow();
      return new Rule(
          words.group(1),
          Pattern.compile(words.group(2).strip()),
          Objects.requireNonNullElse(words.group(3), ""));
    }
  }
}
