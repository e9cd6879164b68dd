package io.strandline.broker.observe;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/**
 * Every meter that a node of ours may tell, with a sentence. What is not in it is not registered,
 * and what is in it is: a test boots a node and compares.
 */
public final class Catalogue {
  private Catalogue() {}

  /**
   * One meter.
   *
   * @param name as Prometheus has it, or the name of an MBean without its tags
   * @param kind counter, gauge, histogram or summary; rate, distribution, timing, gauge or group
   * @param tags what tells several of them apart, with commas; empty for none
   * @param sentence what it tells
   */
  public record Entry(String name, String kind, String tags, String sentence) {
    /** Of those that Prometheus reads. */
    public boolean prometheus() {
      return name.startsWith("strandline_");
    }

    /** Bytes, seconds, or a count; as the name says. */
    public String unit() {
      if (name.contains("_bytes")) {
        return "bytes";
      }
      return name.contains("_seconds") ? "seconds" : "";
    }
  }

  /** All entries, those for Prometheus first, each part in the order of its text. */
  public static List<Entry> entries() {
    try (InputStream in = Catalogue.class.getResourceAsStream("catalogue.txt");
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(Objects.requireNonNull(in), StandardCharsets.UTF_8))) {
      return lines.lines().filter(line -> !line.startsWith("#")).map(Catalogue::entry).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Entry entry(String line) {
    String[] parts = line.split("\\|", 4);
    return new Entry(parts[0], parts[1], parts[2], parts[3]);
  }

  /** The document of all meters, in Markdown. */
  public static String markdown() {
    StringBuilder text = new StringBuilder(HEAD);
    text.append("| name | kind | unit | tags | what it tells |\n|---|---|---|---|---|\n");
    for (Entry entry : entries()) {
      if (entry.prometheus()) {
        row(text, entry.name(), entry.kind(), entry.unit(), entry.tags(), entry.sentence());
      }
    }
    text.append(KAFKA);
    text.append("| name | kind | tags | what it tells |\n|---|---|---|---|\n");
    for (Entry entry : entries()) {
      if (!entry.prometheus()) {
        row(text, entry.name(), entry.kind(), entry.tags(), entry.sentence());
      }
    }
    return text.toString();
  }

  private static void row(StringBuilder text, String name, String... cells) {
    text.append("| `").append(name).append("` |");
    for (String cell : cells) {
      text.append(' ').append(cell).append(cell.isEmpty() ? "|" : " |");
    }
    text.append('\n');
  }

  private static final String HEAD =
      """
      <!-- Generated from the code. To write it anew:
           mvn -q test -pl broker -am -Dtest=CatalogueTest -Dsurefire.failIfNoSpecifiedTests=false -Dstrandline.docs.write=true -->
      # Metrics

      How to read them: [observability.md](observability.md).

      ## Prometheus: `/metrics` of the admin listener

      Beside these, what Micrometer tells of the JVM and the process: `jvm_*`, `process_*`, `system_*`.

      """;

  private static final String KAFKA =
      """

      ## JMX: Kafka's names

      A *rate* has Count, MeanRate, OneMinuteRate, FiveMinuteRate, FifteenMinuteRate; a *distribution* has Count, Min,
      Max, Mean, StdDev and percentiles from 50thPercentile to 999thPercentile of the last minutes; a *timing* has both;
      a *gauge* has Value; a *group* has an attribute for each value. With the tag `topic` there is one for all topics
      too.

      """;
}
