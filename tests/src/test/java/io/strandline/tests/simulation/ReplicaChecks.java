package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.partition.Partition;
import io.strandline.tests.simulation.History.Written;
import io.strandline.tests.simulation.Transactions.Aborted;
import io.strandline.tests.simulation.Transactions.Range;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFooter;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/** The invariants of replication and of its tier, each by its name. */
final class ReplicaChecks {
  private static final int SEGMENT_BYTES_MAX = 1 << 20;

  /** What is committed, whoever leads: what lay below any leader's high watermark. */
  final History history = new History();

  final Transactions transactions = new Transactions(history);

  private final ReplicationWorld world;
  private final ObjectStore bucket;
  private final Manifests observer;
  private final List<TierCheck> checks =
      List.of(
          new TierCheck.ChainIsLawful(),
          new TierCheck.SegmentsDense(),
          new TierCheck.ObjectsAsNamed(true, key -> false));
  private final Set<ObjectKey> compared = new HashSet<>();

  /** Of each committed batch the sum of all its bytes, offset and leader epoch included. */
  private final NavigableMap<Long, Integer> batches = new TreeMap<>();

  private long versionSeen;

  ReplicaChecks(ReplicationWorld world, ObjectStore bucket) {
    this.world = world;
    this.bucket = bucket;
    this.observer =
        StoreManifests.open(
            bucket,
            SimulatedCluster.manifestConfig(),
            new StoreManifests.Environment(
                world.time, new Random(0), Runnable::run, new CompositeMeterRegistry()));
  }

  ManifestView newest() {
    return observer.read(SimulatedCluster.PARTITION).join();
  }

  // ---- logs

  /** A leader's high watermark is where it is: what lies below is final. */
  void committed(Partition partition) {
    long mark = Math.min(partition.highWatermark(), partition.logEndOffset());
    long from = history.endOffset();
    if (mark <= from) {
      return;
    }
    if (partition.localLogStartOffset() > from) {
      throw new AssertionError(
          "CommittedIsKnown: a leader's log begins at "
              + partition.localLogStartOffset()
              + ", committed to "
              + from);
    }
    history.committedUpTo(mark, partition.log());
    each(
        partition.log(),
        from,
        mark,
        batch -> {
          if (batch.lastOffset() < mark) {
            batches.put(batch.baseOffset(), sum(batch));
            transactions.committed(batch);
          }
        });
  }

  private interface Batches {
    void take(RecordBatch batch);
  }

  private static void each(PartitionLog log, long from, long to, Batches batches) {
    long offset = from;
    while (offset < to) {
      try (LogRead read = log.read(offset, 1 << 20, log.logEndOffset(), true)) {
        if (read.isEmpty()) {
          throw new AssertionError("LogsAlike: nothing to read at " + offset);
        }
        read.toMemory().batches().forEach(batches::take);
        offset = read.nextOffset();
      }
    }
  }

  private static int sum(RecordBatch batch) {
    ByteBuffer bytes = ByteBuffer.allocate(batch.sizeInBytes());
    ((DefaultRecordBatch) batch).writeTo(bytes);
    CRC32C crc = new CRC32C();
    crc.update(bytes.flip());
    return (int) crc.getValue();
  }

  /** Everything, of one replica. */
  void replica(BrokerLife life, Partition partition) {
    PartitionLog log = partition.log();
    String who = "broker " + life.id;
    long mark = Math.min(partition.highWatermark(), log.logEndOffset());
    if (mark > history.endOffset()) {
      throw new AssertionError(
          "HighWatermarkIsALeaders: "
              + who
              + " believes in "
              + mark
              + ", committed to "
              + history.endOffset());
    }
    alike(who, log, mark);
    stable(who, partition, mark);
    seam(who, log);
    epochs(who, log, mark);
    boolean leads =
        partition.leads() && partition.leaderEpoch() == world.quorum.state().leaderEpoch();
    if (leads && log.logEndOffset() < history.endOffset()) {
      throw new AssertionError(
          "AcknowledgedReadable: committed to "
              + history.endOffset()
              + ", the log of the leader "
              + life.id
              + " ends at "
              + log.logEndOffset());
    }
  }

