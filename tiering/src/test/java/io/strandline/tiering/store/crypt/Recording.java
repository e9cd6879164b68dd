package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreCall;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Remembers which ranges are asked for, and what is put. */
final class Recording extends DecoratedObjectStore {
  final List<ReadRange> gets = new ArrayList<>();
  final List<Payload> puts = new ArrayList<>();

  Recording(ObjectStore inner) {
    super(inner);
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    return action.get();
  }

  @Override
  public CompletableFuture<ObjectInfo> put(ObjectKey key, Payload payload) {
    puts.add(payload);
    return super.put(key, payload);
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
    gets.add(new ReadRange(key, positionBytes, lengthBytes));
    return super.get(key, positionBytes, lengthBytes);
  }

  @Override
  public CompletableFuture<Landing> get(ReadRange range, Landing landing) {
    gets.add(range);
    return super.get(range, landing);
  }
}
