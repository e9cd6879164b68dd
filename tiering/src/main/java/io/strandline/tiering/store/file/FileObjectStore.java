package io.strandline.tiering.store.file;

import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.Turns;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.InstantSource;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A store in a directory, shared by any number of processes of one machine (or of a file system
 * whose locks, links and renames hold across machines).
 *
 * <ul>
 *   <li><b>Atomic</b>: bytes go to a temporary file that is then linked or renamed to its name.
 *   <li><b>Decided by the file system</b>: of several {@link #putIfAbsent}, the one whose hard link
 *       is made wins. A {@link #replace} compares and renames under a lock that every writer takes.
 *   <li><b>Durable</b>: file and directories are fsynced before a put completes.
 *   <li><b>The etag</b> is length and time of modification, which each rewrite moves on.
 * </ul>
 *
 * <p>All work blocks and is done on the executor; its size is the store's parallelism.
 */
public final class FileObjectStore implements ObjectStore {
  private static final int PIECE_BYTES = 256 << 10;

  private final Layout layout;
  private final Executor blocking;
  private final FileWriter writer;

  /** A landing's bytes pass through it: one copy more, in the processor's cache. */
  private final ThreadLocal<ByteBuffer> pieces =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(PIECE_BYTES));

  /**
   * Opens the store; nothing is created before the first write.
   *
   * @param clock gives {@link ObjectInfo#modified}
   */
  public FileObjectStore(Path root, Executor blocking, InstantSource clock) {
    this.layout = new Layout(root.toAbsolutePath().normalize());
    this.blocking = blocking;
    this.writer = new FileWriter(layout, clock);
  }

  @Override
  public CompletableFuture<ObjectInfo> put(ObjectKey key, Payload payload) {
    return run("put", key, () -> writer.write(key, payload, FileWriter.Condition.NONE));
  }

  @Override
  public CompletableFuture<ObjectInfo> putIfAbsent(ObjectKey key, Payload payload) {
    return run("put", key, () -> writer.write(key, payload, FileWriter.Condition.ABSENT));
  }

  @Override
  public CompletableFuture<ObjectInfo> replace(ObjectKey key, Payload payload, String etag) {
    return run("replace", key, () -> writer.write(key, payload, FileWriter.Condition.at(etag)));
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
    ReadRange range = new ReadRange(key, positionBytes, lengthBytes);
    return run("get", key, () -> read(range));
  }

  @Override
  public CompletableFuture<Landing> get(ReadRange range, Landing landing) {
    Landing.Try begun = landing.begin();
    return run(
        "get",
        range.key(),
        () -> {
          land(range, begun);
          return landing;
        });
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, int limitBytes) {
    return run("get", key, () -> readWhole(key, limitBytes));
  }

  @Override
  public CompletableFuture<Optional<ObjectInfo>> head(ObjectKey key) {
    return run("head", key, () -> Optional.ofNullable(infoOf(layout, key)));
  }

  @Override
  public CompletableFuture<Page> list(String prefix, String after, int limit) {
    Page.checkLimit(limit);
    return run("list", prefix, () -> new KeyWalk(layout, prefix, after, limit).page());
  }

  @Override
  public CompletableFuture<Void> delete(Collection<ObjectKey> keys) {
    Set<ObjectKey> all = new LinkedHashSet<>(keys);
    return run(
        "delete",
        List.copyOf(all),
        () -> {
          writer.delete(all);
          return null;
        });
  }

  @Override
  public String describe() {
    return "file:" + layout.root();
  }

  @Override
  public void close() {
    try {
      writer.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is said of the object, or null if there is none. */
  static @Nullable ObjectInfo infoOf(Layout layout, ObjectKey key) throws IOException {
    try {
      return info(key, layout.file(key));
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  static ObjectInfo info(ObjectKey key, Path file) throws IOException {
    var attributes = Files.readAttributes(file, BasicFileAttributes.class);
    var modified = attributes.lastModifiedTime().toInstant();
    String etag =
        Long.toHexString(attributes.size())
            + "-"
            + Long.toHexString(modified.getEpochSecond())
            + "."
            + Integer.toHexString(modified.getNano());
    return new ObjectInfo(key, attributes.size(), etag, modified);
  }

  private ByteBuffer read(ReadRange range) throws IOException {
    try (FileChannel file = openForRead(range.key())) {
      range.checkWithin(file.size());
      return readFully(file, range.positionBytes(), range.lengthBytes());
    }
  }

  private void land(ReadRange range, Landing.Try begun) throws IOException {
    Turns turns = new Turns();
    ByteBuffer piece = pieces.get();
    try (FileChannel file = openForRead(range.key())) {
      range.checkWithin(file.size());
      long end = range.positionBytes() + range.lengthBytes();
      for (long at = range.positionBytes(); at < end; at += piece.limit()) {
        piece.clear().limit((int) Math.min(PIECE_BYTES, end - at));
        readFully(file, at, piece);
        if (!begun.put(piece.flip())) {
          throw new IOException("the read was given up");
        }
        turns.took(piece.limit());
      }
    }
  }

  private ByteBuffer readWhole(ObjectKey key, int limitBytes) throws IOException {
    try (FileChannel file = openForRead(key)) {
      long size = file.size();
      if (size > limitBytes) {
        throw new StoreException.OutOfRange(
            key + " has " + size + " bytes, more than " + limitBytes);
      }
      return readFully(file, 0, (int) size);
    }
  }

  private FileChannel openForRead(ObjectKey key) throws IOException {
    return FileChannel.open(layout.file(key), StandardOpenOption.READ);
  }

  private static ByteBuffer readFully(FileChannel file, long positionBytes, int lengthBytes)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(lengthBytes);
    readFully(file, positionBytes, bytes);
    return bytes.flip();
  }

  private static void readFully(FileChannel file, long positionBytes, ByteBuffer bytes)
      throws IOException {
    while (bytes.hasRemaining()) {
      if (file.read(bytes, positionBytes + bytes.position()) < 0) {
        throw new IOException("the file became shorter while it was read");
      }
    }
  }

  private <T> CompletableFuture<T> run(String what, Object subject, Callable<T> action) {
    CompletableFuture<T> done = new CompletableFuture<>();
    try {
      blocking.execute(() -> carryOut(what, subject, action, done));
    } catch (RejectedExecutionException e) {
      done.completeExceptionally(
          new StoreException.Unavailable(what + " " + subject + ": the executor takes no more", e));
    }
    return done;
  }

  private static <T> void carryOut(
      String what, Object subject, Callable<T> action, CompletableFuture<T> done) {
    if (done.isDone()) {
      return; // Cancelled while it waited for a thread.
    }
    T result;
    try {
      result = action.call();
    } catch (StoreException e) {
      done.completeExceptionally(e);
      return;
    } catch (Exception e) {
      done.completeExceptionally(FileErrors.explain(what + " " + subject, e));
      return;
    } catch (Error e) {
      done.completeExceptionally(e);
      throw e;
    }
    done.complete(result);
  }
}
