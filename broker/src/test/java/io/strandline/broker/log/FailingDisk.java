package io.strandline.broker.log;

import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.disk.NioDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The machine's disk until it is full: then a write gets through in part, or not at all. Counts
 * what is open, and lets a test do something between two steps of whoever uses it.
 */
final class FailingDisk implements Disk {
  private final Disk disk = new NioDisk();
  long freeBytes = Long.MAX_VALUE;
  boolean forceFails;
  final Set<File> openFiles = ConcurrentHashMap.newKeySet();

  /** Names of files and directories in the order in which they were forced. */
  final List<String> forced = Collections.synchronizedList(new ArrayList<>());

  /** Names of files that were made, renamed or deleted, in order. */
  final List<String> named = Collections.synchronizedList(new ArrayList<>());

  /** Run once, when a file's channel is next asked for. */
  @Nullable Runnable onChannel;

  /** Run once, after a look whether there is a file of this kind, before the answer. */
  @Nullable Runnable onExists;

  String existsKind = "";

  /** Run once, before a file whose name ends so is looked for or opened, or a file gets it. */
  volatile @Nullable Runnable onApproach;

  volatile String approached = "";

  /** Run once, after a directory of this name was forced. */
  volatile @Nullable Runnable onForced;

  volatile String forcedName = "";

  @Override
  public File open(Path file, boolean create) throws IOException {
    approach(file);
    if (create && !disk.exists(file)) {
      named.add(file.getFileName().toString());
    }
    FailingFile opened = new FailingFile(file, disk.open(file, create));
    openFiles.add(opened);
    return opened;
  }

  private void approach(Path file) {
    Runnable step = onApproach;
    if (step != null && file.toString().endsWith(approached)) {
      onApproach = null;
      step.run();
    }
  }

  private static void run(@Nullable Runnable step) {
    if (step != null) {
      step.run();
    }
  }

  private final class FailingFile implements File {
    private final Path path;
    private final File file;

    FailingFile(Path path, File file) {
      this.path = path;
      this.file = file;
    }

    @Override
    public FileChannel channel() {
      Runnable step = onChannel;
      onChannel = null;
      FailingDisk.run(step);
      return file.channel();
    }

    @Override
    public void write(ByteBuffer bytes, long positionBytes) throws IOException {
      if (bytes.remaining() > freeBytes) {
        file.write(bytes.slice(bytes.position(), (int) freeBytes), positionBytes);
        freeBytes = 0;
        throw new IOException("No space left on device");
      }
      freeBytes -= bytes.remaining();
      file.write(bytes, positionBytes);
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      file.truncate(sizeBytes);
    }

    @Override
    public void force() throws IOException {
      if (forceFails) {
        throw new IOException("Input/output error");
      }
      file.force();
      forced.add(path.getFileName().toString());
    }

    @Override
    public long sizeBytes() throws IOException {
      return file.sizeBytes();
    }

    @Override
    public void close() throws IOException {
      openFiles.remove(this);
      file.close();
    }
  }

  @Override
  public void createDirectory(Path directory) throws IOException {
    disk.createDirectory(directory);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    approach(to);
    disk.rename(from, to);
    named.add(to.getFileName().toString());
  }

  @Override
  public boolean delete(Path path) throws IOException {
    boolean there = disk.delete(path);
    if (there) {
      named.add(path.getFileName().toString());
    }
    return there;
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    disk.forceDirectory(directory);
    forced.add(directory.getFileName().toString());
    Runnable step = onForced;
    if (step != null && directory.endsWith(forcedName)) {
      onForced = null;
      step.run();
    }
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    return disk.list(directory);
  }

  @Override
  public boolean exists(Path path) {
    approach(path);
    boolean there = disk.exists(path);
    if (onExists != null && path.toString().endsWith(existsKind)) {
      Runnable step = onExists;
      onExists = null;
      run(step);
    }
    return there;
  }
}
