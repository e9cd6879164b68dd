package io.strandline.tools.doctor;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What the system lets a node have: open files against the partitions and segments it keeps, and
 * memory maps. Of the node's process if it runs here, else of this one, which says so.
 */
final class LimitsCheck implements Check {
  private static final int BESIDE_LOGS = 1024;
  private static final int FEW = 10_000;
  private static final int FILES_OF_A_SEGMENT = 3;
  private static final String OPEN_SEGMENTS = "strandline.log.open.segments.max";
  private static final int MAPS_MIN = 65_530;

  private final NodeConfig config;
  private final Path root;

  LimitsCheck(NodeConfig config, Path root) {
    this.config = config;
    this.root = root;
  }

  @Override
  public List<Finding> run() throws IOException {
    List<Finding> findings = new ArrayList<>();
    if (!Files.isDirectory(root.resolve("proc").resolve("self"))) {
      findings.add(Finding.ok("limits", "not told by this system: /proc is Linux's"));
      return findings;
    }
    findings.add(openFiles());
    findings.add(maps());
    return findings;
  }

  private Finding openFiles() throws IOException {
    var running = RunningNode.find(root, config.logDirectories());
    RunningNode node = running.orElseGet(() -> RunningNode.ourselves(root));
    OptionalLong limit = node.openFilesMax();
    Kept kept = Kept.in(config.logDirectories());
    String found =
        (limit.isEmpty() ? "no limit" : limit.getAsLong() + " may be open")
            + (running.isPresent()
                ? " in process " + node.id() + ", " + node.openFiles().orElse(0) + " are"
                : " where the doctor runs; no node runs here")
            + "; "
            + Quantity.some(kept.partitions(), "partition")
            + " with "
            + Quantity.some(kept.segments(), "segment");
    long most = limit.orElse(Long.MAX_VALUE);
    String advice =
        "Without a file to open, a log directory goes offline. LimitNOFILE=1048576 in the systemd unit"
            + " (etc/strandline.service has it), or ulimit -n before the start.";
    long active =
        (long) BESIDE_LOGS + kept.partitions(); // of each the segment that is written has one
    if (most < active) {
      return Finding.fail("limits open files", found, advice);
    }
    long read = Math.min(kept.segments(), Long.parseLong(config.get(OPEN_SEGMENTS, "2000")));
    return most < Math.max(FEW, active + FILES_OF_A_SEGMENT * read)
        ? Finding.warn("limits open files", found, advice)
        : Finding.ok("limits open files", found);
  }

  private Finding maps() throws IOException {
    Path file = root.resolve("proc/sys/vm/max_map_count");
    if (!Files.exists(file)) {
      return Finding.ok("limits memory maps", "not told by this system");
    }
    // In one read: a second one of such a file gives nothing.
    String line;
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      line = String.valueOf(reader.readLine());
    }
    long maps = Long.parseLong(line.strip());
    String found = "vm.max_map_count is " + maps;
    return maps < MAPS_MIN
        ? Finding.warn(
            "limits memory maps",
            found + ", less than Linux's own " + MAPS_MIN,
            "Segments are not mapped, but the JVM's threads and heap are: sysctl -w vm.max_map_count="
                + MAPS_MIN)
        : Finding.ok("limits memory maps", found + "; segments are not mapped");
  }

  /** What lies in log directories. */
  private record Kept(int partitions, int segments) {
    static Kept in(List<Path> directories) throws IOException {
      int partitions = 0;
      int segments = 0;
      for (Path directory : directories) {
        for (Path partition : list(directory)) {
          if (partition.getFileName().toString().matches(".+-[0-9]+")
              && Files.isDirectory(partition)) {
            partitions++;
            segments +=
                (int)
                    list(partition).stream()
                        .filter(file -> file.getFileName().toString().endsWith(".log"))
                        .count();
          }
        }
      }
      return new Kept(partitions, segments);
    }

    private static List<Path> list(Path directory) throws IOException {
      if (!Files.isDirectory(directory)) {
        return List.of();
      }
      try (Stream<Path> entries = Files.list(directory)) {
        return entries.toList();
      }
    }
  }
}
