package io.strandline.tests.docs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which pages have their commands run, and when; which commands are run nowhere, and why. Read from
 * {@code docs/commands.txt}.
 *
 * @param runs pages, by whether every build runs them
 * @param runbooks pages whose commands are run with their places filled in, in that order
 * @param notRun how many blocks of a page are run nowhere, by page and reason
 */
record Ledger(Map<String, Boolean> runs, List<String> runbooks, Map<String, Long> notRun) {
  static Ledger read() throws IOException {
    Map<String, Boolean> runs = new TreeMap<>();
    List<String> runbooks = new ArrayList<>();
    Map<String, Long> notRun = new TreeMap<>();
    for (String line : lines()) {
      String[] words = line.split(" +", 4);
      switch (words[0]) {
        case "build" -> runs.put(words[1], true);
        case "demand" -> runs.put(words[1], false);
        case "runbook" -> runbooks.add(words[1]);
        case "not" -> notRun.put(words[1] + ": " + words[3], Long.valueOf(words[2]));
        default -> throw new IOException("not understood: " + line);
      }
    }
    return new Ledger(runs, runbooks, notRun);
  }

  private static List<String> lines() throws IOException {
    try (InputStream in = Ledger.class.getResourceAsStream("/docs/commands.txt")) {
      String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      return text.lines().filter(l -> !l.isBlank() && !l.startsWith("#")).toList();
    }
  }

  /** What {@link #notRun} should be, by what the pages say. */
  static Map<String, Long> notRun(List<Page> pages) {
    return pages.stream()
        .flatMap(page -> page.blocks().stream().map(b -> Map.entry(page.name(), b)))
        .filter(entry -> entry.getValue().notRun().isPresent())
        .collect(
            Collectors.groupingBy(
                entry -> entry.getKey() + ": " + entry.getValue().notRun().orElseThrow(),
                TreeMap::new,
                Collectors.counting()));
  }
}
