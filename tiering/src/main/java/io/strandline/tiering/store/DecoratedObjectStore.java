package io.strandline.tiering.store;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * A store that passes every call on through one method, so that a decorator says what it does once.
 *
 * <p>Closing it closes the store within.
 */
public abstract class DecoratedObjectStore implements ObjectStore {
  private final ObjectStore inner;

  protected DecoratedObjectStore(ObjectStore inner) {
    this.inner = inner;
  }

  /** The store within. */
  protected final ObjectStore within() {
    return inner;
  }

  /**
   * Carries a call out.
   *
   * @param action begins the call on the store within; may be run never, once or several times;
   *     does not throw but for an argument out of its range
   * @return a future that fails with a {@link StoreException} and nothing else; cancelling it
   *     cancels what is under way within
   */
  protected abstract <T> CompletableFuture<T> around(
      StoreCall call, Supplier<CompletableFuture<T>> action);

  /**
   * A future that fails with {@code inner}'s bare {@link StoreException} and whose cancellation
   * cancels {@code inner}.
   */
  protected static <T> CompletableFuture<T> linked(CompletableFuture<T> inner) {
    CompletableFuture<T> outer = new CompletableFuture<>();
    link(inner, outer);
    return outer;
  }

  /** Completes {@code outer} as {@code inner} completes, and cancels inwards. */
  protected static <T> void link(CompletableFuture<T> inner, CompletableFuture<T> outer) {
    cancelWith(outer, inner);
    CompletableFuture<T> unused =
        inner.whenComplete(
            (value, thrown) -> {
              if (thrown == null) {
                outer.complete(value);
              } else {
                outer.completeExceptionally(StoreException.of(thrown));
              }
            });
  }

  /** Cancels {@code inner} when {@code outer} is cancelled. */
  protected static void cancelWith(CompletableFuture<?> outer, CompletableFuture<?> inner) {
    CompletableFuture<?> unused =
        outer.whenComplete(
            (value, thrown) -> {
              if (outer.isCancelled()) {
                inner.cancel(true);
              }
            });
  }

  @Override
  public CompletableFuture<ObjectInfo> put(ObjectKey key, Payload payload) {
    return around(
        call(StoreCall.Operation.PUT, key, payload.lengthBytes()), () -> inner.put(key, payload));
  }

  @Override
  public CompletableFuture<ObjectInfo> putIfAbsent(ObjectKey key, Payload payload) {
    return around(
        call(StoreCall.Operation.PUT_IF_ABSENT, key, payload.lengthBytes()),
        () -> inner.putIfAbsent(key, payload));
  }

  @Override
  public CompletableFuture<ObjectInfo> replace(ObjectKey key, Payload payload, String etag) {
    return around(
        call(StoreCall.Operation.REPLACE, key, payload.lengthBytes()),
        () -> inner.replace(key, payload, etag));
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
    ReadRange range = new ReadRange(key, positionBytes, lengthBytes);
    return around(
        call(StoreCall.Operation.GET, key, lengthBytes),
        () -> inner.get(key, range.positionBytes(), range.lengthBytes()));
  }

  @Override
  public CompletableFuture<Landing> get(ReadRange range, Landing landing) {
    return around(
        call(StoreCall.Operation.GET, range.key(), range.lengthBytes()),
        () -> inner.get(range, landing));
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, int limitBytes) {
    return around(call(StoreCall.Operation.GET, key, limitBytes), () -> inner.get(key, limitBytes));
  }

  @Override
  public CompletableFuture<Optional<ObjectInfo>> head(ObjectKey key) {
    return around(call(StoreCall.Operation.HEAD, key, 0), () -> inner.head(key));
  }

  @Override
  public CompletableFuture<Page> list(String prefix, String after, int limit) {
    Page.checkLimit(limit);
    return around(
        new StoreCall(StoreCall.Operation.LIST, prefix, 0), () -> inner.list(prefix, after, limit));
  }

  @Override
  public CompletableFuture<Void> delete(Collection<ObjectKey> keys) {
    List<ObjectKey> all = List.copyOf(keys);
    String subject = all.size() == 1 ? all.get(0).value() : all.size() + " objects";
    return around(new StoreCall(StoreCall.Operation.DELETE, subject, 0), () -> inner.delete(all));
  }

  @Override
  public CompletableFuture<Leftover.Page> leftovers(
      String prefix, Leftover.Of of, Leftover.After after) {
    return around(
        new StoreCall(StoreCall.Operation.LIST, prefix, 0),
        () -> inner.leftovers(prefix, of, after));
  }

  @Override
  public CompletableFuture<Void> purge(Collection<Leftover> leftovers) {
    List<Leftover> all = List.copyOf(leftovers);
    String subject = all.size() + " leftovers";
    return around(new StoreCall(StoreCall.Operation.DELETE, subject, 0), () -> inner.purge(all));
  }

  @Override
  public Optional<StoreException> refusal(StoreCall.Operation operation) {
    return inner.refusal(operation);
  }

  @Override
  public String describe() {
    return inner.describe();
  }

  @Override
  public void close() {
    inner.close();
  }

  private static StoreCall call(StoreCall.Operation operation, ObjectKey key, long bytes) {
    return new StoreCall(operation, key.value(), bytes);
  }
}
