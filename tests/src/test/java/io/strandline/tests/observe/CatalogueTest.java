package io.strandline.tests.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.observe.Catalogue;
import io.strandline.tests.observe.board.Expression;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.management.ObjectInstance;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The catalogue against a node that wrote, tiered, released and read back. */
@Timeout(120)
class CatalogueTest {
  /** There only once something went wrong, or compaction ran. */
  private static final Set<String> ON_OCCASION =
      Set.of(
          "strandline_listener_certificate_expires_seconds", // of listeners with TLS
          "strandline_log_clean_kept_bytes_total",
          "strandline_log_clean_read_bytes_total",
          "strandline_log_invalid_batches_total",
          "strandline_replay_failures_total",
          "strandline_replay_retries_total",
          "strandline_request_errors_total");

  private static final Pattern TYPE = Pattern.compile("# TYPE (strandline_\\w+) (\\w+)");
  private static final Pattern SAMPLE = Pattern.compile("(strandline_\\w+)\\{(.*)} \\S+");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"[^\"]*\"");

  @Test
  void whatANodeTellsIsInTheCatalogueAndTheOtherWayRound(@TempDir Path dir) throws Exception {
    try (Watched node = new Watched(dir, Map.of())) {
      node.create("history", 1, Map.of("segment.bytes", "1048576", "local.retention.bytes", "1"));
      node.produce("history", 3_000, 1_000);
      Watched.await(
          "segments to be tiered and released",
          () -> node.sum("strandline_tiering_released_bytes_total").orElse(0) > 0);
      assertThat(node.consume("history", "readers", 3_000)).isEqualTo(3_000);
      assertThat(node.sum("strandline_replay_bytes_total").orElse(0))
          .as("bytes read from the tier")
          .isPositive();

      prometheus(node.get("/metrics").body());
      System.gc();
      Watched.await(
          "what dashboards name beside the catalogue",
          () -> Expression.PROCESS.stream().allMatch(name -> told(node, name)));
      Watched.await("Kafka's classes to give names back", () -> mbeans().containsAll(named()));
      assertThat(mbeans()).as("told of what is in the catalogue").isEqualTo(named());
    }
  }

  private static boolean told(Watched node, String name) {
    try {
      return node.sum(name).isPresent();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void prometheus(String scrape) {
    Map<String, String> known =
        Catalogue.entries().stream()
            .filter(Catalogue.Entry::prometheus)
            .collect(Collectors.toMap(Catalogue.Entry::name, Catalogue.Entry::kind));
    Map<String, String> told =
        TYPE.matcher(scrape)
            .results()
            .collect(Collectors.toMap(match -> match.group(1), match -> match.group(2)));
    assertThat(known).as("the catalogue").containsAllEntriesOf(told);
    Set<String> untold = new TreeSet<>(known.keySet());
    untold.removeAll(told.keySet());
    untold.removeAll(ON_OCCASION);
    assertThat(untold).as("in the catalogue, but not told").isEmpty();
    Catalogue.entries().stream()
        .filter(entry -> told.containsKey(entry.name()))
        .forEach(entry -> labels(entry, scrape));
  }

  private static void labels(Catalogue.Entry entry, String scrape) {
    Set<String> found = new TreeSet<>();
    for (String line : scrape.lines().toList()) {
      Matcher sample = SAMPLE.matcher(line);
      if (sample.matches() && of(sample.group(1)).equals(entry.name())) {
        LABEL.matcher(sample.group(2)).results().forEach(label -> found.add(label.group(1)));
      }
    }
    found.remove("le");
    assertThat(found).as(entry.name()).isEqualTo(words(entry.tags()));
  }

  /** The meter that a sample is part of. */
  private static String of(String sample) {
    return sample.replaceAll("_(bucket|count|sum)$", "");
  }

  private static Set<String> words(String tags) {
    return new TreeSet<>(List.of(tags.isEmpty() ? new String[0] : tags.split(", ")));
  }

  private static Set<String> named() {
    return Catalogue.entries().stream()
        .filter(entry -> !entry.prometheus())
        .map(Catalogue.Entry::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> mbeans() throws Exception {
    Map<String, Catalogue.Entry> known =
        Catalogue.entries().stream()
            .filter(entry -> !entry.prometheus())
            .collect(Collectors.toMap(Catalogue.Entry::name, entry -> entry));
    Set<String> seen = new TreeSet<>();
    for (ObjectInstance bean :
        ManagementFactory.getPlatformMBeanServer().queryMBeans(new ObjectName("kafka.*:*"), null)) {
      if (bean.getClassName().startsWith("io.strandline.")) {
        String name = withoutTags(bean.getObjectName());
        seen.add(name);
        assertThat(known).as("the catalogue").containsKey(name);
        Set<String> tags = new TreeSet<>(bean.getObjectName().getKeyPropertyList().keySet());
        tags.removeAll(Set.of("type", "name"));
        assertThat(words(known.get(name).tags())).as(name).containsAll(tags);
      }
    }
    return seen;
  }

  private static String withoutTags(ObjectName name) {
    String meter = name.getKeyProperty("name");
    return name.getDomain()
        + ":type="
        + name.getKeyProperty("type")
        + (meter == null ? "" : ",name=" + meter);
  }
}
