package io.strandline.tiering.upkeep;

import io.micrometer.core.instrument.Counter;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.scrub.PartitionScrub;
import io.strandline.tiering.scrub.ScrubLedger;
import io.strandline.tiering.store.ObjectKey;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Lists the partition's objects beside its manifest: says what is missing, and deletes objects of
 * ours that no manifest names after the grace.
 */
public final class Sweep implements Chore {
  private final PartitionScrub scrub;
  private final ScrubLedger ledger;
  private final Predicate<ObjectKey> open;
  private final Counter deletedOrphans;
  private final Turn when;

  /**
   * @param firstMs pause before the first one, so that partitions spread
   */
  public record Turn(long everyMs, long firstMs) {}

  /**
   * @param open whether an upload under this key may still be under way
   */
  public Sweep(
      PartitionScrub scrub,
      ScrubLedger ledger,
      Predicate<ObjectKey> open,
      Counter deletedOrphans,
      Turn when) {
    this.scrub = scrub;
    this.ledger = ledger;
    this.open = open;
    this.deletedOrphans = deletedOrphans;
    this.when = when;
  }

  @Override
  public String name() {
    return "sweep";
  }

  @Override
  public long firstPauseMs() {
    return when.firstMs;
  }

  @Override
  public long pauseMs(int done) {
    return when.everyMs;
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    ManifestView view = writer.view();
    return scrub
        .sweep(view.partition(), view.leaderEpoch(), open)
        .thenCompose(
            found ->
                ledger
                    .gone(writer.view())
                    .thenApply(
                        gone -> {
                          if (found.listed()) {
                            ledger.listed(writer.view(), found.findings(), gone);
                          }
                          deletedOrphans.increment(found.deleted());
                          return found.deleted() + found.leftovers();
                        }));
  }
}
