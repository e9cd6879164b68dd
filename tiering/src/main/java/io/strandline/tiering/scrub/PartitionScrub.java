package io.strandline.tiering.scrub;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.scrub.AuditFinding.Kind;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreProbe;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds what lies below a partition's own prefix against its manifest: says what is missing or of
 * another length, and deletes what uploads left behind: segments that the manifest does not name,
 * neither as held nor as retired, uploads in parts that never ended and, if so configured, what a
 * versioned bucket keeps of deleted objects; all of it only when older than the grace by the
 * store's own clock (design D15). What it does not know it reports and leaves.
 *
 * <p>To be run by the partition's leader, whose epoch has written: nobody else can name an object
 * any more. Objects are listed before the manifest is read that decides, so that what is committed
 * meanwhile is named.
 *
 * <p>Cost: a LIST for every 1000 objects, one for uploads in parts, two reads of the manifest;
 * three small requests more if something is to be deleted, and a LIST for every 1000 versions if
 * these are. Threads: any.
 */
public final class PartitionScrub {
  private static final Logger LOG = LoggerFactory.getLogger(PartitionScrub.class);
  private static final int HEADS_MAX = 1_000;

  /**
   * What was found.
   *
   * @param listed whether anything was looked at
   * @param deleted orphans
   * @param young named by none, but not older than the grace: objects, parts and versions; counts
   *     one if the store does not tell of parts and versions
   * @param leftovers parts and versions deleted
   * @param findings what is wrong with what the manifest names
   */
  public record Swept(
      boolean listed, int deleted, int young, int leftovers, List<AuditFinding> findings) {
    static final Swept NOTHING = new Swept(false, 0, 0, 0, List.of());
  }

  private final String cluster;
  private final ObjectStore store;
  private final Manifests manifests;
  private final RandomGenerator random;
  private final ScrubConfig config;

  /**
   * @param cluster id under whose prefix the store lies
   * @param random names a probe of the store's clock
   */
  public PartitionScrub(
      String cluster,
      ObjectStore store,
      Manifests manifests,
      RandomGenerator random,
      ScrubConfig config) {
    this.cluster = cluster;
    this.store = store;
    this.manifests = manifests;
    this.random = random;
    this.config = config;
  }

  /**
   * @param leaderEpoch nothing happens unless it was the last to write
   * @param open whether an object is being uploaded or committed by this process
   */
  public CompletableFuture<Swept> sweep(
      TopicIdPartition partition, int leaderEpoch, Predicate<ObjectKey> open) {
    BiPredicate<ManifestView, Integer> mine =
        (view, epoch) -> view.version() > 0 && view.leaderEpoch() == epoch;
    return manifests
        .read(partition)
        .thenCompose(
            before -> {
              if (!mine.test(before, leaderEpoch)) {
                return CompletableFuture.completedFuture(Swept.NOTHING);
              }
              PartitionSweep listing = new PartitionSweep(cluster, store, before);
              return listing
                  .run()
                  .thenCompose(listed -> manifests.read(partition))
                  .thenCompose(
                      view ->
                          mine.test(view, leaderEpoch)
                              ? conclude(view, listing, open)
                              : CompletableFuture.completedFuture(Swept.NOTHING));
            });
  }

  private CompletableFuture<Swept> conclude(
      ManifestView view, PartitionSweep listing, Predicate<ObjectKey> open) {
    List<AuditFinding> findings = new ArrayList<>(listing.findings);
    CompletableFuture<Void> missing = CompletableFuture.completedFuture(null);
    for (SegmentEntry entry : listing.unlisted.stream().limit(HEADS_MAX).toList()) {
      missing = missing.thenCompose(before -> confirm(view, entry, findings));
    }
    return missing
        .thenCompose(confirmed -> unnamed(view, listing.unnamed, open))
        .thenCompose(unnamed -> delete(view.partition(), unnamed))
        .thenApply(
            swept ->
                new Swept(
                    true, swept.deleted, swept.young, swept.leftovers, List.copyOf(findings)));
  }

  /** What retention or compaction took out of the manifest meanwhile may lawfully be gone. */
  private CompletableFuture<Void> confirm(
      ManifestView view, SegmentEntry entry, List<AuditFinding> findings) {
    return view.find(entry.endOffset() - 1)
        .thenCompose(
            now ->
                now.filter(entry::equals).isEmpty()
                    ? CompletableFuture.completedFuture(true)
                    : store.head(entry.object()).thenApply(info -> info.isPresent()))
        .thenAccept(
            well -> {
              if (!well) {
                String detail = "no object of this name";
                findings.add(AuditFinding.of(Kind.MISSING, view.partition(), entry, detail));
              }
            });
  }

  private CompletableFuture<List<ObjectInfo>> unnamed(
      ManifestView view, List<ObjectInfo> unsure, Predicate<ObjectKey> open) {
    if (unsure.isEmpty()) {
      return CompletableFuture.completedFuture(List.of());
    }
    return view.retired(Integer.MAX_VALUE)
        .thenCompose(
            retired -> {
              Set<ObjectKey> named =
                  retired.stream()
                      .map(RetiredSegment::entry)
                      .map(SegmentEntry::object)
                      .collect(Collectors.toSet());
              List<ObjectInfo> left =
                  unsure.stream()
                      .filter(info -> !named.contains(info.key()) && !open.test(info.key()))
                      .toList();
              return notHeld(view, left, 0, new ArrayList<>());
            });
  }

