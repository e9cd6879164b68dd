package io.strandline.tests.simulation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What of a disk was forced, file by file and name by name, and what a crash leaves of the rest.
 *
 * <p>After a power cut: of the bytes not forced some blocks, or noughts in their place, up to some
 * length; of the names changed in a directory since it was forced the first so many changes, as
 * journalling file systems leave them; of a directory made and not forced in its parent all or
 * nothing. Of the files that others write beside the port, producer snapshots are lost or torn
 * unless the port forced them, names and bytes apart; of {@code uploads.intents} the ends after the
 * last begin may be missing, for only begins are forced; {@code leader-epoch-checkpoint} is whole,
 * since Kafka forces file and directory at each write.
 */
final class DurableFiles {
  private static final int BLOCK_BYTES = 48;
  private static final String SNAPSHOT = ".snapshot";
  private static final String INTENTS = "uploads.intents";

  /** A file, whatever its name. */
  static final class Inode {
    private byte[] forced = new byte[0];

    void force(byte[] bytes) {
      forced = bytes;
    }
  }

  /**
   * A name given, taken or changed, and not yet forced: {@code to} got the file of {@code from}.
   */
  private record NameChange(@Nullable Path from, @Nullable Path to, @Nullable Inode created) {
    Path directory() {
      return Objects.requireNonNull(Objects.requireNonNull(to != null ? to : from).getParent());
    }

    void apply(Map<Path, Inode> names) {
      Inode inode = from == null ? created : names.remove(from);
      if (to != null && inode != null) {
        names.put(to, inode);
      }
    }

    NameChange moved(Path directory, Path target) {
      return new NameChange(
          from == null ? null : under(from, directory, target),
          to == null ? null : under(to, directory, target),
          created);
    }
  }

  private final Random random;
  private final Map<Path, Inode> names = new TreeMap<>();
  private final Map<Path, Inode> forcedNames = new TreeMap<>();
  private final Set<Path> freshDirectories = new TreeSet<>();

  /** Snapshots whose names are durable, with what is durable of their bytes. */
  private final Map<Path, byte[]> snapshots = new TreeMap<>();

  private final Map<Path, byte[]> forcedSnapshots = new HashMap<>();
  private List<NameChange> changes = new ArrayList<>();

  DurableFiles(Random random) {
    this.random = random;
  }

