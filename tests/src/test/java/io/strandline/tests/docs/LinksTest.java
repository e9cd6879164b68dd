package io.strandline.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every link to a page, a heading or a file of the repository leads there; no page is lost. */
class LinksTest {
  private static final String INDEX = "docs/README.md";
  private static Map<String, Page> pages = Map.of();

  @BeforeAll
  static void read() throws IOException {
    pages = Page.all().stream().collect(Collectors.toMap(Page::name, Function.identity()));
  }

  @Test
  void everyLinkLeadsSomewhere() {
    List<String> dead = new ArrayList<>();
    for (Page page : pages.values()) {
      page.links()
          .forEach(
              (line, links) ->
                  links.forEach(
                      link ->
                          trouble(page, link)
                              .ifPresent(
                                  what -> dead.add(page.name() + ":" + line + " " + link + what))));
    }
    assertThat(dead).isEmpty();
  }

  @Test
  void theIndexNamesEveryPageOfTheDocs() {
    Page index = pages.getOrDefault(INDEX, new Page(INDEX, List.of(), List.of()));
    Set<String> named = new HashSet<>();
    index.links().values().forEach(links -> links.forEach(link -> named.add(target(index, link))));
    assertThat(named)
        .containsAll(
            pages.keySet().stream()
                .filter(name -> name.startsWith("docs/") && !name.equals(INDEX))
                .toList());
  }

  private static Optional<String> trouble(Page page, String link) {
    String target = target(page, link);
    if (!Files.exists(Page.ROOT.resolve(target))) {
      return Optional.of(": there is no " + target);
    }
    int hash = link.indexOf('#');
    Page other = pages.get(target);
    if (hash < 0) {
      return Optional.empty();
    }
    return other != null && other.anchors().contains(link.substring(hash + 1))
        ? Optional.empty()
        : Optional.of(": " + target + " has no such heading");
  }

  /** The file that a link of a page names, as a path from the root. */
  private static String target(Page page, String link) {
    String file = link.contains("#") ? link.substring(0, link.indexOf('#')) : link;
    if (file.isEmpty()) {
      return page.name();
    }
    Path from = Path.of("/" + page.name());
    return from.resolveSibling(file).normalize().toString().substring(1);
  }
}
