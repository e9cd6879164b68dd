package io.strandline.tiering.upkeep;

import io.micrometer.core.instrument.Counter;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.OrphanSweep;
import io.strandline.tiering.store.ObjectKey;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** Looks for objects of ours that no manifest names, and deletes them after the grace. */
public final class Sweep implements Chore {
  private final OrphanSweep orphans;
  private final Predicate<ObjectKey> open;
  private final Counter deletedOrphans;
  private final long everyMs;
  private final long firstMs;

  /**
   * @param open whether an upload under this key may still be under way
   * @param firstMs pause before the first one, so that partitions spread
   */
  public Sweep(
      OrphanSweep orphans,
      Predicate<ObjectKey> open,
      Counter deletedOrphans,
      long everyMs,
      long firstMs) {
    this.orphans = orphans;
    this.open = open;
    this.deletedOrphans = deletedOrphans;
    this.everyMs = everyMs;
    this.firstMs = firstMs;
  }

  @Override
  public String name() {
    return "sweep";
  }

  @Override
  public long firstPauseMs() {
    return firstMs;
  }

  @Override
  public long pauseMs(int done) {
    return everyMs;
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    return orphans
        .sweep(writer.view().partition(), writer.view().leaderEpoch(), open)
        .thenApply(
            found -> {
              deletedOrphans.increment(found.deleted());
              return found.deleted();
            });
  }
}
