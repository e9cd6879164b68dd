package io.strandline.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * No command of the documentation is forgotten: each is run, or says visibly why not, or builds and
 * measures the repository itself and names what is there. {@link PageRunTest} runs them.
 */
class CommandsTest {
  /** Of fences; {@code sh} are commands, {@code text} what they print. */
  private static final Set<String> LANGUAGES =
      Set.of("sh", "text", "properties", "java", "mermaid", "json", "yaml", "hcl");

  private static List<Page> pages = List.of();

  @BeforeAll
  static void read() throws IOException {
    pages = Page.all();
  }

  @Test
  void codeStandsInFencesThatNameItsLanguage() {
    List<String> found = new ArrayList<>();
    for (Page page : pages) {
      page.indentedCode().forEach(line -> found.add(page.name() + ":" + line + " is indented"));
      page.blocks().stream()
          .filter(block -> !LANGUAGES.contains(block.language()))
          .forEach(
              block ->
                  found.add(page.name() + ":" + block.line() + " is '" + block.language() + "'"));
    }
    assertThat(found).as("a command in any other form would escape these tests").isEmpty();
  }

  @Test
  void commandsAreOfPagesThatAreRunOrSayWhyNot() throws IOException {
    Ledger ledger = Ledger.read();
    Set<String> with =
        pages.stream()
            .filter(page -> !PageRun.blocks(page).isEmpty())
            .map(Page::name)
            .collect(Collectors.toSet());
    Set<String> run = new TreeSet<>(ledger.runs().keySet());
    run.addAll(ledger.runbooks());
    assertThat(with).isEqualTo(run);
  }

  @Test
  void whatIsNotRunIsOnTheList() throws IOException {
    assertThat(Ledger.notRun(pages)).isEqualTo(Ledger.read().notRun());
  }

  @Test
  void commandsOfTheBuildNameWhatIsThere() throws IOException {
    BuildCommands commands = new BuildCommands();
    List<String> missing = new ArrayList<>();
    for (Page page : pages) {
      for (String line : BuildCommands.in(page)) {
        commands
            .missing(line)
            .forEach(what -> missing.add(page.name() + ": there is no " + what + ": " + line));
      }
    }
    assertThat(missing).isEmpty();
  }

  @Test
  void commandsInCommentsOfOtherFilesNameWhatIsThere() throws IOException {
    BuildCommands commands = new BuildCommands();
    List<String> missing = new ArrayList<>();
    for (Page head : Heads.all()) {
      missing.addAll(Heads.missing(head));
      for (String line : BuildCommands.in(head)) {
        commands
            .missing(line)
            .forEach(what -> missing.add(head.name() + ": there is no " + what + ": " + line));
      }
    }
    assertThat(missing).isEmpty();
  }

  @Test
  void whatCommentsNameAndIsNotThereWouldBeNoticed() throws IOException {
    Page wrong =
        Page.of(
            "deploy/terraform/examples/local/main.tf",
            List.of(
                "   docker compose -f deploy/compose/no-such.yaml exec broker-1 strandline no-such",
                "   /opt/strandline/bin/strandline nothing --config /opt/strandline/etc/no.properties",
                "   terraform apply -var none=1 && terraform output -json never"));
    assertThat(Heads.missing(wrong))
        .extracting(what -> what.replaceAll(".* no ", ""))
        .containsExactlyInAnyOrder(
            "file deploy/compose/no-such.yaml",
            "file etc/no.properties",
            "verb no-such",
            "verb nothing",
            "variable none",
            "output never");
  }
}
