package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.IntFunction;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;

/**
 * Whether an encrypted object is as it was stored, found without its key: its length, and the sums
 * of its header and frames. Says nothing of who stored it. Threads: any.
 */
public final class KeylessCheck {
  private static final int FRAMES_AT_ONCE = 64;

  private final ObjectStore store;
  private final Pace pace;

  /**
   * How objects are read.
   *
   * @param before asked before each GET of so many bytes; a failure ends the reading
   * @param read told of bytes as they are read
   * @param executor sums them up
   */
  public record Pace(
      IntFunction<CompletableFuture<Void>> before, LongConsumer read, Executor executor) {}

  /**
   * @param store of the bytes as they are stored
   */
  KeylessCheck(ObjectStore store, Pace pace) {
    this.store = store;
    this.pace = pace;
  }

  /**
   * What is wrong with the object, if anything is.
   *
   * @return fails with a {@link StoreException} if the store does not give it
   */
  public CompletableFuture<Optional<String>> damage(ObjectKey key) {
    return store
        .head(key)
        .thenCompose(
            info -> {
              if (info.isEmpty()) {
                throw new StoreException.NotFound("no object " + key);
              }
              return get(key, 0, CipherLayout.HEADER_BYTES)
                  .thenComposeAsync(header -> body(info.get(), header), pace.executor);
            });
  }

  private CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
    return pace.before
        .apply(lengthBytes)
        .thenCompose(go -> store.get(key, positionBytes, lengthBytes))
        .thenApply(
            bytes -> {
              pace.read.accept(lengthBytes);
              return bytes;
            });
  }

  private CompletableFuture<Optional<String>> body(ObjectInfo info, ByteBuffer headerBytes) {
    CipherHeader header;
    try {
      header = CipherHeader.decode(headerBytes);
    } catch (StoreException.Undeciphered e) {
      return CompletableFuture.completedFuture(Optional.of(String.valueOf(e.getMessage())));
    }
    long storedBytes = CipherLayout.storedBytes(header.plainBytes());
    return info.lengthBytes() == storedBytes
        ? frames(info.key(), header.plainBytes(), 0)
        : CompletableFuture.completedFuture(
            Optional.of(info.lengthBytes() + " bytes are stored, its header says " + storedBytes));
  }

  private CompletableFuture<Optional<String>> frames(ObjectKey key, long plainBytes, long from) {
    long to = Math.min(CipherLayout.frames(plainBytes), from + FRAMES_AT_ONCE);
    if (from >= to) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    long begin = from * CipherLayout.STORED_FRAME_BYTES;
    long end = Math.min(to * CipherLayout.STORED_FRAME_BYTES, CipherLayout.bodyBytes(plainBytes));
    return get(key, CipherLayout.HEADER_BYTES + begin, (int) (end - begin))
        .thenComposeAsync(
            bytes -> {
              for (long frame = from; frame < to; frame++) {
                if (!holds(bytes, CipherLayout.frameBytes(plainBytes, frame))) {
                  return CompletableFuture.completedFuture(
                      Optional.of("frame " + frame + " is damaged"));
                }
              }
              return frames(key, plainBytes, to);
            },
            pace.executor);
  }

  /** Takes one frame. */
  private static boolean holds(ByteBuffer bytes, int plainBytes) {
    int length = plainBytes + CipherLayout.TAG_BYTES;
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(bytes.position(), length));
    bytes.position(bytes.position() + length);
    return bytes.getInt() == (int) crc.getValue();
  }
}
