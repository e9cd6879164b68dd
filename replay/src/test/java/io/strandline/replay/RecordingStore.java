package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** Counts reads of segments, and can hold them back, damage them or fail them. */
final class RecordingStore extends DecoratedObjectStore {
  record Get(ObjectKey key, long positionBytes, int lengthBytes) {}

  final List<Get> gets = Collections.synchronizedList(new ArrayList<>());
  final AtomicLong inFlightBytes = new AtomicLong();
  final AtomicLong inFlightBytesMax = new AtomicLong();
  private final List<Runnable> held = new ArrayList<>();
  private volatile boolean holding;
  private volatile boolean down;
  private final AtomicInteger damageNext = new AtomicInteger();
  private final AtomicInteger lengthNext = new AtomicInteger();

  RecordingStore(ObjectStore inner) {
    super(inner);
  }

  /** From now on answers wait for {@link #release}. */
  void hold() {
    holding = true;
  }

  void release() {
    holding = false;
    List<Runnable> all;
    synchronized (held) {
      all = List.copyOf(held);
      held.clear();
    }
    all.forEach(Runnable::run);
  }

  void down(boolean isDown) {
    down = isDown;
  }

  void damageNext(int count) {
    damageNext.set(count);
  }

  /** The next answer from a segment's begin says that its first batch is so long. */
  void lengthenNext(int batchBytes) {
    lengthNext.set(batchBytes);
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    return action.get();
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
    if (!key.value().endsWith(".seg")) {
      return super.get(key, positionBytes, lengthBytes);
    }
    gets.add(new Get(key, positionBytes, lengthBytes));
    if (down) {
      return CompletableFuture.failedFuture(new StoreException.Unavailable("down", null));
    }
    inFlightBytesMax.accumulateAndGet(inFlightBytes.addAndGet(lengthBytes), Math::max);
    CompletableFuture<ByteBuffer> inner =
        super.get(key, positionBytes, lengthBytes)
            .whenComplete((bytes, failure) -> inFlightBytes.addAndGet(-lengthBytes));
    if (damageNext.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
      inner = inner.thenApply(RecordingStore::damaged);
    }
    int lengthened = positionBytes == 0 ? lengthNext.getAndSet(0) : 0;
    if (lengthened > 0) {
      inner = inner.thenApply(bytes -> copy(bytes).putInt(8, lengthened - 12));
    }
    return holding ? heldBack(inner) : inner;
  }

  @Override
  public CompletableFuture<Landing> get(ReadRange range, Landing landing) {
    Landing.Try only = landing.begin();
    return get(range.key(), range.positionBytes(), range.lengthBytes())
        .thenApply(
            bytes -> {
              assertThat(only.put(bytes)).isTrue();
              return landing;
            });
  }

  private CompletableFuture<ByteBuffer> heldBack(CompletableFuture<ByteBuffer> inner) {
    CompletableFuture<ByteBuffer> outer = new CompletableFuture<>();
    synchronized (held) {
      held.add(() -> link(inner, outer));
    }
    return outer;
  }

  private static ByteBuffer copy(ByteBuffer bytes) {
    return ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
  }

  private static ByteBuffer damaged(ByteBuffer bytes) {
    ByteBuffer copy = copy(bytes);
    for (int at = 100; at < copy.limit(); at += 1000) {
      copy.put(at, (byte) (copy.get(at) ^ 0x40));
    }
    return copy;
  }
}
