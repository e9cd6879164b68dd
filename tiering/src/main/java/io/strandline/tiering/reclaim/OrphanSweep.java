package io.strandline.tiering.reclaim;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreProbe;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.TopicIdPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what uploads left behind: segments below a partition's own prefix that its manifest does
 * not name, neither as held nor as retired, and that are older than the grace by the store's own
 * clock (design D15). What it does not know it reports and leaves.
 *
 * <p>To be run by the partition's leader, whose epoch has written: nobody else can name an object
 * any more. Objects are listed before the manifest is read, so that what is committed meanwhile is
 * named. Cost: a LIST for every 1000 objects and a read of the manifest; three small requests more
 * if something looks like an orphan. Threads: any.
 */
public final class OrphanSweep {
  private static final Logger LOG = LoggerFactory.getLogger(OrphanSweep.class);
  private static final int LIST_LIMIT = 1000;

  /**
   * What was found.
   *
   * @param deleted orphans
   * @param young named by none, but not older than the grace
   * @param unknown neither segments nor of the manifest
   */
  public record Swept(int deleted, int young, int unknown) {
    static final Swept NOTHING = new Swept(0, 0, 0);
  }

  private final ObjectStore store;
  private final Manifests manifests;
  private final RandomGenerator random;
  private final long graceMs;

  /**
   * @param random names a probe of the store's clock
   */
  public OrphanSweep(ObjectStore store, Manifests manifests, RandomGenerator random, long graceMs) {
    this.store = store;
    this.manifests = manifests;
    this.random = random;
    this.graceMs = graceMs;
  }

  /** What lies below a partition's prefix. */
  private record Found(List<ObjectInfo> segments, List<ObjectKey> unknown) {}

  /**
   * @param leaderEpoch nothing happens unless it was the last to write
   * @param open whether an object is being uploaded or committed by this process
   */
  public CompletableFuture<Swept> sweep(
      TopicIdPartition partition, int leaderEpoch, Predicate<ObjectKey> open) {
    Found found = new Found(new ArrayList<>(), new ArrayList<>());
    String prefix = SegmentId.prefix(partition.topicId(), partition.partition());
    return list(partition, prefix, "", found)
        .thenCompose(listed -> manifests.read(partition))
        .thenCompose(
            view ->
                view.leaderEpoch() == leaderEpoch && view.version() > 0
                    ? sweep(view, found, open)
                    : CompletableFuture.completedFuture(Swept.NOTHING));
  }

  private CompletableFuture<Void> list(
      TopicIdPartition partition, String prefix, String after, Found found) {
    return store
        .list(prefix, after, LIST_LIMIT)
        .thenCompose(
            page -> {
              String last = after;
              for (ObjectInfo info : page.objects()) {
                last = info.key().value();
                if (SegmentId.parse(info.key()).isPresent()) {
                  found.segments.add(info);
                } else if (last.startsWith(ManifestKeys.prefix(partition))) {
                  last = ManifestKeys.prefix(partition) + "~"; // all of it is the manifest's
                } else {
                  found.unknown.add(info.key());
                }
              }
              return page.more()
                  ? list(partition, prefix, last, found)
                  : CompletableFuture.completedFuture(null);
            });
  }

  private CompletableFuture<Swept> sweep(
      ManifestView view, Found found, Predicate<ObjectKey> open) {
    for (ObjectKey key : found.unknown) {
      LOG.atWarn()
          .addKeyValue("partition", view.partition())
          .addKeyValue("object", key)
          .log("an object is none of ours by its name and is left alone");
    }
    return view.retired(Integer.MAX_VALUE)
        .thenCompose(
            retired -> {
              Set<ObjectKey> named = new HashSet<>();
              retired.forEach(r -> named.add(r.entry().object()));
              List<ObjectInfo> unsure =
                  found.segments.stream()
                      .filter(info -> !named.contains(info.key()) && !open.test(info.key()))
                      .toList();
              return notHeld(view, unsure, 0, new ArrayList<>());
            })
        .thenCompose(unnamed -> delete(view.partition(), unnamed, found.unknown.size()));
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

  private CompletableFuture<Swept> delete(
      TopicIdPartition partition, List<ObjectInfo> unnamed, int unknown) {
    if (unnamed.isEmpty()) {
      return CompletableFuture.completedFuture(new Swept(0, 0, unknown));
    }
    return storeClock()
        .thenCompose(
            now -> {
              Instant young = now.minusMillis(graceMs);
              List<ObjectKey> orphans =
                  unnamed.stream()
                      .filter(info -> info.modified().isBefore(young))
                      .map(ObjectInfo::key)
                      .toList();
              Swept swept = new Swept(orphans.size(), unnamed.size() - orphans.size(), unknown);
              if (orphans.isEmpty()) {
                return CompletableFuture.completedFuture(swept);
              }
              LOG.atInfo()
                  .addKeyValue("partition", partition)
                  .addKeyValue("count", orphans.size())
                  .log("deleting objects that no manifest names");
              return store.delete(orphans).thenApply(deleted -> swept);
            });
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
