package io.strandline.bench.meter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A profile's collapsed stacks, summed up.
 *
 * @param stacks each with its samples
 */
public record StackTable(List<Stack> stacks) {
  private static final int ROWS = 25;

  /** Frames, outermost first; the very first names the thread. */
  record Stack(List<String> frames, long samples) {
    /** The thread's name without what counts its like. */
    String thread() {
      return frames.get(0).replaceAll("^\\[| tid=\\d+]$", "").replaceAll("[-# ]*\\d[-\\d]*", " N");
    }

    String leaf() {
      return frames.get(frames.size() - 1);
    }
  }

  public StackTable {
    stacks = List.copyOf(stacks);
  }

  /** Reads one file of {@link Profiler#stop}. */
  public static StackTable read(Path collapsed) throws IOException {
    return new StackTable(Files.readAllLines(collapsed).stream().map(StackTable::parse).toList());
  }

  private static Stack parse(String line) {
    int space = line.lastIndexOf(' ');
    return new Stack(
        List.of(line.substring(0, space).split(";")), Long.parseLong(line.substring(space + 1)));
  }

  /**
   * Four Markdown tables: by thread, which tells the JVM's compilers and collector from the broker;
   * by the innermost frame's package; by the innermost package of the broker's own (what it called,
   * kernel included, counts for it); and by the innermost frame.
   */
  public String render() {
    return table("by thread", Stack::thread)
        + table("own time by package", s -> kind(s.leaf()))
        + table("by the broker's innermost package", StackTable::innermostOwn)
        + table("own time by frame", Stack::leaf);
  }

  private String table(String title, Function<Stack, String> key) {
    Map<String, Long> sums = new HashMap<>();
    stacks.forEach(s -> sums.merge(key.apply(s), s.samples(), Long::sum));
    long all = stacks.stream().mapToLong(Stack::samples).sum();
    return sums.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
        .limit(ROWS)
        .map(e -> row(e.getKey(), 100.0 * e.getValue() / Math.max(1, all)))
        .collect(Collectors.joining("", "| " + title + " | % |\n|---|---|\n", "\n"));
  }

  private static String row(String name, double share) {
    return String.format(Locale.ROOT, "| `%s` | %.1f |%n", name, share);
  }

  private static String innermostOwn(Stack stack) {
    for (int i = stack.frames().size() - 1; i >= 0; i--) {
      String kind = kind(stack.frames().get(i));
      if (kind.startsWith("io.strandline.") || kind.matches("(org\\.apache\\.)?kafka\\..*")) {
        return kind;
      }
    }
    return "(" + kind(stack.leaf()) + ")";
  }

  /**
   * The Java package, or {@code kernel}, or {@code native} for the JVM's own code and libraries.
   */
  private static String kind(String frame) {
    if (frame.endsWith("_[k]")) {
      return "kernel";
    }
    int method = frame.lastIndexOf('.');
    String type = method < 0 ? frame : frame.substring(0, method);
    int slash = type.lastIndexOf('/');
    return method < 0 || slash < 0 ? "native" : type.substring(0, slash).replace('/', '.');
  }
}
