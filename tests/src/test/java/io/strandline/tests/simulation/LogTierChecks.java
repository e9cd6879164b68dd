package io.strandline.tests.simulation;

import io.strandline.broker.log.PartitionLog;
import io.strandline.tests.simulation.History.Written;
import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFooter;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * The invariants of log and tier together, each by its name. Looks at the bucket behind all faults
 * and at the logs of replicas that live.
 */
final class LogTierChecks implements TracedStore.Watcher {
  private static final int SEGMENT_BYTES_MAX = 1 << 20;

  private final SimulatedCluster cluster;
  private final ObjectStore bucket;
  private final Manifests observer;
  private final TierCheck.ChainIsLawful chain = new TierCheck.ChainIsLawful();
  private final List<TierCheck> checks =
      List.of(chain, new TierCheck.SegmentsDense(), new TierCheck.ObjectsAsNamed(true));
  private final Set<ObjectKey> compared = new HashSet<>();

  /**
   * @param bucket and the observer who reads it: without faults, answered at once
   */
  LogTierChecks(SimulatedCluster cluster, ObjectStore bucket, Manifests observer) {
    this.cluster = cluster;
    this.bucket = bucket;
    this.observer = observer;
  }

  ManifestView newest() {
    return observer.read(SimulatedCluster.PARTITION).join();
  }

  private void guard(Runnable check) {
    try {
      check.run();
    } catch (RuntimeException | AssertionError failure) {
      cluster.violated(failure);
    }
  }

  @Override
  public void versionWritten() {
    guard(
        () -> {
          TierCheck.Look look = TierCheck.Look.at(newest(), bucket);
          TierCheck.all(checks, look);
          Compaction compaction = look.view().compaction();
          cluster.history.cleaning(compaction.cleanedOffset());
          cluster.history.cleaning(compaction.roundEndOffset());
          look.named().forEach(this::tiered);
          startsAt(look.view().startOffset(), look.view());
        });
  }

  /** Invariant 3: nothing goes up that may still be truncated. */
  @Override
  public void segmentWritten(ObjectKey key) {
    guard(
        () -> {
          SegmentFooter.Facts facts =
              SegmentFormat.decode(bucket.get(key, SEGMENT_BYTES_MAX).join()).footer().facts();
          if (facts.endOffset() > cluster.history.endOffset()) {
            throw new AssertionError(
                "CommittedOnly: uploaded to "
                    + facts.endOffset()
                    + ", committed to "
                    + cluster.history.endOffset());
          }
        });
  }

  /** Invariant 4: nothing but what nobody names, or what was retired long enough ago. */
  @Override
  public void deleting(ObjectKey key) {
    if (SegmentId.parse(key).isEmpty()) {
      return;
    }
    guard(
        () -> {
          TierCheck.Look look = TierCheck.Look.at(newest(), bucket);
          if (look.named().stream().anyMatch(entry -> entry.object().equals(key))) {
            throw new AssertionError("NothingElseDeleted: " + key + " is named");
          }
          for (RetiredSegment retired : look.retired()) {
            long until =
                retired.since().toEpochMilli() + SimulatedCluster.manifestConfig().retiredGraceMs();
            if (retired.entry().object().equals(key) && cluster.time.millis() < until) {
              throw new AssertionError("NothingElseDeleted: " + key + " is within its grace");
            }
          }
        });
  }

  /** Invariants 1 and 2: a tiered segment's records are those committed, whole and in order. */
  private void tiered(SegmentEntry entry) {
    if (!compared.add(entry.object())) {
      return;
    }
    if (entry.endOffset() > cluster.history.endOffset()) {
      throw new AssertionError("CommittedOnly: tiered to " + entry.endOffset());
    }
    ByteBuffer data =
        bucket.get(entry.object(), entry.positionBytes(), (int) entry.dataBytes()).join();
    Map<Long, Written> records = new TreeMap<>();
    History.collect(records, MemoryRecords.readableRecords(data));
    cluster.history.compareTiered(
        "tier", records, entry.baseOffset(), entry.endOffset(), cluster.time.millis());
  }

