package io.strandline.tiering.scrub;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.index.CorruptManifestException;
import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.scrub.AuditFinding.Kind;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.StoreProbe;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Proves a tier, or says what is wrong with it (invariant 4): re-reads every byte that the newest
 * manifests name, and looks for segments that none names. Changes nothing, and may run while
 * brokers work on the same store.
 *
 * <p>Segments of other clusters are read in those clusters' stores, if these are known; in this one
 * they are neither looked for nor missed.
 *
 * <p>A partition's objects are listed before its manifest is read, so that what is named meanwhile
 * is no orphan; and what is found missing is held against the manifest again, for it may have been
 * retired meanwhile. A page of the list may hold many partitions, the last of which are audited
 * hours later: so an orphan is looked for once more before it is told. Memory grows with the
 * objects of one partition.
 *
 * <p>Threads: {@link #run} blocks its caller and hands segments to the executor.
 */
public final class TierAudit {
  private static final int PAGE = 512;

  /**
   * How to go about it.
   *
   * @param concurrent segments read at once, each a piece in memory
   * @param pieceBytes of one read
   * @param graceMs a segment that nobody names is an orphan when it is older, by the store's clock
   */
  public record Config(int concurrent, int pieceBytes, long graceMs) {
    public Config {
      if (concurrent < 1 || pieceBytes < 1 || graceMs < 0) {
        throw new IllegalArgumentException(
            "not a way to audit: " + concurrent + " at once, " + pieceBytes + " bytes");
      }
    }

    /** Four at once, 4 MiB each, a day. */
    public static Config defaults() {
      return new Config(4, 4 << 20, 24 * 60 * 60 * 1000L);
    }
  }

  /**
   * What is audited.
   *
   * @param store this cluster's own
   * @param stores where each cluster's objects lie; gives {@code store} for this cluster's
   */
  public record Tier(ObjectStore store, OwnedStores stores, Manifests manifests) {
    /** All that is named lies in the one store. */
    public static Tier of(ObjectStore store, Manifests manifests) {
      return new Tier(store, OwnedStores.all(store), manifests);
    }

    boolean owns(SegmentEntry entry) {
      return stores.of(entry.ownerCluster()) == store;
    }
  }

  /** Told how it goes, one call at a time. */
  public interface Watcher {
    void partition(ManifestView view);

    void read(long bytes);

    void found(AuditFinding finding);
  }

  /** What was gone through. */
  public record Summary(int partitions, long segments, long bytes, long wrong) {
    /** Of both together. */
    public Summary plus(Summary other) {
      return new Summary(
          partitions + other.partitions,
          segments + other.segments,
          bytes + other.bytes,
          wrong + other.wrong);
    }
  }

  private final Tier tier;
  private final ObjectStore store;
  private final Manifests manifests;
  private final Config config;
  private final Executor executor;
  private final InstantSource clock;

  public TierAudit(Tier tier, Config config, Executor executor, InstantSource clock) {
    this.tier = tier;
    this.store = tier.store;
    this.manifests = tier.manifests;
    this.config = config;
    this.executor = executor;
    this.clock = clock;
  }

  /**
   * Audits all there is.
   *
   * @throws StoreException if the objects cannot even be listed
   */
  public Summary run(Watcher watcher) {
    return new Round(watcher).over("");
  }

  /**
   * Audits one partition. What another partition names of its objects counts as named by nobody.
   *
   * @throws StoreException if the objects cannot even be listed
   */
  public Summary run(TopicIdPartition partition, Watcher watcher) {
    return new Round(watcher).over(SegmentId.prefix(partition.topicId(), partition.partition()));
  }

  /** One audit. */
  private final class Round {
    private final Watcher watcher;
    private final Semaphore slots = new Semaphore(config.concurrent());

    /** Segments nobody named so far, and those named by others than where they lie. */
    private final Map<ObjectKey, AuditFinding> unnamed = new HashMap<>();

    private final Set<ObjectKey> namedByOthers = new HashSet<>();
    private int partitions;
    private long segments;
    private long bytes;
    private long wrong;

    Round(Watcher watcher) {
      this.watcher = watcher;
    }

    Summary over(String prefix) {
      Map<ObjectKey, ObjectInfo> objects = new HashMap<>();
      Optional<TopicIdPartition> current = Optional.empty();
      String after = "";
      boolean more = true;
      while (more) {
        ObjectStore.Page page = listed(prefix, after);
        for (ObjectInfo info : page.objects()) {
          Optional<TopicIdPartition> partition = ManifestKeys.partition(info.key());
          if (!partition.equals(current)) {
            current.ifPresent(done -> audit(done, objects));
            objects.clear();
            current = partition;
          }
          if (partition.isPresent()) {
            objects.put(info.key(), info);
          } else {
            stray(info);
          }
          after = info.key().value();
        }
        more = page.more();
      }
      current.ifPresent(done -> audit(done, objects));
      unnamed.keySet().removeAll(namedByOthers);
      unnamed.values().forEach(this::tellIfThere);
      awaitSegments();
      return new Summary(partitions, segments, bytes, wrong);
    }

    private ObjectStore.Page listed(String prefix, String after) {
      try {
        return store.list(prefix, after, 1000).join();
      } catch (CompletionException e) {
        throw StoreException.of(e);
      }
    }

    private void audit(TopicIdPartition partition, Map<ObjectKey, ObjectInfo> objects) {
      partitions++;
      try {
        ManifestView view = manifests.read(partition).join();
        tell(() -> watcher.partition(view));
        Set<ObjectKey> named = new HashSet<>();
        walk(view, objects, named);
        for (RetiredSegment retired : view.retired(Integer.MAX_VALUE).join()) {
          if (tier.owns(retired.entry())) {
            named.add(retired.entry().object());
          }
        }
        objects.values().stream()
            .filter(info -> !named.contains(info.key()))
            .forEach(info -> unnamed(view.partition(), info));
        named.stream().filter(key -> !objects.containsKey(key)).forEach(namedByOthers::add);
      } catch (CompletionException | CorruptManifestException | StoreException e) {
        Throwable cause =
            e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
        aboutManifest(partition, Kind.MANIFEST, -1, -1, String.valueOf(cause.getMessage()));
      } finally {
        awaitSegments();
      }
    }

    private void awaitSegments() {
      slots.acquireUninterruptibly(config.concurrent());
      slots.release(config.concurrent());
    }

    /** What was listed long before its manifest was read may lawfully be gone. */
    private void tellIfThere(AuditFinding unnamed) {
      if (unnamed.kind() != Kind.ORPHAN || unnamed.object().isEmpty()) {
        found(unnamed);
        return;
      }
      slots.acquireUninterruptibly();
      var unused =
          store
              .head(unnamed.object().get())
              .handleAsync((info, failure) -> failure != null || info.isPresent(), executor)
              .thenAccept(
                  there -> {
                    if (there) {
                      found(unnamed);
                    }
                  })
              .whenComplete((done, failure) -> slots.release());
    }

    private void walk(ManifestView view, Map<ObjectKey, ObjectInfo> objects, Set<ObjectKey> named) {
      long next = view.startOffset();
      long sum = 0;
      int count = 0;
      Map<String, Others> others = new TreeMap<>();
      List<SegmentEntry> entries = view.from(next, PAGE).join();
      while (!entries.isEmpty()) {
        for (SegmentEntry entry : entries) {
          boolean covers = count == 0 ? entry.covers(next) : entry.baseOffset() == next;
          if (!covers) {
            String detail = "offset " + next + " is followed by " + entry.baseOffset();
            aboutManifest(view.partition(), Kind.GAP, next, entry.baseOffset(), detail);
          }
          next = Math.max(next, entry.endOffset());
          sum += entry.lengthBytes();
          count++;
          if (tier.owns(entry)) {
            named.add(entry.object());
            submit(view.partition(), entry, Optional.ofNullable(objects.get(entry.object())));
          } else {
            others.computeIfAbsent(entry.ownerCluster(), Others::new).add(entry);
            if (tier.stores.knows(entry.ownerCluster())) {
              submit(view.partition(), entry, Optional.empty());
            }
          }
        }
        entries = view.from(next, PAGE).join();
      }
      others.values().forEach(some -> found(some.finding(view.partition(), tier.stores)));
      if (next != view.endOffset() || sum != view.sizeBytes() || count != view.segmentCount()) {
        String detail = count + " segments of " + sum + " bytes to offset " + next;
        aboutManifest(
            view.partition(),
            Kind.MANIFEST,
            view.startOffset(),
            view.endOffset(),
            "its sums are not those of " + detail);
      }
    }

    private void submit(TopicIdPartition partition, SegmentEntry entry, Optional<ObjectInfo> info) {
      slots.acquireUninterruptibly();
      SegmentAudit.Way way =
          new SegmentAudit.Way(
              config.pieceBytes(),
              bytes -> CompletableFuture.completedFuture(null),
              this::read,
              executor);
      var unused =
          new SegmentAudit(tier.stores.of(entry.ownerCluster()), partition, entry)
              .run(info.orElse(null), way)
              .thenAcceptAsync(
                  findings -> {
                    findings.stream().filter(f -> stillNamed(f, entry)).forEach(this::found);
                    tell(() -> segments++);
                  },
                  executor)
              .whenComplete((done, failure) -> slots.release());
    }

    /** What was retired since the manifest was read may lawfully be gone. */
    private boolean stillNamed(AuditFinding finding, SegmentEntry entry) {
      if (finding.kind() != Kind.MISSING || finding.partition().isEmpty()) {
        return true;
      }
      try {
        return manifests
            .read(finding.partition().get())
            .thenCompose(view -> view.find(entry.endOffset() - 1))
            .join()
            .filter(entry::equals)
            .isPresent();
      } catch (CompletionException unsure) {
        return true;
      }
    }

    private void unnamed(TopicIdPartition partition, ObjectInfo info) {
      if (SegmentId.parse(info.key()).isPresent()) {
        Instant young = clock.instant().minusMillis(config.graceMs());
        Kind kind = info.modified().isBefore(young) ? Kind.ORPHAN : Kind.PENDING;
        String detail = info.lengthBytes() + " bytes of " + info.modified();
        unnamed.put(info.key(), about(kind, partition, info, detail));
      } else if (!info.key().value().startsWith(ManifestKeys.prefix(partition))) {
        found(about(Kind.UNKNOWN, partition, info, info.lengthBytes() + " bytes"));
      }
    }

    private void stray(ObjectInfo info) {
      String key = info.key().value();
      boolean known =
          info.key().equals(StoreOwner.KEY)
              || key.startsWith(StoreProbe.PREFIX)
              || MetadataBackups.owns(info.key());
      if (!known) {
        String detail = info.lengthBytes() + " bytes";
        found(
            new AuditFinding(
                Kind.UNKNOWN, Optional.empty(), Optional.of(info.key()), -1, -1, detail));
      }
    }

    private AuditFinding about(
        Kind kind, TopicIdPartition partition, ObjectInfo info, String detail) {
      long offset = SegmentId.parse(info.key()).map(SegmentId::baseOffset).orElse(-1L);
      return new AuditFinding(
          kind, Optional.of(partition), Optional.of(info.key()), offset, -1, detail);
    }

    private void aboutManifest(
        TopicIdPartition partition, Kind kind, long offset, long endOffset, String detail) {
      found(
          new AuditFinding(
              kind, Optional.of(partition), Optional.empty(), offset, endOffset, detail));
    }

    private void read(long count) {
      tell(
          () -> {
            bytes += count;
            watcher.read(count);
          });
    }

    private void found(AuditFinding finding) {
      tell(
          () -> {
            wrong += finding.kind().wrong() ? 1 : 0;
            watcher.found(finding);
          });
    }

    private synchronized void tell(Runnable what) {
      what.run();
    }
  }

  /** What a partition names of one other cluster. */
  private static final class Others {
    private final String cluster;
    private long from = Long.MAX_VALUE;
    private long end;
    private long segments;
    private long bytes;

    Others(String cluster) {
      this.cluster = cluster;
    }

    void add(SegmentEntry entry) {
      from = Math.min(from, entry.baseOffset());
      end = Math.max(end, entry.endOffset());
      segments++;
      bytes += entry.lengthBytes();
    }

    AuditFinding finding(TopicIdPartition partition, OwnedStores stores) {
      String place =
          stores.knows(cluster)
              ? "read in " + stores.of(cluster).describe()
              : "not read, for its store was not given";
      String detail =
          segments + " segments with " + bytes + " bytes of cluster " + cluster + ", " + place;
      return new AuditFinding(
          Kind.FOREIGN, Optional.of(partition), Optional.empty(), from, end, detail);
    }
  }
}
