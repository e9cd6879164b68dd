package io.strandline.tests.observe.board;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The files below {@code deploy/observability} are what the code makes; what they name is told by a
 * node; and Prometheus' own tool takes them, where there is one. To write them anew: {@code mvn -q
 * -Dquick test -pl tests -am -Dtest=ObservabilityFilesTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dstrandline.docs.write=true}.
 */
class ObservabilityFilesTest {
  private static final Path HERE = Path.of("..", "deploy", "observability");
  private static final Path RULES = HERE.resolve("prometheus").resolve("alerts.yaml");
  private static final Path TESTS = HERE.resolve("prometheus").resolve("alerts.test.yaml");

  private static Map<Path, String> files() {
    Map<Path, String> files = new LinkedHashMap<>();
    for (Dashboard board : Dashboards.all()) {
      files.put(HERE.resolve("grafana").resolve(board.file() + ".json"), board.json());
    }
    files.put(RULES, Alerts.rules());
    files.put(TESTS, Alerts.tests());
    return files;
  }

  @Test
  void theFilesAreWhatTheCodeMakes() throws IOException {
    for (Map.Entry<Path, String> file : files().entrySet()) {
      if (Boolean.getBoolean("strandline.docs.write")) {
        Files.createDirectories(file.getKey().getParent());
        Files.writeString(file.getKey(), file.getValue());
      }
      assertThat(Files.readString(file.getKey()))
          .as("%s is stale: the test's docstring says how to write it anew", file.getKey())
          .isEqualTo(file.getValue());
    }
    try (Stream<Path> boards = Files.list(HERE.resolve("grafana"))) {
      assertThat(boards).as("dashboards that nothing makes").allMatch(files()::containsKey);
    }
  }

  @Test
  void allThatTheyNameIsToldByANode() {
    Dashboards.all()
        .forEach(
            board ->
                board
                    .exprs()
                    .forEach(
                        expr ->
                            assertThat(Expression.complaints(expr))
                                .as("%s: %s", board.file(), expr)
                                .isEmpty()));
    Alerts.all()
        .forEach(
            alert ->
                assertThat(Expression.complaints(alert.expr()))
                    .as("%s: %s", alert.name(), alert.expr())
                    .isEmpty());
  }

  @Test
  void whatNoNodeTellsWouldBeNoticed() {
    assertThat(Expression.complaints("strandline_no_such > 0")).hasSize(1);
    assertThat(Expression.complaints("strandline_store_away{kind=\"x\"}")).hasSize(1);
    assertThat(Expression.complaints("sum by (kind) (strandline_store_away)")).hasSize(1);
    assertThat(Expression.complaints("rate(strandline_store_away[5m])")).hasSize(1);
    assertThat(Expression.complaints("strandline_replay_bytes_total > 1")).hasSize(1);
    assertThat(
            Expression.complaints(
                "rate(strandline_request_time_seconds_bucket{api=\"PRODUCE\"}[5m])"))
        .hasSize(1);
    assertThat(Expression.complaints("1 + 1")).hasSize(1);
  }

  @Test
  void namesAreThereOnce() {
    assertThat(Alerts.all())
        .extracting(alert -> alert.name() + alert.severity())
        .doesNotHaveDuplicates();
    assertThat(Alerts.all()).extracting(Alert::name).allMatch(n -> n.startsWith("Strandline"));
    assertThat(Dashboards.all()).extracting(Dashboard::file).doesNotHaveDuplicates();
  }

  @Test
  void whatMayBeBelowZeroIsNotCutOffThere() throws IOException {
    List<String> signed = new ArrayList<>();
    for (Dashboard board : Dashboards.all()) {
      for (JsonNode panel : new ObjectMapper().readTree(board.json()).get("panels")) {
        boolean difference =
            panel.findValuesAsText("expr").stream().anyMatch(expr -> expr.contains("} - "));
        if (difference) {
          signed.add(panel.get("title").asText());
          assertThat(panel.at("/fieldConfig/defaults").has("min")).as("%s", panel).isFalse();
        }
      }
    }
    assertThat(signed).containsExactly("Clock against Prometheus");
  }

  /** As docs/observability.md says it: then no link of an alert is a path. */
  @Test
  void theRunbooksAddressesAreMadeWholeByOneCommand(@TempDir Path dir) throws Exception {
    Path copy = Files.createDirectories(dir.resolve("deploy/observability/prometheus"));
    for (Path file : List.of(RULES, TESTS)) {
      Files.copy(file, copy.resolve(file.getFileName()));
    }
    Matcher command =
        Pattern.compile("`(sed -i [^`]*)`")
            .matcher(Files.readString(Path.of("..", "docs", "observability.md")));
    assertThat(command.find()).isTrue();
    run(dir, "bash", "-c", "cd '" + dir + "' && " + command.group(1));
    for (Path file : List.of(RULES, TESTS)) {
      assertThat(Files.readAllLines(copy.resolve(file.getFileName())))
          .filteredOn(line -> line.contains("runbook_url"))
          .isNotEmpty()
          .allMatch(line -> line.matches(" *runbook_url: https://\\S+/docs/runbooks/[a-z-]+\\.md"));
    }
  }

  /** Each rule is parsed, and fires by the series that it is for, with the words it is to say. */
  @Test
  void promtoolTakesTheRulesAndEachFires(@TempDir Path dir) throws Exception {
    String promtool = System.getenv().getOrDefault("PROMTOOL", "promtool");
    assumeThat(there(promtool)).as("promtool on the PATH, or named by PROMTOOL").isTrue();
    assertThat(run(dir, promtool, "check", "rules", RULES.toString())).contains("rules found");
    assertThat(run(dir, promtool, "test", "rules", TESTS.toString())).contains("SUCCESS");
    // A dashboard's query is one of Prometheus once Grafana has put its variables in.
    StringBuilder queries = new StringBuilder("groups:\n  - name: q\n    rules:\n");
    int number = 0;
    for (Dashboard board : Dashboards.all()) {
      for (String expr : board.exprs()) {
        String asked = expr.replace("$__rate_interval", "5m").replace("$instance", ".*");
        queries.append("      - record: q:").append(number++);
        queries.append("\n        expr: '").append(asked).append("'\n");
      }
    }
    Path file = Files.writeString(dir.resolve("queries.yaml"), queries);
    assertThat(run(dir, promtool, "check", "rules", file.toString()))
        .contains(number + " rules found");
  }

  private static boolean there(String promtool) throws InterruptedException {
    try {
      return new ProcessBuilder(promtool, "--version").start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static String run(Path dir, String... command) throws Exception {
    Path out = Files.createTempFile(dir, "promtool", ".out");
    Process process =
        new ProcessBuilder(List.of(command))
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    int code = process.waitFor();
    String said = Files.readString(out, StandardCharsets.UTF_8);
    assertThat(code).as(said).isZero();
    return said;
  }
}
