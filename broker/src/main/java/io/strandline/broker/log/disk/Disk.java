package io.strandline.broker.log.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;

/**
 * Every step by which the hot log changes a file system, so that a simulator can crash between any
 * two and drop what was not forced.
 *
 * <p>What is durable when: bytes after {@link File#force}, a file's name (creation, rename,
 * deletion) after {@link #forceDirectory} of its parent. Nothing is promised to be durable earlier,
 * nor to be lost. A rename is atomic.
 *
 * <p>Two classes of Kafka write beside this port: producer snapshots (create, write; forced by our
 * seal through {@link #open}) and {@code leader-epoch-checkpoint} (write {@code .tmp}, force,
 * rename). Crash points of theirs are before and after the whole call: the log reads a torn
 * snapshot as absent and repairs epochs from the batches.
 *
 * <p>Paths are the machine's: what does not change a file may be read beside this port.
 *
 * <p>Threads: any. Every method throws {@link IOException} when the disk fails or is full.
 */
public interface Disk {
  /** A file that is open. Writes come from one thread at a time, reads from any. */
  interface File extends AutoCloseable {
    /** For positional reads and {@code transferTo} only; never written or truncated through. */
    FileChannel channel();

    /** Writes all remaining bytes of the buffer at the position; grows the file as needed. */
    void write(ByteBuffer bytes, long positionBytes) throws IOException;

    void truncate(long sizeBytes) throws IOException;

    /** Contents and length become durable. */
    void force() throws IOException;

    long sizeBytes() throws IOException;

    @Override
    void close() throws IOException;
  }

  /**
   * Opens to read and write.
   *
   * @param create makes an empty file when there is none; without it that is a {@link
   *     java.nio.file.NoSuchFileException}
   */
  File open(Path file, boolean create) throws IOException;

  /** Creates the directory and missing parents; no error when it exists. */
  void createDirectory(Path directory) throws IOException;

  /** Replaces what stands at {@code to}. */
  void rename(Path from, Path to) throws IOException;

  /**
   * Removes a file or an empty directory.
   *
   * @return whether it existed
   */
  boolean delete(Path path) throws IOException;

  /** Creations, renames and deletions in this directory become durable. */
  void forceDirectory(Path directory) throws IOException;

  /** Entries of the directory, sorted by name. */
  List<Path> list(Path directory) throws IOException;

  boolean exists(Path path);
}
