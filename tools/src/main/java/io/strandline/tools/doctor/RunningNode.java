package io.strandline.tools.doctor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The process of a node on this machine, as Linux tells of it below {@code /proc}.
 *
 * @param proc its directory there
 * @param arguments of its command line
 */
record RunningNode(Path proc, List<String> arguments) {
  private static final String MAIN = "io.strandline.broker.Main";

  /**
   * Finds the node that has files of one of these directories open. A process that we may not look
   * into is not found.
   *
   * @param root of the file system that holds {@code proc}
   */
  static Optional<RunningNode> find(Path root, List<Path> directories) {
    List<Path> real = directories.stream().map(RunningNode::real).toList();
    try (Stream<Path> all = Files.list(root.resolve("proc"))) {
      return all.filter(proc -> proc.getFileName().toString().matches("[0-9]+"))
          .map(proc -> new RunningNode(proc, arguments(proc)))
          .filter(node -> node.arguments().contains(MAIN))
          .filter(node -> node.holds(real))
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** This process, in the place of a node that does not run. */
  static RunningNode ourselves(Path root) {
    return new RunningNode(root.resolve("proc").resolve("self"), List.of());
  }

  private static Path real(Path directory) {
    try {
      return directory.toRealPath();
    } catch (IOException e) {
      return directory.toAbsolutePath();
    }
  }

  private static List<String> arguments(Path proc) {
    try {
      String line = Files.readString(proc.resolve("cmdline"), StandardCharsets.UTF_8);
      return List.of(line.split("\0", -1));
    } catch (IOException | RuntimeException e) {
      return List.of(); // It has ended, or is not ours to see.
    }
  }

  private boolean holds(List<Path> directories) {
    try (Stream<Path> open = Files.list(proc.resolve("fd"))) {
      return open.anyMatch(file -> directories.stream().anyMatch(within -> leads(file, within)));
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean leads(Path link, Path within) {
    try {
      return Files.readSymbolicLink(link).startsWith(within);
    } catch (IOException e) {
      return false;
    }
  }

  String id() {
    return proc.getFileName().toString();
  }

  /** How many files it may have open; empty for any number, or where it is not told. */
  OptionalLong openFilesMax() throws IOException {
    return lines("limits")
        .filter(line -> line.startsWith("Max open files"))
        .map(line -> line.substring("Max open files".length()).strip().split("\\s+")[0])
        .filter(soft -> soft.matches("[0-9]+"))
        .mapToLong(Long::parseLong)
        .findFirst();
  }

  /** How many it has open; empty if that is not ours to see. */
  OptionalLong openFiles() {
    try (Stream<Path> open = Files.list(proc.resolve("fd"))) {
      return OptionalLong.of(open.count());
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  /** The control groups of memory that it is in, without a slash before: the inmost one. */
  List<String> groups() throws IOException {
    List<String> found = new ArrayList<>();
    lines("cgroup")
        .forEach(
            line -> {
              String[] parts = line.split(":", 3);
              if (parts.length == 3 && (parts[1].isEmpty() || parts[1].contains("memory"))) {
                found.add(parts[2].replaceAll("^/+", ""));
              }
            });
    return found;
  }

  private Stream<String> lines(String file) throws IOException {
    Path there = proc.resolve(file);
    return Files.exists(there) ? Files.readAllLines(there).stream() : Stream.empty();
  }

  /** What follows the last argument that begins so. */
  Optional<String> argument(String prefix) {
    return arguments.stream()
        .filter(argument -> argument.startsWith(prefix))
        .reduce((first, last) -> last)
        .map(argument -> argument.substring(prefix.length()));
  }
}
