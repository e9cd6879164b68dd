package io.strandline.tiering.scrub;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.scrub.AuditFinding.Kind;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition's listing beside its manifest, page by page, for both go by offset: what is named
 * and not listed, or of another length, and what is listed and not named. Offsets that no entry
 * covers are found on the way.
 *
 * <p>Nothing is concluded here: a manifest that was read before the listing cannot know what was
 * committed meanwhile. Memory: a page of each, and what is in doubt, of which no more than {@link
 * #DOUBTS_MAX} are kept.
 */
final class PartitionSweep {
  private static final Logger LOG = LoggerFactory.getLogger(PartitionSweep.class);
  private static final int LIST_LIMIT = 1000;
  private static final int ENTRIES = 512;
  private static final int DOUBTS_MAX = 10_000;

  private final String cluster;
  private final ObjectStore store;
  private final ManifestView view;
  private final TopicIdPartition partition;

  /** Listed and not yet held against an entry. */
  private final Map<ObjectKey, ObjectInfo> listed = new HashMap<>();

  private final List<SegmentEntry> entries = new ArrayList<>();
  private boolean entriesEnded;
  private long nextOffset;
  private long count;
  private long bytes;

  /** Listed segments that the view does not hold. */
  final List<ObjectInfo> unnamed = new ArrayList<>();

  /** Entries of the view whose object was not listed. */
  final List<SegmentEntry> unlisted = new ArrayList<>();

  /** What the view and the lengths tell for certain. */
  final List<AuditFinding> findings = new ArrayList<>();

  PartitionSweep(String cluster, ObjectStore store, ManifestView view) {
    this.cluster = cluster;
    this.store = store;
    this.view = view;
    this.partition = view.partition();
    this.nextOffset = view.startOffset();
  }

  CompletableFuture<Void> run() {
    return list("").thenRun(this::compareSums);
  }

  private CompletableFuture<Void> list(String after) {
    String prefix = SegmentId.prefix(partition.topicId(), partition.partition());
    return store
        .list(prefix, after, LIST_LIMIT)
        .thenCompose(
            page -> {
              String last = after;
              long bound = Long.MAX_VALUE;
              for (ObjectInfo info : page.objects()) {
                last = info.key().value();
                Optional<SegmentId> id = SegmentId.parse(info.key());
                bound = id.map(SegmentId::baseOffset).orElse(Long.MAX_VALUE);
                if (id.isPresent()) {
                  listed.put(info.key(), info);
                } else if (last.startsWith(ManifestKeys.prefix(partition))) {
                  last = ManifestKeys.prefix(partition) + "~"; // all of it is the manifest's
                } else {
                  stranger(info.key());
                }
              }
              String next = last;
              return compare(page.more() ? bound : Long.MAX_VALUE)
                  .thenCompose(
                      done -> page.more() ? list(next) : CompletableFuture.completedFuture(null));
            });
  }

  private void stranger(ObjectKey key) {
    LOG.atWarn()
        .addKeyValue("partition", partition)
        .addKeyValue("object", key)
        .log("an object is none of ours by its name and is left alone");
  }

  /** Settles all that begins below the bound, of which everything is listed. */
  private CompletableFuture<Void> compare(long bound) {
    int settled = 0;
    while (settled < entries.size() && entries.get(settled).baseOffset() < bound) {
      settle(entries.get(settled++));
    }
    entries.subList(0, settled).clear();
    if (!entries.isEmpty() || entriesEnded) {
      settleListed(bound);
      return CompletableFuture.completedFuture(null);
    }
    return view.from(nextOffset, ENTRIES)
        .thenCompose(
            more -> {
              entries.addAll(more);
              entriesEnded = more.isEmpty();
              return compare(bound);
            });
  }

  private void settle(SegmentEntry entry) {
    boolean covers = count == 0 ? entry.covers(nextOffset) : entry.baseOffset() == nextOffset;
    if (!covers) {
      String detail = "no entry covers these offsets";
      findings.add(
          new AuditFinding(
              Kind.GAP,
              Optional.of(partition),
              Optional.empty(),
              nextOffset,
              entry.baseOffset(),
              detail));
    }
    nextOffset = Math.max(nextOffset, entry.endOffset());
    count++;
    bytes += entry.lengthBytes();
    if (!isOwn(entry)) {
      return; // elsewhere in the store, or with others in one object: met when it is read
    }
    ObjectInfo info = listed.remove(entry.object());
    if (info == null) {
      if (unlisted.size() < DOUBTS_MAX) {
        unlisted.add(entry);
      }
    } else if (info.lengthBytes() != entry.lengthBytes()) {
      String detail = info.lengthBytes() + " bytes, the manifest says " + entry.lengthBytes();
      findings.add(AuditFinding.of(Kind.LENGTH, partition, entry, detail));
    }
  }

  private boolean isOwn(SegmentEntry entry) {
    return entry.positionBytes() == 0
        && entry.ownerCluster().equals(cluster)
        && SegmentId.parse(entry.object())
            .filter(id -> id.topicId().equals(partition.topicId()))
            .filter(id -> id.partition() == partition.partition())
            .isPresent();
  }

  private void settleListed(long bound) {
    Iterator<ObjectInfo> left = listed.values().iterator();
    while (left.hasNext()) {
      ObjectInfo info = left.next();
      long base = SegmentId.parse(info.key()).map(SegmentId::baseOffset).orElse(0L);
      if (base < bound) {
        left.remove();
        if (unnamed.size() < DOUBTS_MAX) {
          unnamed.add(info);
        }
      }
    }
  }

  private void compareSums() {
    if (nextOffset != view.endOffset()
        || count != view.segmentCount()
        || bytes != view.sizeBytes()) {
      String detail =
          "its sums are not those of "
              + count
              + " segments of "
              + bytes
              + " bytes to "
              + nextOffset;
      findings.add(
          new AuditFinding(
              Kind.MANIFEST,
              Optional.of(partition),
              Optional.empty(),
              view.startOffset(),
              view.endOffset(),
              detail));
    }
  }
}
