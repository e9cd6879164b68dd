package io.strandline.tests.observe.board;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.ConfigKeys;
import io.strandline.broker.observe.Catalogue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each alert has a runbook, whole, whose commands, meters, settings and links there are. */
class RunbooksTest {
  private static final Path BOOKS = Path.of("..", "docs", "runbooks");
  private static final List<String> SECTIONS =
      List.of("What it means", "Impact", "Confirm", "Mend", "Prevent");
  private static final Pattern METER =
      Pattern.compile("\\b(?:strandline|process|jvm)_\\w+", Pattern.CASE_INSENSITIVE);
  private static final Pattern KEY = Pattern.compile("`(strandline\\.[a-z.]+)`");
  private static final Pattern LINK = Pattern.compile("]\\(([^)#]+)\\)");
  private static final Pattern INLINE =
      Pattern.compile("`((?:bin/strandline|kafka-\\w+\\.sh|systemctl|journalctl)[^`]*)`");

  static Stream<Path> books() throws IOException {
    return Files.list(BOOKS).sorted();
  }

  @Test
  void eachAlertHasOneAndNoneIsLeftOver() throws IOException {
    Set<String> wanted =
        Alerts.all().stream()
            .map(alert -> alert.runbook() + ".md")
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(books().map(book -> book.getFileName().toString()))
        .containsExactlyElementsOf(wanted);
  }

  @ParameterizedTest
  @MethodSource("books")
  void aRunbookHasAllSectionsAndSaysSomethingInEach(Path book) throws IOException {
    List<String> parts = List.of(Files.readString(book).split("(?m)^## ", -1));
    assertThat(parts.get(0)).startsWith("# ");
    assertThat(parts.stream().skip(1).map(part -> part.lines().findFirst().orElse("")))
        .containsExactlyElementsOf(SECTIONS);
    assertThat(parts.stream().skip(1)).allMatch(part -> part.strip().lines().count() > 1);
  }

  @ParameterizedTest
  @MethodSource("books")
  void whatItNamesIsThere(Path book) throws IOException {
    String text = Files.readString(book);
    Set<String> meters =
        Catalogue.entries().stream().map(Catalogue.Entry::name).collect(Collectors.toSet());
    meters.addAll(Expression.PROCESS);
    assertThat(all(METER, text, 0)).as("meters").isSubsetOf(meters);
    assertThat(all(KEY, text, 1)).as("settings").isSubsetOf(ConfigKeys.TABLE.configKeys().keySet());
    assertThat(all(LINK, text, 1))
        .as("links")
        .allMatch(link -> Files.exists(book.resolveSibling(link)));
  }

  @ParameterizedTest
  @MethodSource("books")
  void itsCommandsAreSuchAsThereAre(Path book) throws IOException {
    List<String> commands = new ArrayList<>(all(INLINE, Files.readString(book), 1));
    boolean within = false;
    for (String line : Files.readAllLines(book)) {
      boolean fence = line.strip().startsWith("```");
      if (within && !fence) {
        commands.add(line);
      }
      within ^= fence;
    }
    assertThat(commands).isNotEmpty();
    for (String command : commands) {
      assertThat(KnownCommands.complaint(command)).as(command).isEmpty();
    }
  }

  @Test
  void whatThereIsNotWouldBeNoticed() throws IOException {
    for (String wrong :
        List.of(
            "bin/strandline doctor --no-such",
            "bin/strandline no-such",
            "bin/strandline balance --drain",
            "bin/strandline tier restore cluster --no-such",
            "kafka-topics.sh --bootstrap-server HOST:PORT --describe --under-min-isr",
            "kafka-cluster.sh no-such",
            "curl -s HOST:9644/no-such",
            "no-such --help")) {
      assertThat(KnownCommands.complaint(wrong)).as(wrong).isPresent();
    }
  }

  private static Set<String> all(Pattern pattern, String text, int group) {
    Matcher matcher = pattern.matcher(text);
    return matcher
        .results()
        .map((MatchResult match) -> match.group(group))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