  /** A local segment went: what it held is tiered, or lies below the start, or was truncated. */
  void seam(PartitionLog log) {
    guard(
        () -> {
          ManifestView view = newest();
          long covered = Math.max(log.logStartOffset(), view.endOffset());
          if (log.localLogStartOffset() > covered) {
            throw new AssertionError(
                "ReleasedIsTiered: the tier ends at "
                    + view.endOffset()
                    + ", the log begins at "
                    + log.localLogStartOffset());
          }
        });
  }

  /** Everything, of one replica. */
  void replica(SimulatedReplica replica) {
    PartitionLog log = replica.log;
    long start = log.localLogStartOffset();
    long committed = Math.min(replica.highWatermark(), log.logEndOffset());
    if (committed > start) {
      Map<Long, Written> local = History.local(log, start, committed);
      cluster.history.compare("replica " + replica.id, local, start, committed);
    }
    seam(log);
    if (replica.leads() && replica.epoch() == cluster.epoch()) {
      leader(replica);
    }
  }

  private void leader(SimulatedReplica replica) {
    PartitionLog log = replica.log;
    ManifestView view = newest();
    startsAt(log.logStartOffset(), view);
    if (log.logEndOffset() < cluster.history.endOffset()) {
      throw new AssertionError(
          "AcknowledgedReadable: committed to "
              + cluster.history.endOffset()
              + ", the leader's log ends at "
              + log.logEndOffset());
    }
    // A leader that has not looked into the tier yet may believe in an older start.
    long from = Math.max(log.logStartOffset(), cluster.history.startOffset());
    boolean covered =
        log.localLogStartOffset() <= from
            || (view.startOffset() <= from && view.endOffset() >= log.localLogStartOffset());
    if (!covered) {
      throw new AssertionError(
          "NothingBetween: the log begins at "
              + log.logStartOffset()
              + ", locally at "
              + log.localLogStartOffset()
              + ", the tier holds "
              + view.startOffset()
              + " to "
              + view.endOffset());
    }
  }

  /** Invariant 1: only retention and users take records away. */
  private void startsAt(long start, ManifestView view) {
    long retainedBytes = cluster.policy().retentionBytes();
    long local = cluster.replicas().mapToLong(replica -> replica.log.sizeBytes()).max().orElse(0);
    cluster.history.startsAt(
        start,
        cluster.time.millis(),
        cluster.policy().retentionMs(),
        retainedBytes >= 0 && view.sizeBytes() + local >= retainedBytes);
  }

  /** Invariant 4, once all is quiet and the grace is over: what no manifest names is gone. */
  void orphansGone() {
    TierCheck.Look look = TierCheck.Look.at(newest(), bucket);
    TierCheck.all(checks, look);
    Set<ObjectKey> known = new HashSet<>(look.retiredObjects());
    look.named().forEach(entry -> known.add(entry.object()));
    Optional<ObjectInfo> orphan =
        bucket
            .list(
                SegmentId.prefix(
                    SimulatedCluster.PARTITION.topicId(), SimulatedCluster.PARTITION.partition()),
                "",
                1000)
            .join()
            .objects()
            .stream()
            .filter(info -> SegmentId.parse(info.key()).isPresent())
            .filter(info -> !known.contains(info.key()))
            .findFirst();
    if (orphan.isPresent()) {
      throw new AssertionError("OrphansGone: " + orphan.get());
    }
  }

  /** After the topic's deletion and the grace: no segment is left. */
  void deletedIsGone() {
    ManifestView view = newest();
    if (view.version() > 0 && (!view.deleted() || !view.retired(1).join().isEmpty())) {
      throw new AssertionError("DeletedIsGone: the manifest is at " + view.version());
    }
    orphansGone();
  }
}
