package io.strandline.replay.fetch;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.micrometer.core.instrument.Counter;
import io.strandline.tiering.manifest.ManifestView;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;

/**
 * Newest known manifest views. One is read again when it is older than the bound, or at once when
 * an offset beyond its end is asked for; one read at a time per partition. While the store does not
 * answer, an old view that covers the offset is used. Threads: any.
 */
public final class Views {
  private static final int PARTITIONS_MAX = 10_000;

  private record Known(ManifestView view, long readNanos) {}

  private record Reading(long begunNanos, CompletableFuture<Known> known) {}

  private final FetchEnvironment environment;
  private final long staleNanos;
  private final Counter reads;
  private final Cache<TopicIdPartition, Known> known;
  private final ConcurrentHashMap<TopicIdPartition, Reading> readings = new ConcurrentHashMap<>();

  public Views(FetchConfig config, FetchEnvironment environment) {
    this.environment = environment;
    this.staleNanos = TimeUnit.MILLISECONDS.toNanos(config.viewStaleMs());
    this.reads = environment.metrics().counter("strandline.replay.manifest.reads");
    this.known = Caffeine.newBuilder().maximumSize(PARTITIONS_MAX).executor(Runnable::run).build();
  }

  /** A view within the bound that covers the offset, or one read after this call. */
  public CompletableFuture<ManifestView> view(TopicIdPartition partition, long offset) {
    Known now = known.getIfPresent(partition);
    if (now == null) {
      return refresh(partition);
    }
    boolean covered = offset < now.view.endOffset();
    if (covered && environment.nanoTicker().getAsLong() - now.readNanos < staleNanos) {
      return CompletableFuture.completedFuture(now.view);
    }
    CompletableFuture<ManifestView> fresh = refresh(partition);
    return covered ? fresh.exceptionally(failure -> now.view) : fresh;
  }

  /** The newest version, by a read that begins after this call. */
  public CompletableFuture<ManifestView> refresh(TopicIdPartition partition) {
    long asked = environment.nanoTicker().getAsLong();
    Reading running = readings.get(partition);
    if (running != null && running.begunNanos - asked < 0) {
      // It may miss what was committed since it began.
      return running
          .known
          .handle((view, failure) -> view)
          .thenCompose(view -> join(partition))
          .thenApply(Known::view);
    }
    return join(partition).thenApply(Known::view);
  }

  private CompletableFuture<Known> join(TopicIdPartition partition) {
    Reading mine = new Reading(environment.nanoTicker().getAsLong(), new CompletableFuture<>());
    Reading running = readings.putIfAbsent(partition, mine);
    if (running != null) {
      return running.known.copy();
    }
    reads.increment();
    CompletableFuture<?> unused =
        environment
            .manifests()
            .read(partition)
            .whenComplete((view, failure) -> end(partition, mine, view, failure));
    return mine.known.copy();
  }

  private void end(
      TopicIdPartition partition,
      Reading reading,
      @Nullable ManifestView view,
      @Nullable Throwable failure) {
    Known read = view == null ? null : new Known(view, reading.begunNanos);
    if (read != null) {
      known.asMap().merge(partition, read, Views::newer);
    }
    readings.remove(partition, reading);
    if (read != null) {
      reading.known.complete(read);
    } else {
      reading.known.completeExceptionally(
          failure == null ? new IllegalStateException("no view of " + partition) : failure);
    }
  }

  private static Known newer(Known a, Known b) {
    return a.view.version() > b.view.version() ? a : b;
  }
}