  /** Invariant 1: whoever may be elected has all that is committed. */
  void inSync() {
    for (int id : world.quorum.state().isr()) {
      BrokerLife life = world.living(id);
      QuorumModel.Broker known = world.quorum.newest().brokers().get(id);
      boolean registered =
          life != null && known != null && known.epoch() == life.view.brokerEpoch();
      if (registered && history.endOffset() > 0) {
        long end = life.partition().map(Partition::logEndOffset).orElse(-1L);
        if (end < history.endOffset()) {
          throw new AssertionError(
              "InSyncHasAll: broker "
                  + id
                  + " is in sync and ends at "
                  + end
                  + ", committed to "
                  + history.endOffset());
        }
      }
    }
  }

  /** Invariant 2: the same bytes on every replica, as far as it has them. */
  private void alike(String who, PartitionLog log, long mark) {
    each(
        log,
        Math.max(log.localLogStartOffset(), log.logStartOffset()),
        mark,
        batch -> {
          Integer wanted = batches.get(batch.baseOffset());
          boolean known = batch.lastOffset() < mark && batch.lastOffset() < history.endOffset();
          if (known && (wanted == null || wanted != sum(batch))) {
            throw new AssertionError(
                "LogsAlike: " + who + " has other bytes at " + batch.baseOffset());
          }
        });
  }

  /** Invariant 6: what readers of what is committed may have, and are told beside it. */
  private void stable(String who, Partition partition, long mark) {
    boolean sure = sure(partition, mark);
    long stable = transactions.stableOffset(mark);
    long is = partition.lastStableOffset();
    if (is < stable || (sure && is > stable)) {
      throw new AssertionError(
          "StableIsDecided: "
              + who
              + " has the last stable offset "
              + is
              + " at "
              + mark
              + ", which is "
              + stable);
    }
    PartitionLog log = partition.log();
    long from = Math.max(log.localLogStartOffset(), log.logStartOffset());
    if (from < mark) {
      List<Aborted> told =
          log.abortedTransactions(from, mark).stream()
              .map(one -> new Aborted(one.producerId(), one.firstOffset()))
              .toList();
      transactions.listed(who, told, new Range(from, mark), false, sure);
    }
  }

  /**
   * Whether a replica has to know which transactions were open at its high watermark. One that was
   * started again, or has cut its log, takes for ended what its own log says is, replicated or not,
   * as in Kafka. A leader that has reached the start of its epoch knows.
   */
  static boolean sure(Partition partition, long mark) {
    PartitionLog log = partition.log();
    boolean reached =
        partition.leads()
            && log.epochs().stream()
                .filter(epoch -> epoch.leaderEpoch() == partition.leaderEpoch())
                .anyMatch(epoch -> epoch.startOffset() <= mark);
    if (reached) {
      return true;
    }
    boolean[] none = {true};
    each(
        log,
        Math.max(mark, log.localLogStartOffset()),
        log.logEndOffset(),
        batch -> none[0] &= !batch.isControlBatch());
    return none[0];
  }

  /** Invariant 3: what is not here any more is in the tier, or lies below the start. */
  private void seam(String who, PartitionLog log) {
    ManifestView view = newest();
    long covered = Math.max(log.logStartOffset(), view.endOffset());
    if (log.localLogStartOffset() > covered) {
      throw new AssertionError(
          "ReleasedIsTiered: the tier ends at "
              + view.endOffset()
              + ", the log of "
              + who
              + " begins at "
              + log.localLogStartOffset());
    }
  }

  /** Whose leader wrote what is known of each committed record, wherever its bytes are. */
  private void epochs(String who, PartitionLog log, long mark) {
    List<EpochStart> known = log.epochs();
    history
        .origins()
        .subMap(Math.min(log.logStartOffset(), mark), mark)
        .forEach(
            (offset, origin) -> {
              int epoch = -1;
              for (EpochStart start : known) {
                epoch = start.startOffset() <= offset ? start.leaderEpoch() : epoch;
              }
              if (epoch != origin.leaderEpoch()) {
                throw new AssertionError(
                    "EpochsAlike: " + who + " knows " + known + ", at " + offset + " is " + origin);
              }
            });
  }