  /** What is there when a process begins counts as forced: its predecessor is long dead. */
  void begin(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (ours(file)) {
          Inode inode = new Inode();
          inode.forced = Files.readAllBytes(file);
          names.put(file, inode);
          forcedNames.put(file, inode);
        } else if (isSnapshot(file)) {
          byte[] bytes = Files.readAllBytes(file);
          snapshots.put(file, bytes);
          forcedSnapshots.put(file, bytes);
        }
      }
    }
  }

  private static boolean isSnapshot(Path file) {
    return file.getFileName().toString().endsWith(SNAPSHOT);
  }

  private static boolean ours(Path file) {
    String name = file.getFileName().toString();
    return !name.endsWith(SNAPSHOT)
        && !name.startsWith("leader-epoch-checkpoint")
        && !name.startsWith(INTENTS)
        && !name.equals(".lock");
  }

  @Nullable Inode of(Path file) {
    return names.get(file);
  }

  void created(Path file) {
    change(new NameChange(null, file, new Inode()));
  }

  void deleted(Path file) {
    change(new NameChange(file, null, null));
  }

  void renamed(Path from, Path to) {
    change(new NameChange(from, to, null));
  }

  private void change(NameChange change) {
    changes.add(change);
    change.apply(names);
  }

  void createdDirectory(Path directory) {
    freshDirectories.add(directory);
  }

  /** What lies in it goes with it; the renaming itself lasts at once. */
  void renamedDirectory(Path from, Path to) {
    changes = new ArrayList<>(changes.stream().map(c -> c.moved(from, to)).toList());
    move(names, from, to);
    move(forcedNames, from, to);
    move(snapshots, from, to);
    move(forcedSnapshots, from, to);
  }

  private static <T> void move(Map<Path, T> files, Path from, Path to) {
    for (Path name : List.copyOf(files.keySet())) {
      if (name.startsWith(from)) {
        files.put(under(name, from, to), Objects.requireNonNull(files.remove(name)));
      }
    }
  }

  private static Path under(Path name, Path from, Path to) {
    return name.startsWith(from) ? to.resolve(from.relativize(name)) : name;
  }

  void forced(Path file, byte[] bytes) {
    if (isSnapshot(file)) {
      forcedSnapshots.put(file, bytes);
      snapshots.computeIfPresent(file, (name, before) -> bytes);
    }
  }

  void forcedDirectory(Path directory) throws IOException {
    changes.stream()
        .filter(change -> change.directory().equals(directory))
        .forEach(change -> change.apply(forcedNames));
    changes.removeIf(change -> change.directory().equals(directory));
    freshDirectories.removeIf(fresh -> directory.equals(fresh.getParent()));
    snapshots.keySet().removeIf(file -> directory.equals(file.getParent()));
    try (Stream<Path> files = Files.list(directory)) {
      files
          .filter(DurableFiles::isSnapshot)
          .forEach(file -> snapshots.put(file, forcedSnapshots.getOrDefault(file, new byte[0])));
    }
  }

  /** Writes what the death of a process leaves of one directory into another: everything. */
  void leaveAll(Path from, Path to) throws IOException {
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.toList()) {
        if (Files.isDirectory(path)) {
          Files.createDirectories(under(path, from, to));
        } else {
          Files.copy(path, under(path, from, to));
        }
      }
    }
  }

  /** Writes what a power cut leaves of one directory into another. */
  void leaveDurable(Path from, Path to) throws IOException {
    Set<Path> lost = new HashSet<>();
    freshDirectories.stream().filter(fresh -> random.nextBoolean()).forEach(lost::add);
    Map<Inode, byte[]> contents = new HashMap<>();
    Set<Path> known = new HashSet<>(forcedNames.keySet());
    known.addAll(names.keySet());
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.sorted().toList()) {
        Inode inode = names.get(path);
        if (lost.stream().anyMatch(path::startsWith)) {
          continue;
        }
        if (Files.isDirectory(path)) {
          Files.createDirectories(under(path, from, to));
        } else if (inode != null) {
          contents.put(inode, Files.readAllBytes(path));
        } else if (isSnapshot(path)) {
          leaveSnapshot(path, under(path, from, to));
        } else if (!known.contains(path)) {
          Files.write(under(path, from, to), foreign(path));
        }
      }
    }
    leaveOurs(from, to, lost, contents);
  }

  private void leaveOurs(Path from, Path to, Set<Path> lost, Map<Inode, byte[]> contents)
      throws IOException {
    for (Map.Entry<Path, Inode> entry : leftNames().entrySet()) {
      if (lost.stream().noneMatch(entry.getKey()::startsWith)) {
        Inode inode = entry.getValue();
        byte[] now = contents.getOrDefault(inode, inode.forced);
        Path target = under(entry.getKey(), from, to);
        Files.createDirectories(target.getParent());
        Files.write(target, left(inode.forced, now));
      }
    }
    for (Map.Entry<Path, byte[]> entry : snapshots.entrySet()) {
      Path target = under(entry.getKey(), from, to);
      boolean deletedSince = !Files.exists(entry.getKey());
      if (deletedSince && Files.exists(target.getParent()) && random.nextBoolean()) {
        Files.write(target, entry.getValue());
      }
    }
  }

  private void leaveSnapshot(Path file, Path target) throws IOException {
    if (snapshots.containsKey(file) || random.nextBoolean()) {
      byte[] forced = forcedSnapshots.getOrDefault(file, new byte[0]);
      byte[] now = Files.readAllBytes(file);
      Files.write(target, Arrays.equals(forced, now) ? now : left(forced, now));
    }
  }

  private byte[] foreign(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    if (!file.getFileName().toString().equals(INTENTS)) {
      return bytes;
    }
    String text = new String(bytes, StandardCharsets.UTF_8);
    int forced = text.lastIndexOf("begin ");
    forced = forced < 0 ? 0 : text.indexOf('\n', forced) + 1;
    return Arrays.copyOf(bytes, forced + random.nextInt(bytes.length - forced + 1));
  }

  private Map<Path, Inode> leftNames() {
    Map<Path, Inode> left = new TreeMap<>(forcedNames);
    Map<Path, Integer> survive = new TreeMap<>();
    for (NameChange change : changes) {
      int most =
          survive.computeIfAbsent(change.directory(), d -> random.nextInt(changes.size() + 1));
      if (most > 0) {
        change.apply(left);
        survive.put(change.directory(), most - 1);
      }
    }
    return left;
  }

  /** The forced bytes, and of what came after them some blocks up to some length. */
  private byte[] left(byte[] forced, byte[] now) {
    if (now.length < forced.length) {
      return random.nextBoolean() ? now : forced;
    }
    int length = forced.length + random.nextInt(now.length - forced.length + 1);
    if (random.nextBoolean()) {
      length = now.length;
    }
    byte[] left = Arrays.copyOf(now, length);
    if (random.nextBoolean()) {
      for (int at = forced.length; at < length; at += BLOCK_BYTES) {
        if (random.nextInt(3) == 0) {
          Arrays.fill(left, at, Math.min(at + BLOCK_BYTES, length), (byte) 0);
        }
      }
    }
    return left;
  }
}
