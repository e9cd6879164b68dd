package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/**
 * One head object, swapped under the ETag of the version that the next one was made from. The nonce
 * makes every version's bytes, and so its ETag, unique: a swap that succeeds is its own proof, and
 * no sleeper can win.
 *
 * <p>Requests: commit PUT; newest HEAD, GET, in this order, because a mark older than the bytes
 * only makes a later swap fail, while a younger one would let it overwrite what was never read.
 */
final class SwappedHead implements ManifestLog {
  private final ObjectStore store;
  private final InstantSource clock;

  SwappedHead(ObjectStore store, InstantSource clock) {
    this.store = store;
    this.clock = clock;
  }

  @Override
  public CompletableFuture<Optional<Stored>> newest(TopicIdPartition partition) {
    long nowMs = clock.millis();
    ObjectKey key = ManifestKeys.head(partition);
    return store
        .head(key)
        .thenCompose(
            head -> {
              if (head.isEmpty()) {
                return CompletableFuture.completedFuture(Optional.<Stored>empty());
              }
              return store
                  .get(key, VersionCodec.MAX_BYTES)
                  .thenApply(
                      bytes ->
                          Optional.of(
                              stored(VersionCodec.decode(partition, bytes), head.get(), nowMs)));
            });
  }

  @Override
  public CompletableFuture<Outcome> append(Stored parent, ManifestVersion next) {
    long nowMs = clock.millis();
    ObjectKey key = ManifestKeys.head(next.partition());
    Payload payload = Payload.of(VersionCodec.encode(next));
    CompletableFuture<ObjectInfo> swap =
        parent.version().number() == 0
            ? store.putIfAbsent(key, payload)
            : store.replace(key, payload, parent.mark());
    return swap.thenApply(info -> new Outcome(true, stored(next, info, nowMs)))
        .exceptionallyCompose(failure -> afterRefusal(next, ChainedVersions.cause(failure)));
  }

  /** Nothing to do: what was swapped out is gone. */
  @Override
  public CompletableFuture<Void> collect(Stored newest) {
    return CompletableFuture.completedFuture(null);
  }

  private CompletableFuture<Outcome> afterRefusal(ManifestVersion next, Throwable refusal) {
    if (!(refusal instanceof StoreException.PreconditionFailed)
        && !(refusal instanceof StoreException.Unavailable)) {
      return CompletableFuture.failedFuture(refusal);
    }
    return newest(next.partition())
        .thenApply(
            newest -> {
              Stored stored =
                  newest.orElseGet(() -> ManifestLog.nothing(next.partition(), clock.millis()));
              boolean won = stored.version().descendsFrom(next.nonce());
              if (!won && stored.version().number() < next.number()) {
                throw new StoreException.Unavailable(
                    "version " + next.number() + " may still come", refusal);
              }
              return new Outcome(won, stored);
            });
  }

  private static Stored stored(ManifestVersion version, ObjectInfo info, long seenMs) {
    return new Stored(version, info.etag(), info.modified(), seenMs);
  }
}
