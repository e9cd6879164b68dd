package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreCall;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Brings ranges in pieces of any size, after tries that it gave up somewhere. */
final class Stuttering extends DecoratedObjectStore {
  private final Random random;
  private final byte[] object;

  Stuttering(ObjectStore inner, Random random, byte[] object) {
    super(inner);
    this.random = random;
    this.object = object;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    return action.get();
  }

  @Override
  public CompletableFuture<Landing> get(ReadRange range, Landing landing) {
    int tries = random.nextInt(3);
    for (int i = 0; i < tries; i++) {
      bring(range, landing.begin(), random.nextInt(range.lengthBytes()));
    }
    Landing.Try late = landing.begin();
    bring(range, landing.begin(), range.lengthBytes());
    late.put(ByteBuffer.wrap(object, 0, 1));
    return CompletableFuture.completedFuture(landing);
  }

  private void bring(ReadRange range, Landing.Try to, int bytes) {
    int at = (int) range.positionBytes();
    int end = at + bytes;
    while (at < end) {
      int take = Math.min(end - at, 1 + random.nextInt(100_000));
      to.put(ByteBuffer.wrap(object, at, take));
      at += take;
    }
  }
}
