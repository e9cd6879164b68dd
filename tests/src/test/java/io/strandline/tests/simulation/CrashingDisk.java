package io.strandline.tests.simulation;

import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.disk.NioDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The machine's disk until the step at which the process is to die: before it, after it, or, if it
 * is a write, in the middle of it. Knows of every file and name what was forced, so that a power
 * cut can take the rest.
 *
 * <p>After the crash {@link #leave} writes what is left into another directory, where the next
 * process begins. Files that Kafka's own classes write beside the port are left as they are.
 */
final class CrashingDisk implements Disk {
  /** What the crash takes. */
  enum Model {
    /** The page cache is kept. */
    PROCESS,
    /**
     * Of bytes not forced, chance leaves some, none, or noughts; of the names changed in a
     * directory since it was forced, the first so many changes, as journalling file systems do.
     */
    POWER
  }

  /**
   * A name given, taken or changed, and not yet forced: {@code to} got the file of {@code from}.
   */
  private record NameChange(@Nullable Path from, @Nullable Path to, @Nullable Inode created) {
    Path directory() {
      Path name = to != null ? to : from;
      return Objects.requireNonNull(name).getParent();
    }

    void apply(Map<Path, Inode> names) {
      Inode inode = from == null ? created : names.remove(from);
      if (to != null && inode != null) {
        names.put(to, inode);
      }
    }

    NameChange moved(Path directory, Path target) {
      return new NameChange(moved(from, directory, target), moved(to, directory, target), created);
    }

    private static @Nullable Path moved(@Nullable Path name, Path directory, Path target) {
      return name != null && name.startsWith(directory)
          ? target.resolve(directory.relativize(name))
          : name;
    }
  }

  /** A file, whatever its name. */
  private static final class Inode {
    private byte[] forced = new byte[0];
  }

  private final Disk disk = new NioDisk();
  private final Random random;
  private final Runnable onCrash;
  private final Map<Path, Inode> names = new TreeMap<>();
  private final Map<Path, Inode> forcedNames = new TreeMap<>();
  private List<NameChange> changes = new ArrayList<>();
  private int stepsLeft;
  private boolean crashed;

  /**
   * @param stepsLeft changes to the disk until the crash
   */
  CrashingDisk(Random random, int stepsLeft, Runnable onCrash) {
    this.random = random;
    this.stepsLeft = stepsLeft;
    this.onCrash = onCrash;
  }

  boolean crashed() {
    return crashed;
  }

  void crash() {
    if (!crashed) {
      crashed = true;
      onCrash.run();
    }
  }

  /**
   * What was on the disk when this process began counts as forced: its predecessor is long dead.
   */
  void begin(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(CrashingDisk::ours).toList()) {
        Inode inode = new Inode();
        inode.forced = Files.readAllBytes(file);
        names.put(file, inode);
        forcedNames.put(file, inode);
      }
    }
  }

  private static boolean ours(Path file) {
    String name = file.getFileName().toString();
    return Files.isRegularFile(file)
        && !name.endsWith(".snapshot")
        && !name.startsWith("leader-epoch-checkpoint")
        && !name.startsWith("uploads.intents");
  }

  /** A change of the disk, around which the process may die. */
  private interface Step {
    void run() throws IOException;
  }

  private void step(Step change) throws IOException {
    if (crashed) {
      throw new Crash();
    }
    if (--stepsLeft <= 0) {
      if (random.nextBoolean()) {
        change.run();
      }
      crash();
      throw new Crash();
    }
    change.run();
  }

  @Override
  public File open(Path file, boolean create) throws IOException {
    boolean there = disk.exists(file);
    if (!there && create) {
      step(
          () -> {
            disk.open(file, true).close();
            change(new NameChange(null, file, new Inode()));
          });
    }
    return new CrashingFile(disk.open(file, false), file);
  }

  @Override
  public void createDirectory(Path directory) throws IOException {
    step(() -> disk.createDirectory(directory));
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    step(
        () -> {
          boolean directory = Files.isDirectory(from);
          disk.rename(from, to);
          if (directory) {
            // What lies in it goes with it; whether its own renaming lasts is not modelled.
            changes = new ArrayList<>(changes.stream().map(c -> c.moved(from, to)).toList());
            move(names, from, to);
            move(forcedNames, from, to);
          } else {
            change(new NameChange(from, to, null));
          }
        });
  }

  private void change(NameChange change) {
    changes.add(change);
    change.apply(names);
  }

  private static void move(Map<Path, Inode> names, Path from, Path to) {
    for (Path name : List.copyOf(names.keySet())) {
      if (name.startsWith(from)) {
        Inode inode = names.remove(name);
        names.put(to.resolve(from.relativize(name)), inode);
      }
    }
  }

  @Override
  public boolean delete(Path path) throws IOException {
    boolean there = disk.exists(path);
    step(
        () -> {
          disk.delete(path);
          change(new NameChange(path, null, null));
        });
    return there;
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    step(
        () -> {
          changes.stream()
              .filter(change -> change.directory().equals(directory))
              .forEach(change -> change.apply(forcedNames));
          changes.removeIf(change -> change.directory().equals(directory));
        });
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    return disk.list(directory);
  }

  @Override
  public boolean exists(Path path) {
    return disk.exists(path);
  }

  /** Writes what the crash leaves of one directory into another. */
  void leave(Path from, Path to, Model model) throws IOException {
    Map<Inode, byte[]> contents = new HashMap<>();
    Set<Path> known = new HashSet<>(forcedNames.keySet());
    known.addAll(names.keySet());
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.toList()) {
        Path target = to.resolve(from.relativize(path));
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else if (names.get(path) != null) {
          contents.put(names.get(path), Files.readAllBytes(path));
        } else if (!known.contains(path)) {
          Files.copy(path, target);
        }
      }
    }
    Map<Path, Inode> left = model == Model.PROCESS ? names : leftNames();
    for (Map.Entry<Path, Inode> entry : left.entrySet()) {
      Inode inode = entry.getValue();
      byte[] now = contents.getOrDefault(inode, inode.forced);
      Path target = to.resolve(from.relativize(entry.getKey()));
      Files.createDirectories(target.getParent());
      Files.write(target, model == Model.PROCESS ? now : left(inode.forced, now));
    }
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

  /** The forced bytes, and of what came after them a part, or all, or noughts of its length. */
  private byte[] left(byte[] forced, byte[] now) {
    if (now.length < forced.length) {
      return random.nextBoolean() ? now : forced;
    }
    int length = forced.length + random.nextInt(now.length - forced.length + 1);
    byte[] left = Arrays.copyOf(now, length);
    if (random.nextInt(3) == 0) {
      Arrays.fill(left, forced.length, length, (byte) 0);
    }
    return left;
  }

  private final class CrashingFile implements File {
    private final File file;
    private final @Nullable Inode inode;

    CrashingFile(File file, Path path) {
      this.file = file;
      this.inode = names.get(path);
    }

    @Override
    public FileChannel channel() {
      return file.channel();
    }

    @Override
    public void write(ByteBuffer bytes, long positionBytes) throws IOException {
      if (stepsLeft == 1 && bytes.remaining() > 1 && random.nextBoolean()) {
        ByteBuffer torn = bytes.duplicate();
        torn.limit(torn.position() + 1 + random.nextInt(torn.remaining() - 1));
        file.write(torn, positionBytes);
        stepsLeft = 0;
        crash();
      }
      step(() -> file.write(bytes, positionBytes));
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      step(() -> file.truncate(sizeBytes));
    }

    @Override
    public void force() throws IOException {
      step(
          () -> {
            if (inode != null) {
              byte[] bytes = new byte[(int) file.sizeBytes()];
              ByteBuffer into = ByteBuffer.wrap(bytes);
              while (into.hasRemaining() && file.channel().read(into, into.position()) >= 0) {}
              inode.forced = bytes;
            }
          });
    }

    @Override
    public long sizeBytes() throws IOException {
      return file.sizeBytes();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
