package io.strandline.broker.partition;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.log.Appended;
import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.partition.meter.TopicMeters;
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
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.storage.internals.log.AppendOrigin;
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
public final class Partition {
  private static final Logger LOG = LoggerFactory.getLogger(Partition.class);

  private final TopicIdPartition id;
  private final PartitionLog log;
  private final PartitionRuntime runtime;
  private final Mailbox mailbox;
  private final OffsetLookup lookup;
  private final LogReads reads;
  private final TopicMeters meters;
  private final AckQueue acks = new AckQueue();
  private final List<Watcher> watchers = new CopyOnWriteArrayList<>();
  private final List<HighWatermarkListener> listeners = new CopyOnWriteArrayList<>();

  private volatile Role role = new Role.Waiting();
  private volatile long highWatermark;
  private volatile long lastStableOffset;
  private long seenStart; // as of the last time at rest; the owner's
  private long seenEnd;
  private boolean changed;

  Partition(PartitionLog log, long checkpointedHighWatermark, PartitionRuntime runtime) {
    this.id = log.partition();
    this.log = log;
    this.runtime = runtime;
    this.mailbox = new Mailbox(runtime.writes(), this::settle);
    this.lookup = new OffsetLookup(this, runtime);
    this.reads = new LogReads(log, localSegments(), runtime.replay(), runtime.reads());
    this.meters = runtime.kafka().topic(id.topic());
    this.seenStart = log.logStartOffset();
    this.seenEnd = log.logEndOffset();
    this.highWatermark = Math.min(Math.max(checkpointedHighWatermark, seenStart), seenEnd);
    this.lastStableOffset = stable(highWatermark);
  }

  public TopicIdPartition id() {
    return id;
  }

