package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A read from an object's beginning that brings its header along, so that reading an object in
 * sequence costs no request more than if it were not encrypted.
 *
 * <p>A key ring that does not answer at once gets its time: then the frames of this read are wasted
 * and asked for again. Threads: as {@link Deciphering}.
 */
final class FirstRead implements Landing.Ground {
  private final ObjectCiphers ciphers;
  private final ReadRange plain;
  private final Landing behind;
  private final Consumer<ObjectCipher> known;
  private @Nullable CompletableFuture<ObjectCipher> cipher;
  private final ByteBuffer header = ByteBuffer.allocate(CipherLayout.HEADER_BYTES);
  private @Nullable Deciphering deciphering;

  /**
   * @param known told of the cipher when the header has come, if the key ring answers at once
   */
  FirstRead(ObjectCiphers ciphers, ReadRange plain, Landing behind, Consumer<ObjectCipher> known) {
    this.ciphers = ciphers;
    this.plain = plain;
    this.behind = behind;
    this.known = known;
  }

  /** What to ask the store for: the header and whole frames, all of which are full. */
  static ReadRange stored(ReadRange plain) {
    long frames = plain.lengthBytes() / CipherLayout.FRAME_BYTES;
    long bytes = CipherLayout.HEADER_BYTES + frames * CipherLayout.STORED_FRAME_BYTES;
    return new ReadRange(plain.key(), 0, Math.toIntExact(bytes));
  }

  /** Whether a read can be one: that of a short last frame must know how long it is. */
  static boolean fits(ReadRange plain) {
    return plain.positionBytes() == 0 && plain.lengthBytes() % CipherLayout.FRAME_BYTES == 0;
  }

  /** Whether all frames of the last try were opened and put. */
  boolean deciphered() {
    Deciphering last = deciphering;
    return last != null && last.failure() == null;
  }

  /** The read has ended: tells what became of the header. */
  void end(CompletableFuture<ObjectCipher> promise) {
    CompletableFuture<ObjectCipher> came = cipher;
    if (came == null) {
      promise.completeExceptionally(
          StoreException.Undeciphered.forged("a read gave less than its header"));
      return;
    }
    CompletableFuture<?> unused =
        came.whenComplete(
            (now, failure) -> {
              if (failure == null) {
                promise.complete(now);
              } else {
                promise.completeExceptionally(StoreException.of(failure));
              }
            });
  }

  @Override
  public void put(int fromBytes, ByteBuffer piece) {
    if (fromBytes == 0) {
      header.clear();
      deciphering = null;
    }
    int at = fromBytes;
    if (header.hasRemaining()) {
      int take = Math.min(piece.remaining(), header.remaining());
      header.put(piece.slice(piece.position(), take));
      piece.position(piece.position() + take);
      at += take;
      if (!header.hasRemaining()) {
        headerCame();
      }
    }
    Deciphering now = deciphering;
    if (now != null && piece.hasRemaining()) {
      now.put(at - CipherLayout.HEADER_BYTES, piece);
    } else {
      piece.position(piece.limit());
    }
  }

  private void headerCame() {
    CompletableFuture<ObjectCipher> coming = ciphers.from(plain.key(), header.duplicate().flip());
    cipher = coming;
    if (coming.isDone() && !coming.isCompletedExceptionally()) {
      ObjectCipher now = coming.join();
      known.accept(now);
      if (now.plainBytes() >= plain.lengthBytes()) {
        deciphering = new Deciphering(now, plain, behind);
      }
    }
  }
}
