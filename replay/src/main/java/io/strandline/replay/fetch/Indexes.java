package io.strandline.replay.fetch;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.micrometer.core.instrument.Counter;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.store.ObjectKey;
import java.util.concurrent.CompletableFuture;

/**
 * Decoded indexes of segments, by weight; one request each. A failure is not remembered. Threads:
 * any.
 */
public final class Indexes {
  private record Place(ObjectKey object, long positionBytes) {}

  private final FetchEnvironment environment;
  private final Counter gets;
  private final AsyncCache<Place, SegmentIndex> indexes;

  public Indexes(FetchConfig config, FetchEnvironment environment) {
    this.environment = environment;
    this.gets = environment.metrics().counter("strandline.replay.gets", "of", "index");
    this.indexes =
        Caffeine.newBuilder()
            .maximumWeight(config.indexBytes())
            .weigher((Place place, SegmentIndex index) -> index.weightBytes())
            .executor(environment.executor())
            .buildAsync();
  }

  /**
   * @return fails with a StoreException or a SegmentFormatException; cancelling it cancels nothing
   *     for others
   */
  public CompletableFuture<SegmentIndex> of(SegmentEntry entry) {
    Place place = new Place(entry.object(), entry.positionBytes());
    return indexes.get(place, (p, executor) -> load(entry)).copy();
  }

  public void forget(SegmentEntry entry) {
    indexes.synchronous().invalidate(new Place(entry.object(), entry.positionBytes()));
  }

  private CompletableFuture<SegmentIndex> load(SegmentEntry entry) {
    gets.increment();
    return environment
        .store()
        .get(entry.object(), SegmentFormat.tailPositionBytes(entry), SegmentFormat.tailBytes(entry))
        .thenApplyAsync(tail -> SegmentFormat.decode(entry, tail), environment.executor());
  }
}