  private static CompletableFuture<List<ObjectInfo>> notHeld(
      ManifestView view, List<ObjectInfo> unsure, int at, List<ObjectInfo> unnamed) {
    int next = at;
    while (next < unsure.size()) {
      ObjectInfo info = unsure.get(next);
      CompletableFuture<Boolean> held = holds(view, info.key());
      int after = next + 1;
      if (!held.isDone() || held.isCompletedExceptionally()) {
        return held.thenCompose(
            is -> {
              if (!is) {
                unnamed.add(info);
              }
              return notHeld(view, unsure, after, unnamed);
            });
      }
      if (!held.join()) {
        unnamed.add(info);
      }
      next = after;
    }
    return CompletableFuture.completedFuture(unnamed);
  }

  /** A start that moved into a segment leaves the segment held, and its base offset below. */
  private static CompletableFuture<Boolean> holds(ManifestView view, ObjectKey key) {
    long base = SegmentId.parse(key).map(SegmentId::baseOffset).orElse(-1L);
    return view.find(Math.max(base, view.startOffset()))
        .thenApply(entry -> entry.isPresent() && entry.get().object().equals(key));
  }

  private CompletableFuture<Swept> delete(TopicIdPartition partition, List<ObjectInfo> unnamed) {
    Supplier<CompletableFuture<Instant>> young = young();
    return orphans(unnamed, young)
        .thenCompose(
            orphans ->
                leftovers(partition, young)
                    .thenApply(
                        sweep -> {
                          tell(partition, orphans, sweep);
                          int unknown = sweep.unlisted() == null ? 0 : 1;
                          int kept = unnamed.size() - orphans + sweep.kept() + unknown;
                          return new Swept(true, orphans, kept, sweep.deleted(), List.of());
                        }));
  }

  private CompletableFuture<Integer> orphans(
      List<ObjectInfo> unnamed, Supplier<CompletableFuture<Instant>> young) {
    if (unnamed.isEmpty()) {
      return CompletableFuture.completedFuture(0);
    }
    return young
        .get()
        .thenCompose(
            since -> {
              List<ObjectKey> old =
                  unnamed.stream()
                      .filter(info -> info.modified().isBefore(since))
                      .map(ObjectInfo::key)
                      .toList();
              return delete(old, 0).thenApply(deleted -> old.size());
            });
  }

  private CompletableFuture<Void> delete(List<ObjectKey> old, int from) {
    if (from >= old.size()) {
      return CompletableFuture.completedFuture(null);
    }
    int to = Math.min(old.size(), from + LeftoverSweep.PURGED_AT_ONCE);
    return store.delete(old.subList(from, to)).thenCompose(deleted -> delete(old, to));
  }

  /** Only what bears a name of ours, below the prefix of this partition. */
  private CompletableFuture<LeftoverSweep> leftovers(
      TopicIdPartition partition, Supplier<CompletableFuture<Instant>> young) {
    String prefix = SegmentId.prefix(partition.topicId(), partition.partition());
    LeftoverSweep sweep =
        new LeftoverSweep(
            store,
            left ->
                SegmentId.parse(left.key()).isPresent()
                    || left.key().value().startsWith(ManifestKeys.prefix(partition)),
            young);
    return sweep
        .run(prefix, Leftover.Of.UPLOADS)
        .thenCompose(
            uploads ->
                config.versions()
                    ? sweep.run(prefix, Leftover.Of.VERSIONS)
                    : CompletableFuture.<Void>completedFuture(null))
        .thenApply(swept -> sweep);
  }

  /** A store that refuses to tell, or can not, must not keep orphans from being deleted. */
  private static void tell(TopicIdPartition partition, int orphans, LeftoverSweep sweep) {
    if (sweep.unlisted() != null) {
      LOG.atWarn()
          .addKeyValue("partition", partition)
          .addKeyValue("reason", String.valueOf(sweep.unlisted()))
          .log("parts of uploads and versions are not listed, or not all");
    }
    if (orphans + sweep.deleted() > 0) {
      LOG.atInfo()
          .addKeyValue("partition", partition)
          .addKeyValue("count", orphans)
          .addKeyValue("value", sweep.deleted())
          .log("deleted objects that no manifest names, old versions and unfinished uploads");
    }
  }

  /** What is not older than the grace is young; the store's clock is asked once, if at all. */
  private Supplier<CompletableFuture<Instant>> young() {
    AtomicReference<@Nullable CompletableFuture<Instant>> asked = new AtomicReference<>();
    return () -> {
      CompletableFuture<Instant> known = asked.get();
      if (known == null) {
        known = storeClock().thenApply(now -> now.minusMillis(config.graceMs()));
        asked.set(known);
      }
      return known;
    };
  }

  /** By when it says a new object was written. */
  private CompletableFuture<Instant> storeClock() {
    ObjectKey probe;
    synchronized (random) {
      probe = ObjectKey.of(StoreProbe.PREFIX + Long.toHexString(random.nextLong()));
    }
    return store
        .put(probe, Payload.of(ByteBuffer.allocate(1)))
        .thenCompose(put -> store.head(probe).thenApply(head -> head.orElse(put).modified()))
        .thenCompose(now -> store.delete(List.of(probe)).thenApply(deleted -> now));
  }
}
