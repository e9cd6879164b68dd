package io.strandline.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Rows of data, as a table for people or as one JSON object a line for programs. */
final class Printer {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(names = "--json", description = "Print one JSON object a line.")
  private boolean json;

  private final List<Map<String, @Nullable Object>> rows = new ArrayList<>();

  /**
   * Adds a row.
   *
   * @param cells name, value, name, value…; every row of one printer has the same names in the same
   *     order
   */
  void row(@Nullable Object... cells) {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    for (int i = 0; i < cells.length; i += 2) {
      row.put(String.valueOf(cells[i]), cells[i + 1]);
    }
    if (json) {
      line(row);
    } else {
      rows.add(row);
    }
  }

  /** A row for programs alone: people are told in sentences. */
  void item(@Nullable Object... cells) {
    if (json) {
      row(cells);
    }
  }

  /** A sentence for people; left out of JSON. */
  void say(String sentence) {
    if (!json) {
      spec.commandLine().getOut().println(sentence);
    }
  }

  /**
   * One thing with many facts: a fact a line for people, one JSON object for programs.
   *
   * @param facts name, value, name, value…; names in camel case, which people see as words
   */
  void facts(@Nullable Object... facts) {
    if (json) {
      row(facts);
      return;
    }
    int width = 0;
    for (int i = 0; i < facts.length; i += 2) {
      width = Math.max(width, words(facts[i]).length());
    }
    for (int i = 0; i < facts.length; i += 2) {
      say(join(List.of(words(facts[i]), text(facts[i + 1])), new int[] {width, 0}));
    }
  }

  /** The last word: a sentence under the table for people, an object of its own in JSON. */
  void total(String sentence, @Nullable Object... cells) {
    if (json) {
      row(cells);
    }
    flush();
    say(sentence);
    flush();
  }

  /** Prints the table that the rows so far make. */
  void flush() {
    if (!rows.isEmpty()) {
      table();
      rows.clear();
    }
    spec.commandLine().getOut().flush();
  }

  private void line(Map<String, @Nullable Object> row) {
    try {
      spec.commandLine().getOut().println(JSON.writeValueAsString(row));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a row that is no JSON: " + row, e);
    }
  }

  private void table() {
    String[] names = rows.get(0).keySet().toArray(String[]::new);
    int[] widths = Arrays.stream(names).mapToInt(String::length).toArray();
    for (Map<String, @Nullable Object> row : rows) {
      for (int i = 0; i < names.length; i++) {
        widths[i] = Math.max(widths[i], text(row.get(names[i])).length());
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(join(Arrays.stream(names).map(n -> n.toUpperCase(Locale.ROOT)).toList(), widths));
    for (Map<String, @Nullable Object> row : rows) {
      out.println(join(Arrays.stream(names).map(n -> text(row.get(n))).toList(), widths));
    }
  }

  private static String join(List<String> cells, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < cells.size(); i++) {
      line.append(cells.get(i));
      if (i < cells.size() - 1) {
        line.append(" ".repeat(widths[i] - cells.get(i).length() + 2));
      }
    }
    return line.toString();
  }

  private static String words(@Nullable Object name) {
    return text(name).replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
  }

  private static String text(@Nullable Object value) {
    return value == null ? "-" : String.valueOf(value);
  }
}
