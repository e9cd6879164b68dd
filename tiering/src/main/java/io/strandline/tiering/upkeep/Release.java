package io.strandline.tiering.upkeep;

import io.micrometer.core.instrument.Counter;
import io.strandline.tiering.manifest.CommittedSegment;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.LocalRelease;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Frees local bytes that are committed and that local retention does not want. */
public final class Release implements Chore {
  private static final int PAGE = 64;

  private final LocalSegments local;
  private final Supplier<TierPolicy> policy;
  private final Executor disk;
  private final LongSupplier clockMs;
  private final Counter releasedBytes;
  private final long everyMs;

  /** Oldest first. */
  private final Queue<CommittedSegment> known = new ArrayDeque<>();

  public Release(Upkept upkept, Counter releasedBytes, long everyMs) {
    this.local = upkept.local();
    this.policy = upkept.policy();
    this.disk = upkept.disk();
    this.clockMs = upkept.clockMs();
    this.releasedBytes = releasedBytes;
    this.everyMs = everyMs;
  }

  @Override
  public String name() {
    return "release";
  }

  @Override
  public boolean afterCommit() {
    return true;
  }

  @Override
  public long pauseMs(int done) {
    return done > 0 ? 0 : everyMs;
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    long localStart = local.localLogStartOffset();
    if (localStart >= writer.view().endOffset() || policy.get().copying() != Copying.ON) {
      forget();
      return CompletableFuture.completedFuture(0);
    }
    return writer
        .committed(localStart, PAGE)
        .thenApplyAsync(
            committed -> {
              know(committed);
              LocalRelease.Released released =
                  LocalRelease.release(committed, local, policy.get(), clockMs.getAsLong());
              releasedBytes.increment((double) released.bytes());
              return released.bytes() > 0 ? released.segments() : 0;
            },
            disk);
  }

  /** What was seen to be committed may not be any more. */
  synchronized void forget() {
    known.clear();
  }

  private synchronized void know(List<CommittedSegment> committed) {
    known.clear();
    known.addAll(committed);
  }

  /**
   * Frees the oldest segments of all these partitions, whatever local retention says, until so many
   * bytes are free or none is left that is known to be committed. Needs no request. Blocks on disk.
   *
   * @return bytes freed
   */
  public static long free(Collection<Release> partitions, long bytes) {
    PriorityQueue<Oldest> oldest = new PriorityQueue<>(Comparator.comparingLong(Oldest::ms));
    partitions.forEach(release -> release.oldest().ifPresent(oldest::add));
    long freed = 0;
    while (freed < bytes && !oldest.isEmpty()) {
      Release release = oldest.remove().release;
      freed += release.freeOldest();
      release.oldest().ifPresent(oldest::add);
    }
    return freed;
  }

  private record Oldest(long ms, Release release) {}

  private synchronized Optional<Oldest> oldest() {
    TierPolicy now = policy.get();
    if (now.keepsLocal() || now.copying() != Copying.ON) {
      return Optional.empty();
    }
    long localStart = local.localLogStartOffset();
    while (!known.isEmpty() && known.element().entry().endOffset() <= localStart) {
      known.remove();
    }
    return known.isEmpty()
        ? Optional.empty()
        : Optional.of(new Oldest(known.element().entry().maxTimestamp(), this));
  }

  private synchronized long freeOldest() {
    long freed = local.release(known.remove());
    releasedBytes.increment((double) freed);
    return freed;
  }

  /** Whether nothing is left of what the last turn saw; the next may see more. */
  public synchronized boolean spent() {
    return known.isEmpty();
  }
}
