package io.strandline.tests.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Commands that build, test or measure the repository itself. To run them in every build would be
 * to run the build within the build, so what they name is looked for there: test classes, system
 * properties, modules, scripts, workloads and benchmarks. {@link BuildCommandsRunTest} types them.
 */
final class BuildCommands {
  private static final Pattern FIRST =
      Pattern.compile("(?:\\S+=\\S+ +)*(mvn|bench/|tests/|deploy/image/|\\.ci/).*");
  private static final Pattern TESTS = Pattern.compile("-Dtest='?([\\w,*#]+)'?");
  private static final Pattern PROPERTY = Pattern.compile("-D([a-z0-9]+(?:\\.[a-z0-9]+)+)");
  private static final Pattern MODULES = Pattern.compile("-pl ([\\w,/]+)");
  private static final Pattern SCRIPT =
      Pattern.compile("(?:^|\\s)((?:bench|tests|deploy/image|\\.ci)/[\\w./-]+)");
  private static final Pattern WORKLOADS = Pattern.compile("--only '?([\\w,-]+)");
  private static final Pattern BENCHMARKS = Pattern.compile("bench/jmh '?([\\w|]+)");
  private static final Pattern SPAN = Pattern.compile("`([^`]+)`");
  private static final Pattern SYNOPSIS = Pattern.compile("\\[|\\.\\.\\.|…");
  private static final Set<String> MAVENS =
      Set.of("surefire.failIfNoSpecifiedTests", "surefire.timeout");

  private final Set<String> classes = new HashSet<>();
  private final String sources;
  private final String bench;

  /** Reads what there is to name. */
  BuildCommands() throws IOException {
    // The image's settings are Maven's alone.
    StringBuilder text =
        new StringBuilder(Files.readString(Page.ROOT.resolve("deploy/image/pom.xml")));
    int ofOthers = 0;
    for (String module :
        List.of("cache", "tiering", "replay", "broker", "tools", "tests", "bench")) {
      ofOthers = text.length();
      try (Stream<Path> files = Files.walk(Page.ROOT.resolve(module).resolve("src"))) {
        for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
          String name = file.getFileName().toString();
          classes.add(name.substring(0, name.length() - ".java".length()));
          text.append(Files.readString(file));
        }
      }
    }
    this.sources = text.toString();
    this.bench = sources.substring(ofOthers).replace("start-up", "start up");
  }

  /** Whether all commands of a block are such. */
  static boolean is(Page.Block block) {
    return block.isCommands() && commands(block).stream().allMatch(c -> FIRST.matcher(c).matches());
  }

  private static List<String> commands(Page.Block block) {
    return String.join("\n", block.text())
        .replaceAll("\\\\\n", " ")
        .lines()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .toList();
  }

  /**
   * Such commands as a reader would type them: a line of a block each, without what is a comment,
   * and code in the text that has arguments.
   */
  static List<String> typed(Page page) {
    Stream<String> blocks =
        page.blocks().stream()
            .filter(block -> block.notRun().isEmpty() && is(block))
            .flatMap(block -> commands(block).stream());
    Stream<String> spans =
        page.prose().values().stream()
            .flatMap(line -> SPAN.matcher(line).results().map(found -> found.group(1)))
            .filter(code -> FIRST.matcher(code).matches() && code.contains(" "))
            .filter(code -> !SYNOPSIS.matcher(code).find());
    return Stream.concat(blocks, spans)
        .map(command -> command.replaceAll("\\s+#.*", "").strip())
        .distinct()
        .toList();
  }

  /** Such commands anywhere in a page's lines, in code spans and tables too. */
  static List<String> in(Page page) {
    return page.lines().stream()
        .filter(
            line ->
                Stream.of(
                        "mvn ",
                        "-Dtest=",
                        "bench/run",
                        "bench/jmh",
                        "tests/",
                        "deploy/image/",
                        ".ci/")
                    .anyMatch(line::contains))
        .toList();
  }

  /** What a line names and is not there. */
  List<String> missing(String line) {
    List<String> missing = new ArrayList<>();
    for (String test : all(TESTS, line, ",")) {
      String name = test.replaceAll("#.*", "");
      Pattern pattern = Pattern.compile(name.replace("*", ".*"));
      if (classes.stream().noneMatch(c -> pattern.matcher(c).matches())) {
        missing.add("test " + name);
      }
    }
    for (String property : all(PROPERTY, line, ",")) {
      if (line.contains("mvn") && !MAVENS.contains(property) && !sources.contains(property)) {
        missing.add("property " + property);
      }
    }
    for (String module : all(MODULES, line, ",")) {
      if (!Files.exists(Page.ROOT.resolve(module).resolve("pom.xml"))) {
        missing.add("module " + module);
      }
    }
    for (String script : all(SCRIPT, line, " ")) {
      if (!Files.exists(Page.ROOT.resolve(script))) {
        missing.add("script " + script);
      }
    }
    missing.addAll(missingInBench(line));
    return missing;
  }

  private List<String> missingInBench(String line) {
    List<String> missing = new ArrayList<>();
    for (String workload : all(WORKLOADS, line, ",")) {
      if (line.contains("bench/run") && !bench.contains(workload.replace('-', ' '))) {
        missing.add("workload " + workload);
      }
    }
    for (String benchmark : all(BENCHMARKS, line, "\\|")) {
      if (classes.stream().noneMatch(c -> c.contains(benchmark))) {
        missing.add("benchmark " + benchmark);
      }
    }
    return missing;
  }

  private static List<String> all(Pattern pattern, String line, String separator) {
    List<String> found = new ArrayList<>();
    Matcher matcher = pattern.matcher(line);
    while (matcher.find()) {
      found.addAll(List.of(matcher.group(1).split(separator)));
    }
    return found.stream().filter(name -> !name.isEmpty()).collect(Collectors.toList());
  }
}
