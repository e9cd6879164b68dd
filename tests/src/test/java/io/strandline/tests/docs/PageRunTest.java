package io.strandline.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The commands of pages, run: those that a newcomer meets in every build; with {@code
 * -Ddocs.pages=all} all of them, or those named: {@code -Ddocs.pages=docs/operations.md}.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class PageRunTest {
  private static final int MINUTES = 3;

  @TempDir Path dir;

  static Stream<String> pages() throws IOException {
    String asked = System.getProperty("docs.pages", "");
    Map<String, Boolean> runs = Ledger.read().runs();
    if (!asked.isEmpty() && !asked.equals("all")) {
      return Stream.of(asked.split(","));
    }
    return runs.entrySet().stream()
        .filter(page -> asked.equals("all") || page.getValue())
        .map(Map.Entry::getKey);
  }

  @ParameterizedTest
  @MethodSource("pages")
  void doesWhatItSays(String name) throws Exception {
    Page page = Page.of(name);
    List<Page.Block> blocks = PageRun.blocks(page);
    try (PageRun run = new PageRun(page, dir)) {
      run.run(MINUTES);
      assertThat(run.output()).hasSameSizeAs(blocks);
    }
  }
}
