package io.strandline.tests.observe.board;

import io.strandline.broker.observe.Catalogue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.common.protocol.ApiKeys;

/** What a query names, against what a node tells. */
public final class Expression {
  /** Of the JVM and the process, by Micrometer; another test sees that a node tells them. */
  public static final Set<String> PROCESS =
      Set.of(
          "jvm_memory_used_bytes",
          "jvm_gc_pause_seconds_sum",
          "process_files_open_files",
          "process_files_max_files",
          "process_cpu_usage");

  private static final Set<String> OF_THE_SCRAPE = Set.of("cluster", "instance", "job");
  private static final Pattern METER =
      Pattern.compile("(\\w+\\()?\\b((?:strandline|jvm|process)_\\w+|up)\\b(?:\\{([^}]*)})?(\\[)?");
  private static final Pattern MATCHER = Pattern.compile("(\\w+)(=~|!~|!=|=)\"([^\"]*)\"");
  private static final Pattern GROUPING = Pattern.compile("(?:by|on) \\(([^)]*)\\)");
  private static final Map<String, Catalogue.Entry> KNOWN =
      Catalogue.entries().stream()
          .filter(Catalogue.Entry::prometheus)
          .collect(Collectors.toMap(Catalogue.Entry::name, entry -> entry));

  private Expression() {}

  /** What is wrong with it; empty if nothing is. */
  static List<String> complaints(String expr) {
    List<String> complaints = new ArrayList<>();
    Set<String> labels = new TreeSet<>(OF_THE_SCRAPE);
    labels.add("le");
    Matcher meters = METER.matcher(expr);
    boolean any = false;
    while (meters.find()) {
      any = true;
      String name = meters.group(2);
      if (PROCESS.contains(name) || name.equals("up")) {
        labels.add("area");
        continue;
      }
      Catalogue.Entry entry = KNOWN.get(name.replaceAll("_(bucket|count|sum)$", ""));
      if (entry == null) {
        entry = KNOWN.get(name);
      }
      if (entry == null) {
        complaints.add(name + " is told by no node");
        continue;
      }
      Set<String> own = new TreeSet<>(Arrays.asList(entry.tags().split(", ", -1)));
      labels.addAll(own);
      boolean counts = entry.kind().equals("counter") || !name.equals(entry.name());
      String function = String.valueOf(meters.group(1));
      if (counts != (function.equals("rate(") || function.equals("increase("))) {
        complaints.add(name + " is a " + entry.kind() + ": rate() is for what counts, and only it");
      }
      matchers(String.valueOf(meters.group(3)), own, complaints);
    }
    if (!any) {
      complaints.add("names no meter");
    }
    Matcher groupings = GROUPING.matcher(expr);
    while (groupings.find()) {
      for (String label : groupings.group(1).split(", ", -1)) {
        if (!labels.contains(label)) {
          complaints.add("no meter in it has the label " + label);
        }
      }
    }
    return complaints;
  }

  private static void matchers(String within, Set<String> own, List<String> complaints) {
    Matcher matchers = MATCHER.matcher(within);
    while (matchers.find()) {
      String label = matchers.group(1);
      if (!own.contains(label) && !OF_THE_SCRAPE.contains(label)) {
        complaints.add("no label " + label);
      }
      if (label.equals("api")) {
        Pattern wanted = Pattern.compile(matchers.group(3));
        if (Arrays.stream(ApiKeys.values()).noneMatch(api -> wanted.matcher(api.name).matches())) {
          complaints.add("no API is called " + wanted);
        }
      }
    }
  }
}
