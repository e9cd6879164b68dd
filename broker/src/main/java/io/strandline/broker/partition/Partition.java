package io.strandline.broker.partition;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.log.Appended;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.broker.partition.meter.TopicMeters;
import io.strandline.broker.partition.owner.Mailbox;
import io.strandline.broker.partition.owner.Wakes;
import io.strandline.broker.replica.FollowedReplica;
import io.strandline.broker.replica.FollowerFetch;
import io.strandline.broker.replica.Followers;
import io.strandline.broker.replica.TierMark;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One replica that this broker hosts, and its one owner.
 *
 * <ul>
 *   <li>log start ≤ last stable offset ≤ high watermark ≤ log end; the last three never fall while
 *       a leader epoch lasts.
 *   <li>The high watermark is the lowest log end of the replicas in sync; what is acknowledged to
 *       acks=all lies below it.
 *   <li>Appends have dense offsets in the order in which the owner took them.
 * </ul>
 *
 * <p>Threads: any. What changes the log or the role goes through the owner, a {@link Mailbox};
 * getters are volatile reads. Methods that say so fail with {@code NotLeaderOrFollowerException}
 * while another leads and with {@code KafkaStorageException} once the log directory failed.
 */
public final class Partition implements PartitionRead.Source {
  private static final Logger LOG = LoggerFactory.getLogger(Partition.class);

  private final TopicIdPartition id;
  private final PartitionLog log;
  private final Mailbox mailbox;
  private final OffsetLookup lookup;
  private final LogReads reads;
  private final TopicMeters meters;
  private final Leadership leadership;
  private final Appends appends;
  private final FollowedReplica follower;
  private final List<Watcher> watchers = new CopyOnWriteArrayList<>();
  private final List<HighWatermarkListener> listeners = new CopyOnWriteArrayList<>();

  private volatile Role role = new Role.Waiting();
  private volatile long highWatermark;
  private volatile long lastStableOffset;
  private volatile Optional<TierMark> tiered = Optional.empty();
  private long seenStart; // as of the last time at rest; the owner's
  private long seenEnd;
  private long seenWatermark;
  private boolean changed;

  Partition(PartitionLog log, long checkpointedHighWatermark, PartitionRuntime runtime) {
    this.id = log.partition();
    this.log = log;
    this.mailbox = new Mailbox(runtime.writes(), this::settle);
    this.lookup = new OffsetLookup(this, runtime);
    this.reads = new LogReads(log, localSegments(), runtime.replay(), runtime.reads());
    this.meters = runtime.kafka().topic(id.topic());
    this.leadership = new Leadership(this, mailbox, runtime);
    this.appends = new Appends(this, mailbox, leadership, runtime);
    this.follower = new Follower(this, mailbox, runtime.replicas());
    this.seenStart = log.logStartOffset();
    this.seenEnd = log.logEndOffset();
    // What was released is in the tier, so that it was committed, whatever was last written down.
    long committed = Math.max(checkpointedHighWatermark, log.localLogStartOffset());
    this.highWatermark = Math.min(Math.max(committed, seenStart), seenEnd);
    this.lastStableOffset = stable(highWatermark);
  }

  @Override
  public TopicIdPartition id() {
    return id;
  }

  public boolean leads() {
    return role instanceof Role.Leading;
  }

  /** Whether it leads in this leader epoch or a later one. */
  public boolean leadsSince(int leaderEpoch) {
    Role now = role;
    return now instanceof Role.Leading && now.leaderEpoch() >= leaderEpoch;
  }

  /** Of the leader that this replica knows of, -1 before it knows one. */
  public int leaderEpoch() {
    return role.leaderEpoch();
  }

  public LogConfig config() {
    return log.config();
  }

  /** For those who describe or maintain it; its writing methods are the owner's alone. */
  public PartitionLog log() {
    return log;
  }

  @Override
  public TopicMeters meters() {
    return meters;
  }

  Role role() {
    return role;
  }

