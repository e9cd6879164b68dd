package io.strandline.tests.docs;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a reader puts in the place of the words in capitals.
 *
 * @param values by place: {@code HOST:PORT}, or more of the command around it, which then comes
 *     first
 */
record Places(Map<String, String> values) {
  /** These with others, some perhaps instead. */
  Places with(Map<String, String> others) {
    Map<String, String> all = new HashMap<>(values);
    all.putAll(others);
    return new Places(all);
  }

  /** A command as its reader would type it. */
  String fill(String command) {
    List<String> longestFirst =
        values.keySet().stream()
            .sorted(Comparator.comparingInt(String::length).reversed())
            .toList();
    String filled = command;
    for (String place : longestFirst) {
      filled =
          Pattern.compile("(?<![\\w/-])" + Pattern.quote(place) + "(?!\\w)")
              .matcher(filled)
              .replaceAll(Matcher.quoteReplacement(values.getOrDefault(place, "")));
    }
    return filled;
  }
}
