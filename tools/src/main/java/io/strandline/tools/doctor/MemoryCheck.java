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
 * node's process if it runs here, else of what the launcher would start it with in this
 * environment.
 */
final class MemoryCheck implements Check {
  private static final Pattern SIZE = Pattern.compile("([0-9]+)([kmgt]?)b?");
  private static final long JVM_BYTES = 256L << 20;
  private static final long LAUNCHER_HEAP = 512L << 20;
  private static final long LAUNCHER_DIRECT = 1L << 30;

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
    Sizes sizes;
    try {
      sizes = running.isPresent() ? running(node, limit) : launched(groupLimit(node));
    } catch (IllegalArgumentException e) {
      return List.of(
          Finding.fail(
              "memory", String.valueOf(e.getMessage()), "The launcher would not start it so."));
    }
    long heap = sizes.heap;
    long direct = sizes.direct;
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
                  + " memory. STRANDLINE_HEAP sets the heap, STRANDLINE_DIRECT the rest, which the"
                  + " defaults of what is kept there follow; STRANDLINE_MEMORY chooses both."));
    }
    return List.of(Finding.ok("memory", found));
  }

  /** Of heap and of direct memory, in bytes. */
  private record Sizes(long heap, long direct) {}

  private static Sizes running(RunningNode node, long limitBytes) {
    double percent = node.argument("-XX:MaxRAMPercentage=").map(Double::parseDouble).orElse(25.0);
    long heap = heap(node).orElse((long) (limitBytes * percent / 100));
    return new Sizes(heap, direct(node).orElse(heap));
  }

  private static Optional<Long> heap(RunningNode node) {
    return node.argument("-Xmx")
        .or(() -> node.argument("-XX:MaxHeapSize="))
        .flatMap(MemoryCheck::size);
  }

  private static Optional<Long> direct(RunningNode node) {
    return node.argument("-XX:MaxDirectMemorySize=").flatMap(MemoryCheck::size);
  }

  /**
   * What the launcher makes of the environment: its own options after what it chose.
   *
   * @param groupBytes what the control group allows, {@code Long.MAX_VALUE} without a limit
   * @throws IllegalArgumentException if a variable is no amount of memory
   */
  private Sizes launched(long groupBytes) {
    Optional<Sizes> split = fitInto(groupBytes).map(MemoryCheck::split);
    RunningNode options =
        new RunningNode(root, List.of(given("STRANDLINE_JAVA_OPTS").orElse("").split("\\s+", -1)));
    long heap = amount("STRANDLINE_HEAP").or(() -> split.map(Sizes::heap)).orElse(LAUNCHER_HEAP);
    long direct =
        amount("STRANDLINE_DIRECT").or(() -> split.map(Sizes::direct)).orElse(LAUNCHER_DIRECT);
    return new Sizes(heap(options).orElse(heap), direct(options).orElse(direct));
  }

  private Optional<Long> fitInto(long groupBytes) {
    if (!given("STRANDLINE_MEMORY").equals(Optional.of("cgroup"))) {
      return amount("STRANDLINE_MEMORY");
    }
    return groupBytes == Long.MAX_VALUE ? Optional.empty() : Optional.of(groupBytes);
  }

  /** As {@code split_memory} of the launcher, in whole MiB. */
  private static Sizes split(long bytes) {
    long all = bytes >> 20;
    long free = all - 160 - all / 16;
    long heap = free / 2 > 1024 ? 1024 + (free / 2 - 1024) / 4 : Math.max(96, free / 2);
    long direct = free / 4 > 1024 ? 1024 + (free / 4 - 1024) / 2 : Math.max(48, free / 4);
    return new Sizes(heap << 20, direct << 20);
  }

  private Optional<String> given(String variable) {
    return Optional.of(config.environment(variable, "")).filter(value -> !value.isEmpty());
  }

  private Optional<Long> amount(String variable) {
    return given(variable)
        .map(
            value ->
                size(value)
                    .orElseThrow(
                        () ->
                            new IllegalArgumentException(
                                variable + "=" + value + " is not an amount of memory")));
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
