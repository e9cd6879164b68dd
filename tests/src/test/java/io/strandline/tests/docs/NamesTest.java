package io.strandline.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Settings and meters of ours that a page names are in the generated references. */
class NamesTest {
  private static final Pattern SETTING = Pattern.compile("\\bstrandline(\\.[a-z0-9]+)+\\b(?![(-])");
  private static final Pattern METER = Pattern.compile("\\bstrandline_[a-z_]*[a-z]");

  /**
   * Names that look like settings and are none: files, features, packages, keys that tools write.
   */
  private static final Set<String> OTHERS =
      Set.of(
          "strandline.service",
          "strandline.properties",
          "strandline.store",
          "strandline.broker",
          "strandline.replay.job",
          "strandline.tests.simulation",
          "strandline.tests.fuzz",
          "strandline.origin",
          "strandline.restore.generation");

  @Test
  void settingsAndMetersAreThere() throws IOException {
    List<Page> pages = Page.all();
    String settings = text("docs/configuration.md");
    Set<String> meters = all(METER, text("docs/metrics.md")).stream().collect(Collectors.toSet());
    List<String> unknown = new ArrayList<>();
    for (Page page : pages) {
      for (String name : all(SETTING, String.join("\n", page.lines()))) {
        boolean meter = meters.stream().anyMatch(m -> m.startsWith(name.replace('.', '_')));
        if (!meter && !settings.contains("`" + name + "`") && !isOther(name, settings)) {
          unknown.add(page.name() + ": " + name);
        }
      }
      for (String name : all(METER, String.join("\n", page.lines()))) {
        if (meters.stream()
            .noneMatch(m -> m.startsWith(name.replaceAll("_(count|sum|bucket)$", "")))) {
          unknown.add(page.name() + ": " + name);
        }
      }
    }
    assertThat(unknown).isEmpty();
  }

  /** The beginning of several settings is a name too. */
  private static boolean isOther(String name, String settings) {
    return OTHERS.contains(name) || settings.contains("`" + name + ".");
  }

  private static String text(String page) throws IOException {
    return String.join("\n", Page.of(page).lines());
  }

  private static List<String> all(Pattern pattern, String text) {
    List<String> found = new ArrayList<>();
    Matcher matcher = pattern.matcher(text);
    while (matcher.find()) {
      found.add(matcher.group());
    }
    return found;
  }
}