  // ---- the tier

  /** Watches what one broker does to the bucket. */
  TracedStore.Watcher watching(int broker) {
    return new TracedStore.Watcher() {
      @Override
      public void versionWritten() {
        guard(() -> version(broker));
      }

      @Override
      public void segmentWritten(ObjectKey key) {
        guard(() -> segment(key));
      }

      @Override
      public void deleting(ObjectKey key) {
        guard(() -> notNamed(key));
      }
    };
  }

  private void guard(Runnable check) {
    try {
      check.run();
    } catch (RuntimeException | AssertionError failure) {
      world.violated(failure);
    }
  }

  /** The manifest's, and whoever writes it leads, or did in the epoch it writes in. */
  private void version(int writer) {
    TierCheck.Look look = TierCheck.Look.at(newest(), bucket);
    TierCheck.all(checks, look);
    if (look.view().version() > versionSeen) {
      versionSeen = look.view().version();
      int leader = world.quorum.leaderOf(look.view().leaderEpoch());
      if (leader != writer) {
        throw new AssertionError(
            "WrittenByLeaders: "
                + writer
                + " wrote in epoch "
                + look.view().leaderEpoch()
                + ", which "
                + leader
                + " led");
      }
    }
    look.named().forEach(this::tiered);
    history.startsAt(look.view().startOffset(), false);
  }

  private void tiered(SegmentEntry entry) {
    if (!compared.add(entry.object())) {
      return;
    }
    if (entry.endOffset() > history.endOffset()) {
      throw new AssertionError("CommittedOnly: tiered to " + entry.endOffset());
    }
    long decided = transactions.decidedOffset(history.endOffset());
    if (entry.endOffset() > decided) {
      throw new AssertionError("CommittedOnly: tiered to " + entry.endOffset() + " of " + decided);
    }
    ByteBuffer data =
        bucket.get(entry.object(), entry.positionBytes(), (int) entry.dataBytes()).join();
    MemoryRecords records = MemoryRecords.readableRecords(data);
    Map<Long, Written> found = new TreeMap<>();
    History.collect(found, records);
    history.compare("tier", found, entry.baseOffset(), entry.endOffset());
    for (RecordBatch batch : records.batches()) {
      Integer wanted = batches.get(batch.baseOffset());
      if (wanted == null || wanted != sum(batch)) {
        throw new AssertionError("TierIsTheLog: other bytes at " + batch.baseOffset());
      }
    }
    ByteBuffer tail =
        bucket
            .get(
                entry.object(),
                entry.positionBytes() + SegmentFormat.tailPositionBytes(entry),
                SegmentFormat.tailBytes(entry))
            .join();
    List<Aborted> told =
        SegmentFormat.decode(entry, tail)
            .abortedTransactions(entry.baseOffset(), entry.endOffset())
            .stream()
            .map(one -> new Aborted(one.producerId(), one.firstOffset()))
            .toList();
    Range range = new Range(entry.baseOffset(), entry.endOffset());
    transactions.listed(entry.object().value(), told, range, true, true);
  }

  /** Invariant 3: nothing goes up that may still be cut off. */
  private void segment(ObjectKey key) {
    SegmentFooter.Facts facts =
        SegmentFormat.decode(bucket.get(key, SEGMENT_BYTES_MAX).join()).footer().facts();
    if (facts.endOffset() > history.endOffset()) {
      throw new AssertionError(
          "CommittedOnly: uploaded to "
              + facts.endOffset()
              + ", committed to "
              + history.endOffset());
    }
  }

  /** Invariant 4. */
  private void notNamed(ObjectKey key) {
    if (SegmentId.parse(key).isPresent()
        && TierCheck.Look.at(newest(), bucket).named().stream()
            .anyMatch(entry -> entry.object().equals(key))) {
      throw new AssertionError("NothingElseDeleted: " + key + " is named");
    }
  }
}
