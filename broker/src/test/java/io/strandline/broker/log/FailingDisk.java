package io.strandline.broker.log;

import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.disk.NioDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The machine's disk until it is full: then a write gets through in part, or not at all. Counts
 * what is open, and lets a test do something between two steps of whoever uses it.
 */
final class FailingDisk implements Disk {
  private final Disk disk = new NioDisk();
  long freeBytes = Long.MAX_VALUE;
  boolean forceFails;
  final Set<File> openFiles = new HashSet<>();

  /** Run once, when a file's channel is next asked for. */
  @Nullable Runnable onChannel;

  /** Run once, after a look whether there is a file of this kind, before the answer. */
  @Nullable Runnable onExists;

  String existsKind = "";

  @Override
  public File open(Path file, boolean create) throws IOException {
    FailingFile opened = new FailingFile(disk.open(file, create));
    openFiles.add(opened);
    return opened;
  }

  private static void run(@Nullable Runnable step) {
    if (step != null) {
      step.run();
    }
  }

  private final class FailingFile implements File {
    private final File file;

    FailingFile(File file) {
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
    disk.rename(from, to);
  }

  @Override
  public boolean delete(Path path) throws IOException {
    return disk.delete(path);
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    disk.forceDirectory(directory);
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    return disk.list(directory);
  }

  @Override
  public boolean exists(Path path) {
    boolean there = disk.exists(path);
    if (onExists != null && path.toString().endsWith(existsKind)) {
      Runnable step = onExists;
      onExists = null;
      run(step);
    }
    return there;
  }
}
