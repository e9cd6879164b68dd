package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A store that encrypts the objects whose names end in {@link #SUFFIX} and leaves all others as
 * they are. What it is given and gives are plain bytes and their lengths; what the store within
 * sees is longer.
 *
 * <p>Stands in front of all guards, so that what they retry is what was stored. A read in sequence
 * costs no request more; one that begins elsewhere costs one of 512 bytes for each object that was
 * not read lately. Frames are opened on the thread that brings them.
 */
public final class EncryptedObjectStore extends DecoratedObjectStore {
  /** What the names of encrypted objects end in. */
  public static final String SUFFIX = ".enc";

  private final ObjectStore inner;
  private final KeyRing ring;
  private final Executor executor;
  private final ObjectCiphers ciphers;

  /**
   * @param executor goes on with those who waited for a header
   */
  public EncryptedObjectStore(ObjectStore inner, KeyRing ring, Executor executor) {
    super(inner);
    this.inner = inner;
    this.ring = ring;
    this.executor = executor;
    this.ciphers = new ObjectCiphers(inner, ring);
  }

  /** Whether objects of this name are encrypted. */
  public static boolean isEncrypted(ObjectKey key) {
    return key.value().endsWith(SUFFIX);
  }

  /** How many headers were read so far, by the id of the key that they name. */
  public Map<String, Long> keysSeen() {
    return ciphers.headers();
  }

  /** Looks at objects as they are stored. */
  public KeylessCheck keyless(KeylessCheck.Pace pace) {
    return new KeylessCheck(inner, pace);
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    return action.get();
  }

  // ---- writing

  @Override
  public CompletableFuture<ObjectInfo> put(ObjectKey key, Payload payload) {
    return isEncrypted(key)
        ? write(key, payload, enciphered -> inner.put(key, enciphered))
        : super.put(key, payload);
  }

  @Override
  public CompletableFuture<ObjectInfo> putIfAbsent(ObjectKey key, Payload payload) {
    return isEncrypted(key)
        ? write(key, payload, enciphered -> inner.putIfAbsent(key, enciphered))
        : super.putIfAbsent(key, payload);
  }

  @Override
  public CompletableFuture<ObjectInfo> replace(ObjectKey key, Payload payload, String etag) {
    return isEncrypted(key)
        ? write(key, payload, enciphered -> inner.replace(key, enciphered, etag))
        : super.replace(key, payload, etag);
  }

  /** Each under a key of its own, also when the same object is written again. */
  private CompletableFuture<ObjectInfo> write(
      ObjectKey key, Payload payload, Function<Payload, CompletableFuture<ObjectInfo>> put) {
    return after(
            ring.create(ObjectCiphers.context(key)),
            fresh -> put.apply(enciphered(key, payload, fresh)))
        .thenApply(
            info -> {
              ciphers.forget(key);
              return plain(info);
            });
  }

  private static Payload enciphered(ObjectKey key, Payload payload, DataKey fresh) {
    CipherHeader header = new CipherHeader(payload.lengthBytes(), fresh.wrapped());
    CipherBody body = new CipherBody(payload, new ObjectCipher(key, header, fresh.bytes()));
    long bodyBytes = CipherLayout.bodyBytes(payload.lengthBytes());
    return new Payload(
        List.of(new Payload.Bytes(header.encode()), new Payload.Made(body, 0, bodyBytes)));
  }

  // ---- reading

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
    if (!isEncrypted(key)) {
      return super.get(key, positionBytes, lengthBytes);
    }
    ReadRange range = new ReadRange(key, positionBytes, lengthBytes);
    ByteBuffer bytes = ByteBuffer.allocate(lengthBytes);
    Landing landing =
        new Landing(
            lengthBytes,
            (from, piece) -> {
              bytes.put(from, piece, piece.position(), piece.remaining());
              piece.position(piece.limit());
            });
    return get(range, landing)
        .thenApply(
            landed -> {
              landed.close();
              return bytes;
            });
  }

  @Override
  public CompletableFuture<Landing> get(ReadRange range, Landing landing) {
    if (!isEncrypted(range.key())) {
      return super.get(range, landing);
    }
    if (FirstRead.fits(range)) {
      Optional<CompletableFuture<ObjectCipher>> promise = ciphers.promise(range.key());
      if (promise.isPresent()) {
        return first(range, landing, promise.get());
      }
    }
    return recovering(range, read(ciphers.of(range.key()), range, landing), again(range, landing));
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, int limitBytes) {
    if (!isEncrypted(key)) {
      return super.get(key, limitBytes);
    }
    long stored = CipherLayout.storedBytes(limitBytes);
    return after(
        inner.get(key, (int) Math.min(Integer.MAX_VALUE, stored)), bytes -> whole(key, bytes));
  }

  /** The header with the frames. If anything is wrong with them, a second read decides what. */
  private CompletableFuture<Landing> first(
      ReadRange range, Landing landing, CompletableFuture<ObjectCipher> promise) {
    FirstRead first = new FirstRead(ciphers, range, landing, known -> tell(promise, known));
    ReadRange stored = FirstRead.stored(range);
    Landing front = new Landing(stored.lengthBytes(), first);
    CompletableFuture<Landing> got = inner.get(stored, front);
    CompletableFuture<?> unused =
        got.whenComplete(
            (done, failure) -> {
              front.close();
              if (failure != null) {
                promise.completeExceptionally(StoreException.of(failure));
              } else {
                first.end(promise);
              }
            });
    return after(
        got,
        done ->
            first.deciphered()
                ? CompletableFuture.completedFuture(landing)
                : recovering(range, read(promise, range, landing), again(range, landing)));
  }

  /** Elsewhere: here the first read's landing is held, and those who wait do what they like. */
  private void tell(CompletableFuture<ObjectCipher> promise, ObjectCipher known) {
    try {
      executor.execute(() -> promise.complete(known));
    } catch (RejectedExecutionException closing) {
      promise.complete(known);
    }
  }

  private CompletableFuture<Landing> read(
      CompletableFuture<ObjectCipher> known, ReadRange range, Landing landing) {
    return after(
        known,
        cipher -> {
          range.checkWithin(cipher.plainBytes());
          ReadRange stored = CipherLayout.stored(range, cipher.plainBytes());
          Deciphering deciphering = new Deciphering(cipher, range, landing);
          Landing front = new Landing(stored.lengthBytes(), deciphering);
          CompletableFuture<Landing> got = inner.get(stored, front);
          CompletableFuture<?> unused = got.whenComplete((done, failure) -> front.close());
          return after(got, done -> opened(deciphering, landing));
        });
  }

  private static CompletableFuture<Landing> opened(Deciphering deciphering, Landing landing) {
    StoreException.Undeciphered failure = deciphering.failure();
    return failure == null
        ? CompletableFuture.completedFuture(landing)
        : CompletableFuture.failedFuture(failure);
  }

  private Supplier<CompletableFuture<Landing>> again(ReadRange range, Landing landing) {
    return () -> {
      ciphers.forget(range.key());
      return read(ciphers.of(range.key()), range, landing);
    };
  }

  /** The object may have been written again since its header was read: that is looked at once. */
  private static CompletableFuture<Landing> recovering(
      ReadRange range,
      CompletableFuture<Landing> read,
      Supplier<CompletableFuture<Landing>> again) {
    CompletableFuture<Landing> outer = new CompletableFuture<>();
    cancelWith(outer, read);
    CompletableFuture<?> unused =
        read.whenComplete(
            (landing, thrown) -> {
              if (thrown == null) {
                outer.complete(landing);
                return;
              }
              StoreException failure = StoreException.of(thrown);
              boolean forged =
                  failure instanceof StoreException.Undeciphered u && u.lackingKey().isEmpty();
              link(named(range.key(), forged ? again.get() : read), outer);
            });
    return outer;
  }

  private static <T> CompletableFuture<T> named(ObjectKey key, CompletableFuture<T> read) {
    CompletableFuture<T> outer = new CompletableFuture<>();
    cancelWith(outer, read);
    CompletableFuture<?> unused =
        read.whenComplete(
            (value, thrown) -> {
              if (thrown == null) {
                outer.complete(value);
              } else if (StoreException.of(thrown) instanceof StoreException.Undeciphered u) {
                outer.completeExceptionally(u.of(key));
              } else {
                outer.completeExceptionally(StoreException.of(thrown));
              }
            });
    return outer;
  }

  private CompletableFuture<ByteBuffer> whole(ObjectKey key, ByteBuffer stored) {
    CompletableFuture<ByteBuffer> plain =
        ciphers
            .from(key, stored)
            .thenApply(
                cipher -> {
                  int bytes = (int) cipher.plainBytes();
                  if (CipherLayout.storedBytes(bytes) != stored.remaining()) {
                    throw StoreException.Undeciphered.forged("its length is not what it says");
                  }
                  return bytes == 0 ? ByteBuffer.allocate(0) : open(cipher, key, stored);
                });
    return named(key, plain);
  }

  private static ByteBuffer open(ObjectCipher cipher, ObjectKey key, ByteBuffer stored) {
    ByteBuffer bytes = ByteBuffer.allocate((int) cipher.plainBytes());
    Landing landing = new Landing(bytes.capacity(), (from, piece) -> bytes.put(piece));
    Deciphering deciphering =
        new Deciphering(cipher, new ReadRange(key, 0, bytes.capacity()), landing);
    ByteBuffer body = stored.slice();
    deciphering.put(0, body.position(CipherLayout.HEADER_BYTES));
    StoreException.Undeciphered failure = deciphering.failure();
    if (failure != null) {
      throw failure;
    }
    return bytes.flip();
  }

  // ---- looking

  @Override
  public CompletableFuture<Optional<ObjectInfo>> head(ObjectKey key) {
    return after(
        inner.head(key),
        info -> CompletableFuture.completedFuture(info.map(EncryptedObjectStore::plain)));
  }

  @Override
  public CompletableFuture<Page> list(String prefix, String after, int limit) {
    Page.checkLimit(limit);
    return after(
        inner.list(prefix, after, limit),
        page -> {
          Stream<ObjectInfo> plain = page.objects().stream().map(EncryptedObjectStore::plain);
          return CompletableFuture.completedFuture(new Page(plain.toList(), page.more()));
        });
  }

  /** With the length of the plain bytes, or 0 where no encrypted object can be so long. */
  private static ObjectInfo plain(ObjectInfo info) {
    return isEncrypted(info.key())
        ? new ObjectInfo(
            info.key(),
            CipherLayout.plainBytes(info.lengthBytes()).orElse(0),
            info.etag(),
            info.modified())
        : info;
  }

  /** The second call once the first has succeeded; cancelled with the result. */
  private static <T, R> CompletableFuture<R> after(
      CompletableFuture<T> first, Function<T, CompletableFuture<R>> second) {
    CompletableFuture<R> outer = new CompletableFuture<>();
    CompletableFuture<?> unused =
        first.whenComplete(
            (value, thrown) -> {
              if (thrown != null) {
                outer.completeExceptionally(StoreException.of(thrown));
              } else if (!outer.isDone()) {
                try {
                  link(second.apply(value), outer);
                } catch (RuntimeException e) {
                  outer.completeExceptionally(StoreException.of(e));
                }
              }
            });
    return outer;
  }
}
