package io.strandline.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that was measured: for each figure, in the order of first mention, each contender's
 * values. May be kept in a file, one tab-separated line a value, so that a table can grow from
 * several invocations.
 */
final class Figures {
  private final Map<String, Map<String, List<Double>>> values = new LinkedHashMap<>();
  private final Optional<Path> file;

  Figures(Optional<Path> file) throws IOException {
    this.file = file;
    if (file.isPresent() && Files.exists(file.get())) {
      for (String line : Files.readAllLines(file.get())) {
        String[] fields = line.split("\t");
        hold(fields[0], fields[1], Double.parseDouble(fields[2]));
      }
    }
  }

  void note(String figure, String contender, double value) throws IOException {
    hold(figure, contender, value);
    System.err.printf(Locale.ROOT, "%-45s %-20s %12.3f%n", figure, contender, value);
    if (file.isPresent()) {
      Files.writeString(
          file.get(),
          figure + "\t" + contender + "\t" + value + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    }
  }

  private void hold(String figure, String contender, double value) {
    values
        .computeIfAbsent(figure, f -> new LinkedHashMap<>())
        .computeIfAbsent(contender, c -> new ArrayList<>())
        .add(value);
  }

  /**
   * One Markdown table: medians, the lowest and highest in brackets, and our median as a part of
   * the other's. Where somebody else than {@code other} was measured beside us, the cell names him.
   */
  String table(String ours, String other) {
    StringBuilder table = new StringBuilder();
    table.append(String.format("| figure | %s | %s | ratio |%n|---|---|---|---|%n", ours, other));
    values.forEach(
        (figure, by) -> {
          String rival =
              by.keySet().stream().filter(c -> !c.equals(ours)).findFirst().orElse(other);
          List<Double> left = by.getOrDefault(ours, List.of());
          List<Double> right = by.getOrDefault(rival, List.of());
          String name = rival.equals(other) ? "" : rival + ": ";
          table.append(
              String.format(
                  "| %s | %s | %s | %s |%n",
                  figure, spread(left), name + spread(right), ratio(left, right)));
        });
    return table.toString();
  }

  private static String ratio(List<Double> left, List<Double> right) {
    return left.isEmpty() || right.isEmpty()
        ? "–"
        : String.format(Locale.ROOT, "%.2f", median(left) / median(right));
  }

  private static String spread(List<Double> values) {
    if (values.isEmpty()) {
      return "–";
    }
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.size() == 1
        ? text(sorted.get(0))
        : text(median(sorted))
            + " ("
            + text(sorted.get(0))
            + "–"
            + text(sorted.get(sorted.size() - 1))
            + ")";
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int half = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(half)
        : (sorted.get(half - 1) + sorted.get(half)) / 2;
  }

  /** Three digits that matter. */
  private static String text(double value) {
    return String.format(Locale.ROOT, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
  }
}
