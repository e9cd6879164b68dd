package io.strandline.broker.store;

import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.StoreProbe;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntSupplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Whether a broker may use a store: the prefix is its cluster's, the cluster was not restored
 * elsewhere since, and the store keeps the promises that are needed (design D15).
 */
public final class StoreTrial {
  private static final Logger LOG = LoggerFactory.getLogger(StoreTrial.class);

  private final ObjectStore store;
  private final RandomGenerator random;
  private final IntSupplier generation;
  private final Allowed allowed;
  private volatile Optional<String> identity = Optional.empty();

  /**
   * What the configuration lets pass.
   *
   * @param alone a store that cannot keep racing writers apart, as there is but one
   * @param deletesVersions old versions are deleted, not warned of
   */
  public record Allowed(boolean alone, boolean deletesVersions) {}

  /**
   * @param generation how often this cluster was restored, as far as it knows itself
   */
  public StoreTrial(
      ObjectStore store, RandomGenerator random, IntSupplier generation, Allowed allowed) {
    this.store = store;
    this.random = random;
    this.generation = generation;
    this.allowed = allowed;
  }

  /**
   * @return fails with a {@code StoreException}: {@code Unavailable} if the store has to be tried
   *     again, any other if it must not be used
   */
  public CompletableFuture<Void> run(String clusterId) {
    return StoreOwner.claim(store, clusterId, random)
        .thenAccept(claimed -> identity = Optional.of(claimed))
        .thenCompose(claimed -> new MetadataBackups(store).check(generation.getAsInt()))
        .thenCompose(current -> StoreProbe.run(store, random))
        .thenAccept(
            verdict -> {
              boolean bearable = allowed.alone && verdict.problems().isEmpty();
              if (!verdict.fit() && !bearable) {
                throw new StoreException.Refused(verdict.explain(), null);
              }
            })
        .thenCompose(fit -> tidyVersions());
  }

  /** Of the prefix, which all brokers of the cluster must share; empty until the store told it. */
  public Optional<String> identity() {
    return identity;
  }

  /** Without the last key if a page follows: a mark of its deletion must not go before it. */
  private static List<Leftover> whole(Leftover.Page page) {
    List<Leftover> all = page.leftovers();
    return all.stream()
        .filter(left -> page.next().isEmpty() || !left.key().equals(last(all)))
        .toList();
  }

  private static ObjectKey last(List<Leftover> all) {
    return all.stream().map(Leftover::key).max(Comparator.naturalOrder()).orElseThrow();
  }

  /** The probe's own object was deleted: a bucket that keeps versions still has it. */
  private CompletableFuture<Void> tidyVersions() {
    return store
        .leftovers(StoreProbe.PREFIX, Leftover.Of.VERSIONS, Leftover.After.START)
        .thenApply(StoreTrial::whole)
        .exceptionally(
            unknown -> {
              told(
                  Level.INFO, "whether the bucket keeps old versions cannot be found out", unknown);
              return List.of();
            })
        .thenCompose(this::tidy);
  }

  private CompletableFuture<Void> tidy(List<Leftover> kept) {
    if (kept.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    if (!allowed.deletesVersions) {
      LOG.atWarn()
          .addKeyValue("store", store.describe())
          .log(
              "the bucket keeps old versions, so that deleted history goes on costing: give it a"
                  + " lifecycle rule with NoncurrentVersionExpiration and ExpiredObjectDeleteMarker,"
                  + " or set strandline.scrub.versions=delete");
      return CompletableFuture.completedFuture(null);
    }
    return store
        .purge(kept)
        .exceptionally(
            refused -> {
              told(
                  Level.WARN,
                  "the bucket keeps old versions, and they cannot be deleted, as"
                      + " strandline.scrub.versions wants it: is s3:DeleteObjectVersion allowed?",
                  refused);
              return null;
            });
  }

  private void told(Level level, String what, Throwable why) {
    LOG.atLevel(level)
        .addKeyValue("store", store.describe())
        .addKeyValue("reason", String.valueOf(StoreException.of(why).getMessage()))
        .log(what);
  }
}