  /** For the tier, which frees local bytes and moves the log start. */
  public LocalSegments localSegments() {
    return new OwnedSegments(log, mailbox);
  }

  public long logStartOffset() {
    return log.logStartOffset();
  }

  public long localLogStartOffset() {
    return log.localLogStartOffset();
  }

  public long logEndOffset() {
    return log.logEndOffset();
  }

  public long highWatermark() {
    return highWatermark;
  }

  public long lastStableOffset() {
    return lastStableOffset;
  }

  // ---- appends

  /**
   * A client's append; leaders only.
   *
   * @param acks 0, 1 or -1; -1 fails with NOT_ENOUGH_REPLICAS below {@code min.insync.replicas}
   */
  public PendingAppend append(MemoryRecords records, short acks) {
    return append(records, acks, AppendTerms.CLIENT);
  }

  /** As above, of a transaction or by a coordinator that does not wait; in the present epoch. */
  public PendingAppend append(MemoryRecords records, short acks, AppendTerms terms) {
    return append(records, acks, terms, Wakes.AT_ONCE);
  }

  /** As above, as a part of a request, by whose {@code wakes} readers are told. */
  public PendingAppend append(MemoryRecords records, short acks, AppendTerms terms, Wakes wakes) {
    return appends.append(records, acks, terms, wakes);
  }

  /**
   * A coordinator's append, when this returns it is in the leader's log; leaders only, with enough
   * replicas in sync. May wait for an append that is being written: not for event loops, nor for
   * the executor of writes.
   *
   * @param terms origin, verification guard and version of the transaction, and the leader epoch
   *     expected
   */
  public Appended appendNow(MemoryRecords records, AppendTerms terms) {
    return appends.appendNow(records, terms);
  }

  /**
   * Begins to verify that this partition is part of a producer's transaction (KIP-890); leaders
   * only.
   *
   * @param sequence of the first batch to come
   * @param adds whether the client has partitions added by its appends (transaction version 2)
   */
  public CompletableFuture<VerificationGuard> verify(
      long producerId, short epoch, int sequence, boolean adds) {
    return appends.verify(producerId, epoch, sequence, adds);
  }

  // ---- the tier

  @Override
  public Optional<TierMark> tiered() {
    return tiered.map(
        mark -> new TierMark(mark.version(), mark.endOffset(), log.localLogStartOffset()));
  }

  /** What its leader said of the tier; empty when this replica does not follow. */
  public Optional<TierMark> tieredWhileFollowing() {
    return role instanceof Role.Following ? tiered : Optional.empty();
  }

  /** It is tiered so far; followers are told with their next fetch, which this wakes. */
  public void tiered(TierMark mark) {
    mailbox.submitInline(
        () -> {
          tiered = Optional.of(mark);
          changed = true;
        });
  }

  // ---- reads

  @Override
  public PartitionRead read(ReadRequest request) {
    leadingOrThrow(request.leaderEpoch());
    return reads.read(request, marks(request.isolation()));
  }

  @Override
  public PartitionRead readReplica(ReadRequest request) {
    requireReplica(request.leaderEpoch());
    return reads.read(request, marks(request.isolation()));
  }

  /**
   * Finds records for a follower, and learns from its fetch how far it is.
   *
   * @param lastFetchedEpoch of its newest batch; without one its history is not compared
   * @throws ApiException as {@link #read}, UNKNOWN_LEADER_EPOCH to whom is no replica
   */
  public PartitionRead readAsFollower(
      ReadRequest request, FollowerFetch fetch, OptionalInt lastFetchedEpoch) {
    return leadership.read(reads, request, fetch, lastFetchedEpoch);
  }

  /** As above, of a fetch that has no room for records: where the follower is, is all learnt. */
  public void followerIsAt(ReadRequest request, FollowerFetch fetch, OptionalInt lastFetchedEpoch) {
    leadership.locate(reads, request, fetch, lastFetchedEpoch);
  }

