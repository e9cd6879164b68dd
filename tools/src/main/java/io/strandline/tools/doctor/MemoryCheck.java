package io.strandline.tools.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The node's heap and direct memory against what its control group, or the machine, has. Of the
 * node's process if it runs here, else of what the launcher would start it with.
 */
final class MemoryCheck implements Check {
  private static final Pattern SIZE = Pattern.compile("([0-9]+)([kmgt]?)b?");
  private static final long JVM_BYTES = 256L << 20;
  private static final String LAUNCHER_HEAP = "512m";
  private static final String LAUNCHER_DIRECT = "1g";

  private final NodeConfig config;
  private final Path root;

  MemoryCheck(NodeConfig config, Path root) {
    this.config = config;
    this.root = root;
  }

  @Override
  public List<Finding> run() throws IOException {
    Path machine = root.resolve("proc/meminfo");
    if (!Files.exists(machine)) {
      return List.of(Finding.ok("memory", "not told by this system: /proc is Linux's"));
    }
    Optional<RunningNode> running = RunningNode.find(root, config.logDirectories());
    RunningNode node = running.orElseGet(() -> RunningNode.ourselves(root));
    long total = total(machine);
    long limit = Math.min(total, groupLimit(node));
    long heap = heap(running, limit);
    long direct =
        size(node.argument("-XX:MaxDirectMemorySize=")
                .orElse(running.isEmpty() ? LAUNCHER_DIRECT : ""))
            .orElse(heap);
    String found =
        "heap "
            + Quantity.bytes(heap)
            + ", direct memory up to "
            + Quantity.bytes(direct)
            + (running.isPresent()
                ? " (process " + node.id() + ")"
                : " (as the launcher starts it)")
            + ", of "
            + Quantity.bytes(limit)
            + (limit < total ? " that the control group allows" : "");
    if (heap + JVM_BYTES > limit) {
      return List.of(
          Finding.fail(
              "memory",
              found,
              "The kernel would kill it: a smaller STRANDLINE_HEAP, or more memory."));
    }
    if (heap + direct + JVM_BYTES > limit || heap > limit / 2) {
      return List.of(
          Finding.warn(
              "memory",
              found,
              "What is left is the page cache, which new records are read from: leave it half of the"
                  + " memory. STRANDLINE_HEAP sets the heap, -XX:MaxDirectMemorySize in"
                  + " STRANDLINE_JAVA_OPTS the rest."));
    }
    return List.of(Finding.ok("memory", found));
  }

  private long heap(Optional<RunningNode> running, long limitBytes) {
    if (running.isEmpty()) {
      return size(config.environment("STRANDLINE_HEAP", LAUNCHER_HEAP)).orElse(0L);
    }
    RunningNode node = running.get();
    Optional<Long> told =
        node.argument("-Xmx")
            .or(() -> node.argument("-XX:MaxHeapSize="))
            .flatMap(MemoryCheck::size);
    double percent = node.argument("-XX:MaxRAMPercentage=").map(Double::parseDouble).orElse(25.0);
    return told.orElse((long) (limitBytes * percent / 100));
  }

  private static Optional<Long> size(String text) {
    Matcher parts = SIZE.matcher(text.toLowerCase(Locale.ROOT));
    if (!parts.matches()) {
      return Optional.empty();
    }
    int power = parts.group(2).isEmpty() ? 0 : " kmgt".indexOf(parts.group(2));
    return Optional.of(Long.parseLong(parts.group(1)) << (10 * power));
  }

  private static long total(Path meminfo) throws IOException {
    return Files.readAllLines(meminfo).stream()
        .filter(line -> line.startsWith("MemTotal:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
        .findFirst()
        .orElse(Long.MAX_VALUE);
  }

  /** The least of its group and those around it, of either version of control groups. */
  private long groupLimit(RunningNode node) throws IOException {
    long least = Long.MAX_VALUE;
    for (String group : node.groups()) {
      least = Math.min(least, least(root.resolve("sys/fs/cgroup"), group, "memory.max"));
      Path first = root.resolve("sys/fs/cgroup/memory");
      least = Math.min(least, least(first, group, "memory.limit_in_bytes"));
    }
    return least;
  }

  private static long least(Path top, String group, String file) throws IOException {
    long least = Long.MAX_VALUE;
    for (Path at = top.resolve(group); at != null && at.startsWith(top); at = at.getParent()) {
      Path limit = at.resolve(file);
      if (Files.exists(limit)) {
        String text = Files.readString(limit).strip();
        if (text.matches("[0-9]{1,18}")) {
          least = Math.min(least, Long.parseLong(text));
        }
      }
    }
    return least;
  }
}
