package io.strandline.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tests of the documentation can fail. */
class PageTest {
  @TempDir Path dir;

  @Test
  void anchorsAreAsSitesMakeThem() {
    Page page =
        page(
            """
            # One `two`: three?
            ## One two three
            ```sh
            # not a heading
            ```
            """);
    assertThat(page.anchors()).containsExactly("one-two-three", "one-two-three-1");
  }

  @Test
  void linksInCodeAreNone() {
    Page page = page("a [b](c.md#d), `[e](f.md)`, [g](https://example.org)\n");
    assertThat(page.links()).isEqualTo(Map.of(1, List.of("c.md#d")));
  }

  @Test
  void codeThatIsIndentedIsSeen() {
    assertThat(page("text\n\n    bin/strandline server\n").indentedCode()).containsExactly(3);
    assertThat(page("1. text\n\n   more text\n").indentedCode()).isEmpty();
  }

  @Test
  void aCommandThatFailsFailsThePage() {
    assertThatThrownBy(() -> run("```sh\necho one\nfalse\n```\n"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("exit code 1")
        .hasMessageContaining("one");
  }

  @Test
  void whatIsShownHasToBePrintedInOrder() throws Exception {
    String commands = "```sh\necho one\necho two; echo 'three  four'\n```\n\n";
    run(commands + "```text\none\n…\nthr… four\n```\n");
    assertThatThrownBy(() -> run(commands + "```text\ntwo\none\n```\n"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("not printed");
  }

  @Test
  void whatSaysWhyItIsNotRunIsNotRun() throws Exception {
    Page page = page("*Not run by the tests: needs AWS.*\n\n```sh\nfalse\n```\n");
    assertThat(PageRun.blocks(page)).isEmpty();
    assertThat(Ledger.notRun(List.of(page))).isEqualTo(Map.of("page.md: needs AWS", 1L));
  }

  @Test
  void namesThatAreNotThereAreFound() throws IOException {
    BuildCommands commands = new BuildCommands();
    assertThat(commands.missing("mvn -pl tests,none -Dtest=PageTest,NoTest -Dnot." + "there=1"))
        .containsExactly("test NoTest", "property not." + "there", "module none");
    assertThat(commands.missing("bench/run --only latency,nowhere-at-all; bench/none"))
        .containsExactly("script bench/none", "workload nowhere-at-all");
  }

  private void run(String text) throws Exception {
    try (PageRun run = new PageRun(page(text), Files.createTempDirectory(dir, "run"))) {
      run.run(1);
    }
  }

  private static Page page(String text) {
    return Page.of("page.md", text.lines().toList());
  }
}