  /** So many bytes of records go to a follower. */
  public void sent(int replica, int bytes) {
    leadership.sent(replica, bytes);
  }

  @Override
  public PartitionRead.Marks marks(FetchIsolation isolation) {
    long stable = lastStableOffset; // read first: each may only grow
    long watermark = highWatermark;
    return new PartitionRead.Marks(
        watermark, stable, log.logStartOffset(), bound(isolation, stable, watermark));
  }

  private long bound(FetchIsolation isolation, long stable, long watermark) {
    return switch (isolation) {
      case LOG_END -> log.logEndOffset();
      case HIGH_WATERMARK -> watermark;
      case TXN_COMMITTED -> stable;
    };
  }

  /** Copies local records, for coordinators that load their state; blocks on disk. */
  public MemoryRecords readLocal(long offset, int maxBytes) {
    try (LogRead read = log.read(offset, maxBytes, log.logEndOffset(), true)) {
      return read.toMemory();
    }
  }

  @Override
  public CompletableFuture<FoundOffset> offsetFor(
      long timestampMs, FetchIsolation isolation, OptionalInt leaderEpoch) {
    leadingOrThrow(leaderEpoch);
    return lookup.find(timestampMs, isolation);
  }

  /** The same from whichever replica this is, up to its own end: for those who look for faults. */
  public CompletableFuture<FoundOffset> offsetHere(long timestampMs, OptionalInt leaderEpoch) {
    requireReplica(leaderEpoch);
    return lookup.find(timestampMs, FetchIsolation.LOG_END);
  }

  @Override
  public CompletableFuture<Optional<EpochEnd>> epochEnd(OptionalInt leaderEpoch, int epoch) {
    leadingOrThrow(leaderEpoch);
    // A mount has one epoch, and begins its log anew whenever what it mounts has grown.
    return CompletableFuture.completedFuture(
        role.readOnly() && epoch == SegmentEntry.FOREIGN_EPOCH
            ? Optional.of(new EpochEnd(epoch, log.logEndOffset()))
            : log.endOffsetForEpoch(epoch));
  }

  // ---- log start

  /** Moves the log start (-1: the high watermark); the low watermark, once all replicas did. */
  public CompletableFuture<Long> deleteRecords(long offset) {
    return leadership.deleteRecords(offset);
  }

  // ---- those who follow

  /** The others as this replica sees them; leaders only, throws as {@link #read}. */
  public Followers followers(OptionalInt epoch) {
    leadingOrThrow(epoch);
    return leadingOrThrow().followers();
  }

  /** This replica, for a fetcher, while another leads. */
  public FollowedReplica follower() {
    return follower;
  }

  /** Looks whether replicas in sync have been behind for too long, or others may be let in. */
  void reviewFollowers() {
    if (role instanceof Role.Leading leading && leading.followed()) {
      mailbox.submitInline(() -> changed |= leadership.review(log.logEndOffset()));
    }
  }

  @Override
  public void watch(Watcher watcher) {
    watchers.add(watcher);
  }

  @Override
  public void unwatch(Watcher watcher) {
    watchers.remove(watcher);
  }

  /** Listens for this tenure of leadership; false when this replica does not lead. */
  public boolean listen(HighWatermarkListener listener) {
    listeners.add(listener);
    if (!leads()) {
      listeners.remove(listener);
      return false;
    }
    return true;
  }

  public void unlisten(HighWatermarkListener listener) {
    listeners.remove(listener);
  }

  // ---- the owner

  /** Takes the role that the metadata gives this replica; what is older than known is ignored. */
  CompletableFuture<Void> become(PartitionState state, int node, boolean readOnly) {
    return step(
        () -> {
          if (role instanceof Role.Offline
              || role instanceof Role.Closed
              || state.leaderEpoch() < role.leaderEpoch()) {
            return;
          }
          if (state.leader() == node) {
            role = leadership.begin(state, node, readOnly);
            changed = true;
          } else {
            stopLeading(
                new Role.Following(state, node, readOnly),
                new NotLeaderOrFollowerException(id + " moved"));
          }
        });
  }