  public boolean leads() {
    return role instanceof Role.Leading;
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

  /** Of its topic. */
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
   * @param acks 0, 1 or -1; with -1 fails with NOT_ENOUGH_REPLICAS below {@code
   *     min.insync.replicas}
   */
  public PendingAppend append(MemoryRecords records, short acks) {
    return append(records, acks, AppendTerms.CLIENT);
  }

  /** As above, of a transaction or by a coordinator that does not wait; in the present epoch. */
  public PendingAppend append(MemoryRecords records, short acks, AppendTerms terms) {
    meters.mark(TopicMeters.Kind.TOTAL_PRODUCE);
    CompletableFuture<Appended> written = new CompletableFuture<>();
    boolean all = acks == -1;
    PendingAppend pending = new PendingAppend(written, all ? new CompletableFuture<>() : written);
    mailbox.submit(
        new Mailbox.Task() {
          @Override
          public boolean inline() {
            return appendsInline(records);
          }

          @Override
          public void run() {
            append(records, terms, all, pending);
          }
        });
    return pending;
  }

  private boolean appendsInline(MemoryRecords records) {
    return records.sizeInBytes() <= runtime.settings().inlineBytes()
        && log.appendsInline(records, leaderEpoch(), runtime.clock().millis());
  }

  private void append(
      MemoryRecords records, AppendTerms terms, boolean all, PendingAppend pending) {
    try {
      Role.Leading leading = writable(all);
      if (terms.origin() == AppendOrigin.CLIENT) {
        runtime.space().admit(log);
      }
      Appended appended = write(records, terms.in(leading.leaderEpoch()));
      if (all) {
        acks.add(appended, pending.acknowledged());
      }
      mailbox.after(() -> pending.written().complete(appended));
    } catch (RuntimeException | Error failure) {
      meters.notAppended(records, failure);
      mailbox.after(() -> pending.fail(failure));
    }
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
    return mailbox.call(() -> write(records, terms.in(writable(true).leaderEpoch())));
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
    return mailbox.ask(
        () -> {
          var unused = writable(false);
          return log.beginVerification(producerId, sequence, epoch, adds);
        },
        true);
  }

  private Role.Leading writable(boolean all) {
    Role.Leading leading = leadingOrThrow().writable();
    if (all) {
      leading.requireInSync(log.config().minInSyncReplicas);
    }
    return leading;
  }

  private Appended write(MemoryRecords records, AppendTerms terms) {
    Appended appended = log.appendAsLeader(records, terms, runtime.clock().millis());
    meters.appended(records, appended);
    return appended;
  }

  // ---- reads

  /**
   * Finds records; waits neither for the tier nor for the disk.
   *
   * @throws ApiException OFFSET_OUT_OF_RANGE, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
   *     NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR
   */
  public PartitionRead read(ReadRequest request) {
    leadingOrThrow(request.leaderEpoch());
    return reads.read(request, marks(request.isolation()));
  }

  /** The offsets as they are, with the bound for readers of this isolation. */
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

  /**
   * Local records up to the log end copied to memory, for coordinators that load their state;
   * blocks on disk.
   */
  public MemoryRecords readLocal(long offset, int maxBytes) {
    try (LogRead read = log.read(offset, maxBytes, log.logEndOffset(), true)) {
      return read.toMemory();
    }
  }

  /**
   * Looks an offset up as ListOffsets does (KIP-79, KIP-405, KIP-734, KIP-1005); leaders only.
   *
   * @param timestampMs at least this, or one of the negative specs of {@code ListOffsetsRequest}
   */
  public CompletableFuture<FoundOffset> offsetFor(
      long timestampMs, FetchIsolation isolation, OptionalInt leaderEpoch) {
    leadingOrThrow(leaderEpoch);
    return lookup.find(timestampMs, isolation);
  }

  /** Where an epoch ends here, as OffsetForLeaderEpoch asks (KIP-101); leaders only. */
  public Optional<PartitionLog.EpochEnd> endOffsetForEpoch(OptionalInt leaderEpoch, int epoch) {
    leadingOrThrow(leaderEpoch);
    // A mount has one epoch, and begins its log anew whenever what it mounts has grown.
    return role.readOnly() && epoch == SegmentEntry.FOREIGN_EPOCH
        ? Optional.of(new PartitionLog.EpochEnd(epoch, log.logEndOffset()))
        : log.endOffsetForEpoch(epoch);
  }

  // ---- log start

  /**
   * Moves the log start; completes with the low watermark once all replicas moved theirs.
   *
   * @param offset -1 for the high watermark
   */
  public CompletableFuture<Long> deleteRecords(long offset) {
    return mailbox.ask(() -> moveStart(offset), false);
  }

  private long moveStart(long offset) {
    var unused = leadingOrThrow().writable();
    if (!log.config().delete) {
      throw new PolicyViolationException("the cleanup policy of " + id + " is not delete");
    }
    long start = offset == -1 ? highWatermark : offset;
    if (start < 0 || start > highWatermark) {
      throw new OffsetOutOfRangeException(
          id + " cannot begin at " + start + ", its high watermark is " + highWatermark);
    }
    log.advanceLogStart(start);
    return log.logStartOffset();
  }

  // ---- those who follow

  public void watch(Watcher watcher) {
    watchers.add(watcher);
  }

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
            lead(state, node, readOnly);
          } else {
            stopLeading(new Role.Following(state), new NotLeaderOrFollowerException(id + " moved"));
          }
        });
  }

  private void lead(PartitionState state, int node, boolean readOnly) {
    boolean elected = !leads() || leaderEpoch() != state.leaderEpoch();
    if (elected && !readOnly) {
      log.assignEpoch(state.leaderEpoch(), log.logEndOffset());
    }
    role = Role.Leading.of(state, node, readOnly, role);
    changed = true;
    if (elected) {
      LOG.atDebug()
          .addKeyValue("partition", id)
          .addKeyValue("epoch", state.leaderEpoch())
          .addKeyValue("offset", log.logEndOffset())
          .log("leads");
    }
  }

  private void stopLeading(Role next, ApiException reason) {
    role = next;
    listeners.clear();
    acks.fail(reason, mailbox::after);
    changed = true;
  }

  /** The directory failed: whoever waits is told, and nothing is written any more. */
  void goOffline() {
    mailbox.submitInline(
        () ->
            stopLeading(
                new Role.Offline(role.leaderEpoch()),
                new KafkaStorageException("the log directory of " + id + " failed")));
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

  /** A follower in this epoch holds all below this offset, as its fetch says. */
  void followerReached(int replica, int epoch, long logEndOffset) {
    mailbox.submitInline(
        () -> {
          if (role instanceof Role.Leading leading && leading.leaderEpoch() == epoch) {
            leading.followerEnds().put(replica, logEndOffset);
          }
        });
  }

  /** Once after a burst of steps: what they mean for watermarks and for those who wait. */
  private void settle() {
    try {
      settleOrThrow();
    } catch (KafkaStorageException failure) {
      stopLeading(new Role.Offline(role.leaderEpoch()), failure);
    }
    if (changed) {
      changed = false;
      mailbox.after(this::tellWatchers);
    }
  }

  private void settleOrThrow() {
    long end = log.logEndOffset();
    long start = log.logStartOffset();
    boolean advanced = false;
    if (role instanceof Role.Leading leading) {
      long watermark = Math.max(leading.highWatermark(end), start);
      if (watermark > highWatermark) {
        highWatermark = watermark;
        advanced = true;
      }
    }
    long stable = stable(highWatermark);
    changed |= advanced || end != seenEnd || start != seenStart || stable != lastStableOffset;
    lastStableOffset = stable;
    seenEnd = end;
    seenStart = start;
    acks.reached(highWatermark, mailbox::after);
    if (advanced) {
      listeners.forEach(listener -> listener.advanced(highWatermark));
    }
  }

  private void tellWatchers() {
    for (Watcher watcher : watchers) {
      watcher.changed(this);
    }
  }

  private long stable(long watermark) {
    return Math.min(watermark, log.firstUnstableOffset(watermark).orElse(Long.MAX_VALUE));
  }

  // ---- checks

  private Role.Leading leadingOrThrow() {
    Role now = role;
    if (now instanceof Role.Leading leading) {
      return leading;
    }
    throw now instanceof Role.Offline
        ? new KafkaStorageException("the log directory of " + id + " failed")
        : new NotLeaderOrFollowerException(id + " is not led here");
  }

  void leadingOrThrow(OptionalInt epoch) {
    leadingOrThrow().requireEpoch(epoch);
  }
}
