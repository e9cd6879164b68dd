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

/**
 * Frees local bytes that are committed and that local retention does not want, or that are wanted
 * no more for another reason. Whoever frees anything frees it here: what is given up ({@link
 * #giveUp}) is not freed any more, whenever it was seen to be committed. Threads: any.
 */
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

  /** How often all that was committed was given up; what was seen before one is of no worth. */
  private int givenUp;

  /** What becomes of all that is committed is not known: it may be given up at any time. */
  private boolean givingUp;

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
    if (localStart >= writer.view().endOffset()
        || policy.get().copying() != Copying.ON
        || givingUp()) {
      forget();
      return CompletableFuture.completedFuture(0);
    }
    int before = givenUp();
    return writer
        .committed(localStart, PAGE)
        .thenApplyAsync(committed -> retain(committed, before), disk);
  }

  private synchronized int retain(List<CommittedSegment> committed, int before) {
    forget();
    if (before != givenUp || givingUp) {
      return 0;
    }
    known.addAll(committed);
    LocalRelease.Released released =
        LocalRelease.release(committed, local, policy.get(), clockMs.getAsLong());
    releasedBytes.increment((double) released.bytes());
    return released.bytes() > 0 ? released.segments() : 0;
  }

  /**
   * Frees what is committed and ends at or below the offset, a page of it, whatever local retention
   * says; nothing while nothing is copied.
   *
   * @return bytes freed
   */
  public CompletableFuture<Long> freeBelow(ManifestWriter writer, long offset) {
    long localStart = local.localLogStartOffset();
    if (localStart >= offset) {
      return CompletableFuture.completedFuture(0L);
    }
    int before = givenUp();
    return writer
        .committed(localStart, PAGE)
        .thenApplyAsync(
            committed ->
                committed.stream()
                    .filter(segment -> segment.entry().endOffset() <= offset)
                    .reduce((earlier, later) -> later)
                    .map(last -> free(last, before))
                    .orElse(0L),
            disk);
  }

  /** Frees all up to this segment unless it was given up since it was seen to be committed. */
  private synchronized long free(CommittedSegment segment, int before) {
    TierPolicy now = policy.get();
    if (before != givenUp || givingUp || now.keepsLocal() || now.copying() != Copying.ON) {
      return 0;
    }
    long freed = local.release(segment);
    releasedBytes.increment((double) freed);
    return freed;
  }

  private synchronized int givenUp() {
    return givenUp;
  }

  private synchronized void forget() {
    known.clear();
  }

  /**
   * All that is committed is about to be given up: the log begins with its local part, of which
   * nothing is freed any more that was committed until now, and nothing at all until {@link
   * #gaveUp}.
   *
   * @return the log start
   */
  synchronized long giveUp() {
    givenUp++;
    forget();
    local.advanceLogStart(local.localLogStartOffset());
    givingUp = true;
    return local.logStartOffset();
  }

  /** It is given up; what is committed from now on may go. */
  synchronized void gaveUp() {
    givenUp++;
    givingUp = false;
  }

  /** Whether {@link #giveUp} began what {@link #gaveUp} has not ended. */
  synchronized boolean givingUp() {
    return givingUp;
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

  /** 0 if it was given up meanwhile. */
  private synchronized long freeOldest() {
    CommittedSegment oldest = known.poll();
    return oldest == null ? 0 : free(oldest, givenUp);
  }

  /** Whether nothing is left of what the last turn saw; the next may see more. */
  public synchronized boolean spent() {
    return known.isEmpty();
  }
}
