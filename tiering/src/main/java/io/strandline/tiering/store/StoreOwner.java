package io.strandline.tiering.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/**
 * Which cluster a store's prefix belongs to, and which prefix it is: the object {@link #KEY},
 * created once and never changed. Another cluster's prefix may be read, not written.
 *
 * <p>Layout: two lines of text, the cluster's id and 16 hex digits by chance, so that brokers can
 * tell whether all of them mean one prefix, by whatever address each knows it.
 */
public final class StoreOwner {
  /** The owner object. */
  public static final ObjectKey KEY = ObjectKey.of("owner");

  private static final int BYTES_MAX = 256;

  private StoreOwner() {}

  /** The cluster id that the prefix belongs to, if it has an owner. Cost: 1 GET. */
  public static CompletableFuture<Optional<String>> read(ObjectStore store) {
    return lines(store).thenApply(lines -> lines.stream().findFirst());
  }

  /** None if there is no owner. */
  private static CompletableFuture<List<String>> lines(ObjectStore store) {
    return store
        .get(KEY, BYTES_MAX)
        .handle(
            (bytes, thrown) -> {
              if (thrown == null) {
                return StandardCharsets.UTF_8.decode(bytes).toString().strip().lines().toList();
              }
              StoreException known = StoreException.of(thrown);
              if (known instanceof StoreException.NotFound) {
                return List.of();
              }
              throw known;
            });
  }

  /**
   * Takes the prefix for a cluster, or finds that it has it already. Cost: 1 GET, and 1 PUT and 1
   * GET the first time.
   *
   * @return the prefix's identity, which no other has; fails with {@link StoreException.Refused} if
   *     it is another cluster's
   */
  public static CompletableFuture<String> claim(
      ObjectStore store, String clusterId, RandomGenerator random) {
    return lines(store)
        .thenCompose(
            owner ->
                owner.isEmpty()
                    ? create(store, clusterId, random)
                    : CompletableFuture.completedFuture(owner))
        .thenApply(
            owner -> {
              check(store, clusterId, owner.isEmpty() ? "nobody" : owner.get(0));
              return owner.get(owner.size() - 1);
            });
  }

  /** Whoever won: a refusal may be the echo of our own write, so what is there decides. */
  private static CompletableFuture<List<String>> create(
      ObjectStore store, String clusterId, RandomGenerator random) {
    String text = clusterId + "\n" + HexFormat.of().toHexDigits(random.nextLong()) + "\n";
    return store
        .putIfAbsent(KEY, Payload.of(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))))
        .handle(
            (info, thrown) -> {
              if (thrown != null
                  && !(StoreException.of(thrown) instanceof StoreException.PreconditionFailed)) {
                throw StoreException.of(thrown);
              }
              return info;
            })
        .thenCompose(unused -> lines(store));
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
