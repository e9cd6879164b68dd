package io.strandline.tests.simulation;

import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.disk.NioDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The machine's disk until the step at which the process is to die: before it, after it, or, if it
 * is a write, in the middle of it. After the crash {@link #leave} writes what is left into another
 * directory, where the next process begins.
 */
final class CrashingDisk implements Disk {
  /** What the crash takes. */
  enum Model {
    /** The page cache is kept. */
    PROCESS,
    /** What was not forced may be lost: {@link DurableFiles}. */
    POWER
  }

  /** Who is told. */
  interface Listener {
    void step(String what);

    /** Whether it may die now, its steps being over. */
    boolean mayCrash();

    void crashed();
  }

  private final Disk disk = new NioDisk();
  private final Random random;
  private final Listener listener;
  private final DurableFiles durable;
  private int stepsLeft;
  private int steps;
  private boolean crashed;

  /**
   * @param stepsLeft changes to the disk until the crash
   */
  CrashingDisk(Random random, int stepsLeft, Listener listener) {
    this.random = random;
    this.stepsLeft = stepsLeft;
    this.listener = listener;
    this.durable = new DurableFiles(random);
  }

  boolean crashed() {
    return crashed;
  }

  int steps() {
    return steps;
  }

  void crash() {
    if (!crashed) {
      crashed = true;
      listener.crashed();
    }
  }

  void begin(Path root) throws IOException {
    durable.begin(root);
  }

  void leave(Path from, Path to, Model model) throws IOException {
    if (model == Model.PROCESS) {
      durable.leaveAll(from, to);
    } else {
      durable.leaveDurable(from, to);
    }
  }

  /** A change of the disk, around which the process may die. */
  private interface Step {
    void run() throws IOException;
  }

  private void step(String what, Path path, Step change) throws IOException {
    if (crashed) {
      throw new Crash();
    }
    steps++;
    listener.step(what + " " + path.getFileName());
    if (--stepsLeft <= 0 && listener.mayCrash()) {
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
          "create",
          file,
          () -> {
            disk.open(file, true).close();
            durable.created(file);
          });
    }
    return new CrashingFile(disk.open(file, false), file);
  }

  @Override
  public void createDirectory(Path directory) throws IOException {
    boolean there = disk.exists(directory);
    step(
        "make",
        directory,
        () -> {
          disk.createDirectory(directory);
          if (!there) {
            durable.createdDirectory(directory);
          }
        });
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    step(
        "rename to",
        to,
        () -> {
          boolean directory = Files.isDirectory(from);
          disk.rename(from, to);
          if (directory) {
            durable.renamedDirectory(from, to);
          } else {
            durable.renamed(from, to);
          }
        });
  }

  @Override
  public boolean delete(Path path) throws IOException {
    boolean there = disk.exists(path);
    step(
        "delete",
        path,
        () -> {
          disk.delete(path);
          durable.deleted(path);
        });
    return there;
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    step("force", directory, () -> durable.forcedDirectory(directory));
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    return disk.list(directory);
  }

  @Override
  public boolean exists(Path path) {
    return disk.exists(path);
  }

  private final class CrashingFile implements File {
    private final File file;
    private final Path path;
    private final DurableFiles.@Nullable Inode inode;

    CrashingFile(File file, Path path) {
      this.file = file;
      this.path = path;
      this.inode = durable.of(path);
    }

    @Override
    public FileChannel channel() {
      return file.channel();
    }

    @Override
    public void write(ByteBuffer bytes, long positionBytes) throws IOException {
      if (stepsLeft == 1
          && !crashed
          && listener.mayCrash()
          && bytes.remaining() > 1
          && random.nextBoolean()) {
        ByteBuffer torn = bytes.duplicate();
        torn.limit(torn.position() + 1 + random.nextInt(torn.remaining() - 1));
        listener.step("torn write " + path.getFileName() + " " + torn.remaining());
        file.write(torn, positionBytes);
        crash();
        throw new Crash();
      }
      step(
          "write " + bytes.remaining() + " at " + positionBytes,
          path,
          () -> file.write(bytes, positionBytes));
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      step("cut at " + sizeBytes, path, () -> file.truncate(sizeBytes));
    }

    @Override
    public void force() throws IOException {
      step(
          "force",
          path,
          () -> {
            byte[] bytes = new byte[(int) file.sizeBytes()];
            ByteBuffer into = ByteBuffer.wrap(bytes);
            while (into.hasRemaining() && file.channel().read(into, into.position()) >= 0) {}
            if (inode != null) {
              inode.force(bytes);
            }
            durable.forced(path, bytes);
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
