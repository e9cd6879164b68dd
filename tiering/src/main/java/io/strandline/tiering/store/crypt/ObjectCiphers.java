package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ciphers of objects that were read lately, each from its object's header: one request, whoever
 * asks. A failure is not remembered. Threads: any; guarded by its own monitor.
 */
final class ObjectCiphers {
  private static final Logger LOG = LoggerFactory.getLogger(ObjectCiphers.class);
  private static final int KEPT = 8192;

  private final ObjectStore store;
  private final KeyRing ring;
  private final Map<ObjectKey, CompletableFuture<ObjectCipher>> kept =
      new LinkedHashMap<>(64, 0.75f, true);
  private final Map<String, Long> headers = new ConcurrentSkipListMap<>();
  private final Set<String> lacking = ConcurrentHashMap.newKeySet();

  ObjectCiphers(ObjectStore store, KeyRing ring) {
    this.store = store;
    this.ring = ring;
  }

  /** The cipher of an object; its header is read if nobody did or does. */
  CompletableFuture<ObjectCipher> of(ObjectKey object) {
    CompletableFuture<ObjectCipher> mine = new CompletableFuture<>();
    CompletableFuture<ObjectCipher> theirs = keep(object, mine);
    if (theirs != null) {
      return theirs.exceptionallyCompose(
          failure ->
              StoreException.of(failure) instanceof StoreException.Undeciphered
                  ? CompletableFuture.failedFuture(failure)
                  : read(object));
    }
    settle(object, mine, read(object));
    return mine;
  }

  /** Makes way for a read that brings the header itself; empty if somebody has it or brings it. */
  Optional<CompletableFuture<ObjectCipher>> promise(ObjectKey object) {
    CompletableFuture<ObjectCipher> mine = new CompletableFuture<>();
    if (keep(object, mine) != null) {
      return Optional.empty();
    }
    CompletableFuture<?> unused =
        mine.whenComplete((cipher, failure) -> drop(object, mine, failure != null));
    return Optional.of(mine);
  }

  /** The object was written again, or its cipher does not fit. */
  synchronized void forget(ObjectKey object) {
    kept.remove(object);
  }

  /** From a header that was read. */
  CompletableFuture<ObjectCipher> from(ObjectKey object, ByteBuffer bytes) {
    try {
      CipherHeader header = CipherHeader.decode(bytes);
      headers.merge(header.wrapped().keyId(), 1L, Long::sum);
      return ring.unwrap(header.wrapped(), context(object))
          .whenComplete((key, failure) -> tellOnce(object, failure))
          .thenApply(key -> cipher(object, header, key));
    } catch (StoreException.Undeciphered e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** How many headers were read, by the id of the key that they name. */
  Map<String, Long> headers() {
    return Map.copyOf(headers);
  }

  /** What an object's key is bound to. */
  static byte[] context(ObjectKey object) {
    return object.value().getBytes(StandardCharsets.US_ASCII);
  }

  private static ObjectCipher cipher(ObjectKey object, CipherHeader header, byte[] key) {
    if (key.length != ObjectCipher.KEY_BYTES) {
      throw StoreException.Undeciphered.forged("its key has " + key.length + " bytes");
    }
    return new ObjectCipher(object, header, key);
  }

  /** Each key that is not at hand is told of with the first object that needs it. */
  private void tellOnce(ObjectKey object, @Nullable Throwable failure) {
    if (failure != null
        && StoreException.of(failure) instanceof StoreException.Undeciphered known
        && known.lackingKey().isPresent()
        && lacking.add(known.lackingKey().get())) {
      LOG.atError()
          .addKeyValue("object", object)
          .addKeyValue("reason", known.getMessage())
          .log("objects cannot be deciphered");
    }
  }

  private CompletableFuture<ObjectCipher> read(ObjectKey object) {
    return store
        .get(object, 0, CipherLayout.HEADER_BYTES)
        .thenCompose(bytes -> from(object, bytes));
  }

  private void settle(
      ObjectKey object,
      CompletableFuture<ObjectCipher> mine,
      CompletableFuture<ObjectCipher> read) {
    CompletableFuture<?> unused =
        read.whenComplete(
            (cipher, failure) -> {
              drop(object, mine, failure != null);
              if (failure == null) {
                mine.complete(cipher);
              } else {
                mine.completeExceptionally(StoreException.of(failure));
              }
            });
  }

  private synchronized @Nullable CompletableFuture<ObjectCipher> keep(
      ObjectKey object, CompletableFuture<ObjectCipher> mine) {
    CompletableFuture<ObjectCipher> there = kept.get(object);
    if (there == null) {
      kept.put(object, mine);
      if (kept.size() > KEPT) {
        var eldest = kept.entrySet().iterator();
        eldest.next();
        eldest.remove();
      }
    }
    return there;
  }

  private synchronized void drop(
      ObjectKey object, CompletableFuture<ObjectCipher> mine, boolean failed) {
    if (failed) {
      kept.remove(object, mine);
    }
  }
}
