package io.strandline.bench.replay;

import io.strandline.tiering.store.ReadRange;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Reads of files into one small buffer: a single copy by the kernel, and nothing else. */
final class FileGets implements Gets {
  private static final int PIECE_BYTES = 256 << 10;

  private final Path root;
  private final Executor threads;
  private final ThreadLocal<ByteBuffer> pieces =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(PIECE_BYTES));

  FileGets(Path root, Executor threads) {
    this.root = root;
    this.threads = threads;
  }

  @Override
  public CompletableFuture<?> get(ReadRange range) {
    return CompletableFuture.runAsync(() -> read(range), threads);
  }

  private void read(ReadRange range) {
    // As a file store lays objects out: a/b/c is the file a+/b+/c.
    Path file = root.resolve(range.key().value().replace("/", "+/"));
    ByteBuffer piece = pieces.get();
    long end = range.positionBytes() + range.lengthBytes();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (long at = range.positionBytes(); at < end; ) {
        int read = channel.read(piece.clear().limit((int) Math.min(PIECE_BYTES, end - at)), at);
        if (read < 0) {
          throw new EOFException(file.toString());
        }
        at += read;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
