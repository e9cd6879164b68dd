package io.strandline.tests.scale;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** What was measured of each product, in the order of the first, with ratios. */
final class Figures {
  private final Map<String, Map<Product, Double>> all = new LinkedHashMap<>();

  /**
   * @param name with its unit
   */
  void tell(Product product, String name, double value) {
    all.computeIfAbsent(name, any -> new EnumMap<>(Product.class)).put(product, value);
    System.out.printf(Locale.ROOT, "SCALE %s, %s: %.2f%n", product, name, value);
  }

  /** A table for people. */
  String table() {
    StringBuilder table =
        new StringBuilder("| | Strandline | Apache Kafka | ratio |\n|---|---|---|---|\n");
    all.forEach(
        (name, values) -> {
          Double ours = values.get(Product.STRANDLINE);
          Double theirs = values.get(Product.KAFKA);
          table.append(
              String.format(
                  "| %s | %s | %s | %s |%n",
                  name,
                  number(ours),
                  number(theirs),
                  ours == null || theirs == null || theirs == 0
                      ? ""
                      : String.format(Locale.ROOT, "%.2f", ours / theirs)));
        });
    return table.toString();
  }

  private static String number(@org.jspecify.annotations.Nullable Double value) {
    if (value == null) {
      return "";
    }
    return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.0f", value);
  }
}
