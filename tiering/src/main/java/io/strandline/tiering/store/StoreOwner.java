package io.strandline.tiering.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Which cluster a store's prefix belongs to: the cluster's id, as text and a newline, in the object
 * {@link #KEY}, created once and never changed. Another cluster's prefix may be read, not written.
 */
public final class StoreOwner {
  /** The owner object. */
  public static final ObjectKey KEY = ObjectKey.of("owner");

  private static final int BYTES_MAX = 256;

  private StoreOwner() {}

  /** The cluster id that the prefix belongs to, if it has an owner. Cost: 1 GET. */
  public static CompletableFuture<Optional<String>> read(ObjectStore store) {
    return store
        .get(KEY, BYTES_MAX)
        .handle(
            (bytes, thrown) -> {
              if (thrown == null) {
                return Optional.of(StandardCharsets.UTF_8.decode(bytes).toString().strip());
              }
              StoreException known = StoreException.of(thrown);
              if (known instanceof StoreException.NotFound) {
                return Optional.empty();
              }
              throw known;
            });
  }

  /**
   * Takes the prefix for a cluster, or finds that it has it already. Cost: 1 GET, and 1 PUT and 1
   * GET the first time.
   *
   * @return fails with {@link StoreException.Refused} if it is another's
   */
  public static CompletableFuture<Void> claim(ObjectStore store, String clusterId) {
    return read(store)
        .thenCompose(
            owner ->
                owner.isPresent()
                    ? CompletableFuture.completedFuture(owner)
                    : create(store, clusterId))
        .thenAccept(owner -> check(store, clusterId, owner.orElse("nobody")));
  }

  /** Whoever won: a refusal may be the echo of our own write, so what is there decides. */
  private static CompletableFuture<Optional<String>> create(ObjectStore store, String clusterId) {
    ByteBuffer text = ByteBuffer.wrap((clusterId + "\n").getBytes(StandardCharsets.UTF_8));
    return store
        .putIfAbsent(KEY, Payload.of(text))
        .handle(
            (info, thrown) -> {
              if (thrown != null
                  && !(StoreException.of(thrown) instanceof StoreException.PreconditionFailed)) {
                throw StoreException.of(thrown);
              }
              return info;
            })
        .thenCompose(unused -> read(store));
  }

  private static void check(ObjectStore store, String clusterId, String owner) {
    if (!owner.equals(clusterId)) {
      throw new StoreException.Refused(
          store.describe()
              + " belongs to cluster "
              + owner
              + ", this is cluster "
              + clusterId
              + ": give each cluster a prefix of its own (another cluster's can be read, not"
              + " written)",
          null);
    }
  }
}
