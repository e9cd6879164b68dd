package io.strandline.tests.simulation;

import io.strandline.broker.log.PartitionLog;
import io.strandline.tests.simulation.History.Origin;
import io.strandline.tests.simulation.History.Written;
import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.scrub.AuditFinding;
import io.strandline.tiering.segment.EpochStart;
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
  private final List<TierCheck> checks;
  private final PlantedDamage damage;
  private final Set<ObjectKey> compared = new HashSet<>();

  /**
   * @param bucket and the observer who reads it: without faults, answered at once
   */
  LogTierChecks(
      SimulatedCluster cluster, ObjectStore bucket, Manifests observer, PlantedDamage damage) {
    this.damage = damage;
    this.checks =
        List.of(
            chain,
            new TierCheck.SegmentsDense(),
            new TierCheck.ObjectsAsNamed(true, damage::damaged));
    this.cluster = cluster;
    this.bucket = bucket;
    this.observer = observer;
  }

  ManifestView newest() {
    return observer.read(SimulatedCluster.PARTITION).join();
  }

  List<SegmentEntry> named() {
    return newest().from(0, Integer.MAX_VALUE).join();
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
          // One who has not heard that it was lost may bring it; nobody will name it.
          if (facts.endOffset() > cluster.history.endOffsetEver()) {
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
    if (!ForeignObjects.mayDelete(key)) {
      cluster.violated(new AssertionError("OthersUntouched: " + key + " is deleted"));
    }
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
    long committed =
        Math.min(Math.min(replica.highWatermark(), log.logEndOffset()), cluster.history.bound(log));
    if (committed > start) {
      Map<Long, Written> local = History.local(log, start, committed);
      cluster.history.compare("replica " + replica.id, local, start, committed);
    }
    seam(log);
    findings(replica);
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

  /** What the scrub says is wrong, is. */
  private void findings(SimulatedReplica replica) {
    for (AuditFinding finding : replica.findings()) {
      if (!damage.explains(finding)) {
        throw new AssertionError("FoundIsDamaged: " + finding);
      }
    }
  }

  /** What was damaged and is still named is known to the leader. */
  List<String> unfound(SimulatedReplica leader) {
    return damage.unfound(newest(), leader.findings());
  }

  /** Invariant 1: only retention and users take records away. */
  private void startsAt(long start, ManifestView view) {
    long local = cluster.replicas().mapToLong(replica -> replica.log.sizeBytes()).max().orElse(0);
    cluster.history.startsAt(start, due(start, view.sizeBytes() + local));
  }

  /** A leader sends something: if it removes anything, it does so for what it knows now. */
  void removes(SimulatedReplica replica) {
    long start = replica.log.logStartOffset();
    if (start > cluster.history.startOffset()
        && start <= cluster.history.bound(replica.log)
        && due(start, newest().sizeBytes() + replica.log.sizeBytes())) {
      cluster.history.dueBelow(start);
    }
  }

  private boolean due(long start, long bytes) {
    long retainedBytes = cluster.policy().retentionBytes();
    return (retainedBytes >= 0 && bytes >= retainedBytes)
        || cluster.history.old(start, cluster.time.millis(), cluster.policy().retentionMs());
  }

  /**
   * A log that was lost goes on where the tier ends, and knows of its leaders and producers what
   * was known there.
   */
  void refilled(SimulatedReplica replica) {
    PartitionLog log = replica.log;
    ManifestView view = newest();
    long end = log.logEndOffset();
    if (end != view.endOffset()) {
      throw new AssertionError(
          "GoesOnAtTierEnd: at " + end + ", the tier ends at " + view.endOffset());
    }
    if (view.segmentCount() == 0) {
      return;
    }
    // What is due to go from the start is not known of any more.
    long from = Math.max(view.startOffset(), cluster.history.lawfulStart());
    cluster
        .history
        .origins()
        .subMap(Math.min(from, end), end)
        .forEach(
            (offset, origin) -> {
              int epoch =
                  log.epochs().stream()
                      .filter(known -> known.startOffset() <= offset)
                      .mapToInt(EpochStart::leaderEpoch)
                      .max()
                      .orElse(-1);
              if (epoch != origin.leaderEpoch()) {
                throw new AssertionError(
                    "EpochsAsWere: " + offset + " is of " + origin + ", known " + log.epochs());
              }
            });
    Origin last = cluster.history.origins().get(end - 1);
    boolean known =
        last != null
            && log.activeProducers().stream()
                .anyMatch(
                    p ->
                        p.producerId() == SimulatedClient.PRODUCER
                            && p.producerEpoch() == last.producerEpoch()
                            && p.lastSequence() == last.sequence());
    if (!known) {
      throw new AssertionError(
          "ProducersAsWere: last is " + last + ", known " + log.activeProducers());
    }
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
