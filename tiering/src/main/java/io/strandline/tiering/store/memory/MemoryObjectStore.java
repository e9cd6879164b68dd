package io.strandline.tiering.store.memory;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/**
 * A store in memory with atomic conditions, durable for as long as the object lives: closing it
 * changes nothing, so that a simulated process may die and another go on with the same store.
 *
 * <p>Each call takes effect, at one instant, when the executor runs it, and completes there.
 */
public final class MemoryObjectStore implements ObjectStore {
  private record Stored(ByteBuffer bytes, String etag, Instant modified) {
    ObjectInfo info(ObjectKey key) {
      return new ObjectInfo(key, bytes.limit(), etag, modified);
    }
  }

  private final Executor executor;
  private final InstantSource clock;
  private final NavigableMap<String, Stored> objects = new TreeMap<>();
  private long writes;

  /**
   * @param clock for {@link ObjectInfo#modified}
   */
  public MemoryObjectStore(Executor executor, InstantSource clock) {
    this.executor = executor;
    this.clock = clock;
  }

  @Override
  public CompletableFuture<ObjectInfo> put(ObjectKey key, Payload payload) {
    return run(() -> write(key, payload));
  }

  @Override
  public CompletableFuture<ObjectInfo> putIfAbsent(ObjectKey key, Payload payload) {
    return run(
        () -> {
          if (objects.containsKey(key.value())) {
            throw new StoreException.PreconditionFailed(key + " is there already");
          }
          return write(key, payload);
        });
  }

  @Override
  public CompletableFuture<ObjectInfo> replace(ObjectKey key, Payload payload, String etag) {
    return run(
        () -> {
          Stored there = objects.get(key.value());
          if (there == null || !there.etag().equals(etag)) {
            throw new StoreException.PreconditionFailed(key + " is not at " + etag);
          }
          return write(key, payload);
        });
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
    ReadRange range = new ReadRange(key, positionBytes, lengthBytes);
    return run(
        () -> {
          ByteBuffer bytes = find(key).bytes();
          range.checkWithin(bytes.limit());
          return copy(bytes, (int) positionBytes, lengthBytes);
        });
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, int limitBytes) {
    return run(
        () -> {
          ByteBuffer bytes = find(key).bytes();
          if (bytes.limit() > limitBytes) {
            throw new StoreException.OutOfRange(
                key + " has " + bytes.limit() + " bytes, more than " + limitBytes);
          }
          return copy(bytes, 0, bytes.limit());
        });
  }

  @Override
  public CompletableFuture<Optional<ObjectInfo>> head(ObjectKey key) {
    return run(() -> Optional.ofNullable(objects.get(key.value())).map(s -> s.info(key)));
  }

  @Override
  public CompletableFuture<Page> list(String prefix, String after, int limit) {
    Page.checkLimit(limit);
    return run(() -> page(prefix, after, limit));
  }

  @Override
  public CompletableFuture<Void> delete(Collection<ObjectKey> keys) {
    List<ObjectKey> all = List.copyOf(keys);
    return run(
        () -> {
          all.forEach(key -> objects.remove(key.value()));
          return null;
        });
  }

  @Override
  public String describe() {
    return "memory:";
  }

  @Override
  public void close() {}

  private Page page(String prefix, String after, int limit) {
    String from = after.compareTo(prefix) < 0 ? prefix : after;
    List<ObjectInfo> found = new ArrayList<>();
    for (var entry : objects.tailMap(from, !from.equals(after)).entrySet()) {
      if (!entry.getKey().startsWith(prefix)) {
        break;
      }
      if (found.size() == limit) {
        return new Page(found, true);
      }
      found.add(entry.getValue().info(ObjectKey.of(entry.getKey())));
    }
    return new Page(found, false);
  }

  private Stored find(ObjectKey key) {
    Stored there = objects.get(key.value());
    if (there == null) {
      throw new StoreException.NotFound("no object " + key);
    }
    return there;
  }

  private ObjectInfo write(ObjectKey key, Payload payload) {
    Stored stored = new Stored(bytesOf(payload), "w" + ++writes, clock.instant());
    objects.put(key.value(), stored);
    return stored.info(key);
  }

  private static ByteBuffer bytesOf(Payload payload) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      payload.transferTo(Channels.newChannel(bytes));
    } catch (IOException e) {
      throw new StoreException.Unavailable("cannot read the payload: " + e, e);
    }
    return ByteBuffer.wrap(bytes.toByteArray());
  }

  private static ByteBuffer copy(ByteBuffer bytes, int positionBytes, int lengthBytes) {
    return ByteBuffer.allocate(lengthBytes).put(bytes.slice(positionBytes, lengthBytes)).flip();
  }

  private <T> CompletableFuture<T> run(Supplier<T> action) {
    CompletableFuture<T> done = new CompletableFuture<>();
    try {
      executor.execute(() -> carryOut(action, done));
    } catch (RejectedExecutionException e) {
      done.completeExceptionally(new StoreException.Unavailable("the executor is closed", e));
    }
    return done;
  }

  private <T> void carryOut(Supplier<T> action, CompletableFuture<T> done) {
    T result;
    try {
      synchronized (objects) {
        result = action.get();
      }
    } catch (StoreException e) {
      done.completeExceptionally(e);
      return;
    }
    done.complete(result);
  }
}
