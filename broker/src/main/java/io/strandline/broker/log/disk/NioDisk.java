package io.strandline.broker.log.disk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/** The machine's own file system. */
public final class NioDisk implements Disk {
  private static final Set<StandardOpenOption> EXISTING =
      Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
  private static final Set<StandardOpenOption> CREATING =
      Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);

  private final LongSupplier nanoClock;
  private final Forced forced;

  /** Told after a file was forced; on the thread that did. */
  @FunctionalInterface
  public interface Forced {
    void took(Path file, long nanos);
  }

  public NioDisk() {
    this(() -> 0, (file, nanos) -> {});
  }

  public NioDisk(LongSupplier nanoClock, Forced forced) {
    this.nanoClock = nanoClock;
    this.forced = forced;
  }

  @Override
  public File open(Path file, boolean create) throws IOException {
    return new NioFile(file, FileChannel.open(file, create ? CREATING : EXISTING));
  }

  @Override
  public void createDirectory(Path directory) throws IOException {
    Files.createDirectories(directory);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public boolean delete(Path path) throws IOException {
    return Files.deleteIfExists(path);
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (NoSuchFileException e) {
      throw new IOException("directory is gone: " + directory, e);
    }
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  @Override
  public boolean exists(Path path) {
    return Files.exists(path);
  }

  private final class NioFile implements File {
    private final Path path;
    private final FileChannel channel;

    NioFile(Path path, FileChannel channel) {
      this.path = path;
      this.channel = channel;
    }

    @Override
    public FileChannel channel() {
      return channel;
    }

    @Override
    public void write(ByteBuffer bytes, long positionBytes) throws IOException {
      long position = positionBytes;
      while (bytes.hasRemaining()) {
        position += channel.write(bytes, position);
      }
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      channel.truncate(sizeBytes);
    }

    @Override
    public void force() throws IOException {
      long began = nanoClock.getAsLong();
      channel.force(false);
      forced.took(path, nanoClock.getAsLong() - began);
    }

    @Override
    public long sizeBytes() throws IOException {
      return channel.size();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
