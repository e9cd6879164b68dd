package io.strandline.tiering.store;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A flat space of named, whole objects.
 *
 * <ul>
 *   <li><b>Atomic</b>: an object is seen whole or not at all. {@link #putIfAbsent} and {@link
 *       #replace} are decided by the store: of several that race, at most one wins.
 *   <li><b>Durable</b>: a put that completed normally survives the death of this process and of its
 *       machine.
 *   <li><b>Consistent</b>: a read or list begun after a completed put or delete sees it.
 *   <li><b>Idempotent</b>: {@link #put} of the same bytes and {@link #delete} may be repeated.
 *   <li><b>Half done</b>: every other failure of a write ({@link StoreException.Unavailable})
 *       leaves its outcome unknown, and a refusal ({@link StoreException.PreconditionFailed}) may
 *       be the echo of our own earlier success: read before deciding. A failed multipart put leaves
 *       nothing that can be read; its parts are aborted.
 * </ul>
 *
 * <p>Every future fails with a {@link StoreException} and nothing else ({@link StoreException#of}
 * takes it out of what a dependent future wraps it in); an argument out of its range is thrown at
 * once. No method blocks. Threads: any; futures complete on the store's own threads, so
 * continuations that take long are dispatched elsewhere.
 */
public interface ObjectStore extends AutoCloseable {
  /** Writes the object, replacing what is there. May be carried out in parts. */
  CompletableFuture<ObjectInfo> put(ObjectKey key, Payload payload);

  /**
   * Writes the object in one request unless there is one.
   *
   * @return fails with {@link StoreException.PreconditionFailed} if there is one already
   */
  CompletableFuture<ObjectInfo> putIfAbsent(ObjectKey key, Payload payload);

  /**
   * Writes the object in one request if the one there has this {@code etag}.
   *
   * @return fails with {@link StoreException.PreconditionFailed} if it is absent or another
   */
  CompletableFuture<ObjectInfo> replace(ObjectKey key, Payload payload, String etag);

  /**
   * Reads exactly {@code lengthBytes} bytes (at least 1) from {@code positionBytes}.
   *
   * @return the bytes, position 0; fails with {@link StoreException.NotFound} if there is no such
   *     object and with {@link StoreException.OutOfRange} if it is shorter
   */
  CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes);

  /**
   * As {@link #get(ObjectKey, long, int)}, into {@code landing}, which is as long as the range and
   * which the caller closes. What was put is worth nothing unless the future completes normally.
   *
   * @return the landing, whole
   */
  default CompletableFuture<Landing> get(ReadRange range, Landing landing) {
    Landing.Try only = landing.begin();
    return get(range.key(), range.positionBytes(), range.lengthBytes())
        .thenApply(
            bytes -> {
              boolean unused = only.put(bytes);
              return landing;
            });
  }

  /**
   * Reads a whole object of at most {@code limitBytes}; a longer one fails with {@link
   * StoreException.OutOfRange}.
   */
  CompletableFuture<ByteBuffer> get(ObjectKey key, int limitBytes);

  CompletableFuture<Optional<ObjectInfo>> head(ObjectKey key);

  /**
   * One page of the objects whose key begins with {@code prefix}, in the order of their keys'
   * bytes.
   *
   * @param after only keys above this one; empty for the first page
   * @param limit at most this many, 1 to 1000
   */
  CompletableFuture<Page> list(String prefix, String after, int limit);

  /** Deletes objects; one that is not there is no error. */
  CompletableFuture<Void> delete(Collection<ObjectKey> keys);

  /**
   * One page, of some thousand at most, of what lies below the prefix and is no object; nothing
   * where a store keeps nothing of the kind.
   *
   * @param after {@link Leftover.After#START}, then what the page before said
   */
  default CompletableFuture<Leftover.Page> leftovers(
      String prefix, Leftover.Of of, Leftover.After after) {
    return CompletableFuture.completedFuture(new Leftover.Page(List.of(), Optional.empty()));
  }

  /** Deletes leftovers for good; one that is not there is no error. */
  default CompletableFuture<Void> purge(Collection<Leftover> leftovers) {
    return CompletableFuture.completedFuture(null);
  }

  /**
   * What such a call would fail with at once, because the store is known to be away; empty if it
   * would be asked. For who has much to do before the call.
   */
  default Optional<StoreException> refusal(StoreCall.Operation operation) {
    return Optional.empty();
  }

  /** What an operator would call this store: a URI without secrets. */
  String describe();

  @Override
  void close();

  /**
   * @param more whether a further page begun after the last key may hold objects
   */
  record Page(List<ObjectInfo> objects, boolean more) {
    public Page {
      objects = List.copyOf(objects);
    }

    /**
     * @throws IllegalArgumentException if {@code limit} is not from 1 to 1000
     */
    public static void checkLimit(int limit) {
      if (limit < 1 || limit > 1000) {
        throw new IllegalArgumentException("not a page size from 1 to 1000: " + limit);
      }
    }
  }
}