  private void stopLeading(Role next, ApiException reason) {
    role = next;
    listeners.clear();
    leadership.ended(reason);
    changed = true;
  }

  /** It failed with the log in it, or that has moved meanwhile and goes on as it is. */
  void goOffline(LogDirectory failed, Runnable then) {
    mailbox.submitInline(
        () -> {
          if (log.directory() == failed) {
            stopLeading(
                new Role.Offline(role.leaderEpoch()),
                new KafkaStorageException("the log directory of " + id + " failed"));
            mailbox.after(then);
          }
        });
  }

  /** Stops serving for good; {@code last} is then done as the owner's last step. */
  CompletableFuture<Void> close(Runnable last) {
    return step(
        () -> {
          stopLeading(
              new Role.Closed(role.leaderEpoch()),
              new NotLeaderOrFollowerException(id + " is not here any more"));
          last.run();
        });
  }

  void reconfigure(LogConfig config) {
    var unused = step(() -> log.reconfigure(config));
  }

  /** A step that the owner carries out on the executor of writes. */
  public CompletableFuture<Void> step(Runnable step) {
    CompletableFuture<Void> done = mailbox.ask(step, false);
    var unused =
        done.exceptionally(
            failure -> {
              LOG.atError().addKeyValue("partition", id).setCause(failure).log("step failed");
              return null;
            });
    return done;
  }

  /** A follower knows by its leader how far all replicas are; the owner's. */
  void learnHighWatermark(long watermark) {
    highWatermark = Math.max(log.logStartOffset(), Math.min(watermark, log.logEndOffset()));
  }

  /** Once after a burst of steps: what they mean for watermarks and for those who wait. */
  private void settle() {
    try {
      settleOrThrow();
    } catch (KafkaStorageException failure) {
      stopLeading(new Role.Offline(role.leaderEpoch()), failure);
    }
    Wakes wakes = appends.settled();
    if (changed) {
      changed = false;
      mailbox.after(() -> watchers.forEach(watcher -> watcher.changed(this, wakes)));
    }
    mailbox.after(wakes::done);
  }

  private void settleOrThrow() {
    long end = log.logEndOffset();
    long start = log.logStartOffset();
    boolean advanced = false;
    if (role instanceof Role.Leading leading) {
      long watermark = Math.max(leadership.highWatermark(leading, seenEnd, end), start);
      if (watermark > highWatermark) {
        highWatermark = watermark;
        advanced = true;
      }
    }
    changed |= highWatermark != seenWatermark;
    seenWatermark = highWatermark;
    long stable = stable(highWatermark);
    changed |= end != seenEnd || start != seenStart || stable != lastStableOffset;
    lastStableOffset = stable;
    seenEnd = end;
    seenStart = start;
    if (role instanceof Role.Leading leading) {
      leadership.settled(leading, highWatermark);
    }
    if (advanced) {
      listeners.forEach(listener -> listener.advanced(highWatermark));
    }
  }

  private long stable(long watermark) {
    long decided = Math.min(watermark, log.firstUnstableOffset(watermark).orElse(watermark));
    return Math.max(log.logStartOffset(), decided); // records may be deleted while undecided
  }

  // ---- checks

  /** Throws {@link ApiException} unless it is led or followed here. */
  void requireReplica(OptionalInt epoch) {
    if (!(role instanceof Role.Following)) {
      var unused = leadingOrThrow();
    }
    role.requireEpoch(id, epoch);
  }

  Role.Leading leadingOrThrow() {
    Role now = role;
    if (now instanceof Role.Leading leading) {
      return leading;
    }
    throw now instanceof Role.Offline
        ? new KafkaStorageException("the log directory of " + id + " failed")
        : new NotLeaderOrFollowerException(id + " is not led here");
  }

  void leadingOrThrow(OptionalInt epoch) {
    leadingOrThrow().requireEpoch(id, epoch);
  }
}
