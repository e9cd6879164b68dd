package io.strandline.replay.fetch;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.micrometer.core.instrument.Counter;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.store.ObjectKey;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Decoded indexes of segments, by weight; one request each. A failure is not remembered. Threads:
 * any.
 */
public final class Indexes {
  private record Place(ObjectKey object, long positionBytes) {}

  private final FetchEnvironment environment;
  private final Counter gets;
  private final Cache<Place, SegmentIndex> indexes;
  private final ConcurrentHashMap<Place, CompletableFuture<SegmentIndex>> loads =
      new ConcurrentHashMap<>();

  public Indexes(FetchConfig config, FetchEnvironment environment) {
    this.environment = environment;
    this.gets = environment.metrics().counter("strandline.replay.gets", "of", "index");
    this.indexes =
        Caffeine.newBuilder()
            .maximumWeight(config.indexBytes())
            .weigher((Place place, SegmentIndex index) -> index.weightBytes())
            .executor(Runnable::run)
            .build();
  }

  /**
   * @return fails with a StoreException or a SegmentFormatException; cancelling it cancels nothing
   *     for others
   */
  public CompletableFuture<SegmentIndex> of(SegmentEntry entry) {
    Place place = new Place(entry.object(), entry.positionBytes());
    SegmentIndex known = indexes.getIfPresent(place);
    if (known != null) {
      return CompletableFuture.completedFuture(known);
    }
    CompletableFuture<SegmentIndex> mine = new CompletableFuture<>();
    CompletableFuture<SegmentIndex> running = loads.putIfAbsent(place, mine);
    if (running != null) {
      return running.copy();
    }
    CompletableFuture<?> unused =
        load(entry)
            .whenComplete(
                (index, failure) -> {
                  if (index != null) {
                    indexes.put(place, index);
                  }
                  loads.remove(place, mine);
                  if (failure == null) {
                    mine.complete(index);
                  } else {
                    mine.completeExceptionally(failure);
                  }
                });
    return mine.copy();
  }

  public void forget(SegmentEntry entry) {
    indexes.invalidate(new Place(entry.object(), entry.positionBytes()));
  }

  private CompletableFuture<SegmentIndex> load(SegmentEntry entry) {
    gets.increment();
    int tailBytes;
    try {
      tailBytes = SegmentFormat.tailBytes(entry);
    } catch (SegmentFormatException e) {
      return CompletableFuture.failedFuture(e);
    }
    return environment
        .stores()
        .of(entry.ownerCluster())
        .get(entry.object(), SegmentFormat.tailPositionBytes(entry), tailBytes)
        .thenApplyAsync(tail -> SegmentFormat.decode(entry, tail), environment.executor());
  }
}
