package io.strandline.broker.share;

import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Watcher;
import io.strandline.broker.share.window.Acknowledgement;
import io.strandline.broker.share.window.Change;
import io.strandline.broker.share.window.Claim;
import io.strandline.broker.share.window.DeliveryWindow;
import io.strandline.broker.share.window.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.message.ShareFetchResponseData.AcquiredRecords;
import org.apache.kafka.coordinator.group.ShareGroupAutoOffsetResetStrategy;
import org.apache.kafka.server.share.SharePartitionKey;
import org.apache.kafka.server.share.persister.PartitionAllData;
import org.apache.kafka.server.share.persister.PartitionFactory;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.jspecify.annotations.Nullable;

/**
 * A partition as a share group has it, for one tenure of its leader: who was given which records,
 * and until when.
 *
 * <p>An acknowledgement is answered once it is written down; what cannot be written down is as it
 * was. Nobody waits for a lock that ran out to be written down: at worst the record is given once
 * more.
 *
 * <p>Threads: any; the window is guarded by this.
 */
public final class SharePartition {
  private final SharePartitionKey key;
  private final Partition partition;
  private final int leaderEpoch;
  private final SharePartitions.Surroundings services;
  private final Consumer<SharePartition> over;
  private final Watcher tenure = (source, wakes) -> lookAtLeader();
  private final StateWrites writes = new StateWrites(this::write);
  private final CompletableFuture<Void> loaded = new CompletableFuture<>();

  /** Told when there may be records for members again. */
  private final Set<Runnable> watchers = ConcurrentHashMap.newKeySet();

  /** Those who found another reading, told when it is through. */
  private final Set<Runnable> inLine = ConcurrentHashMap.newKeySet();

  private DeliveryWindow window = new DeliveryWindow(0, List.of()); // until it is loaded
  private int stateEpoch;
  private boolean reading;
  private boolean retired;
  private @Nullable ScheduledFuture<?> alarm;
  private long alarmMs;

  /**
   * @param over told when this is of no use any more; retires it
   */
  SharePartition(
      SharePartitionKey key,
      Partition partition,
      SharePartitions.Surroundings services,
      Consumer<SharePartition> over) {
    this.key = key;
    this.over = over;
    this.partition = partition;
    this.leaderEpoch = partition.leaderEpoch();
    this.services = services;
  }

  public Partition partition() {
    return partition;
  }

  public int leaderEpoch() {
    return leaderEpoch;
  }

  SharePartitionKey key() {
    return key;
  }

  private String group() {
    return key.groupId();
  }

  /** Whether it is of the leader's present tenure, and was not given up. */
  synchronized boolean current(Partition now) {
    return !retired && partition == now && now.leads() && now.leaderEpoch() == leaderEpoch;
  }

  // ---- its beginning and its end

  /** Ends with the tenure of its leader, from now on. */
  void followLeader() {
    partition.watch(tenure);
    synchronized (this) {
      if (retired) {
        partition.unwatch(tenure);
      }
    }
    lookAtLeader();
  }

  private void lookAtLeader() {
    if (!partition.leads() || partition.leaderEpoch() != leaderEpoch) {
      over.accept(this);
    }
  }

  /** Completes when it can be asked, or fails as the persister does. */
  public CompletableFuture<Void> loaded() {
    return loaded;
  }

  /** Reads back what is written down of it. */
  void load() {
    var unused =
        services
            .persister()
            .readState(StateMessages.read(key, leaderEpoch))
            .thenCompose(read -> begin(StateMessages.only(read)))
            .whenComplete(
                (done, failure) -> {
                  if (failure == null) {
                    loaded.complete(null);
                  } else { // told first: who hears of its end asks how it came to it
                    loaded.completeExceptionally(failure);
                    over.accept(this);
                  }
                });
  }

  private CompletableFuture<Void> begin(PartitionAllData read) {
    StateMessages.check(read.errorCode(), read.errorMessage());
    return startOffset(read.startOffset())
        .thenAccept(
            start -> {
              synchronized (this) {
                stateEpoch = read.stateEpoch();
                window = new DeliveryWindow(start, read.stateBatches());
                window.cutBefore(partition.logStartOffset());
              }
            });
  }

  private CompletableFuture<Long> startOffset(long written) {
    if (written != PartitionFactory.UNINITIALIZED_START_OFFSET) {
      return CompletableFuture.completedFuture(written);
    }
    ShareGroupAutoOffsetResetStrategy where = services.terms().beginning(group());
    return switch (where.type()) {
      case EARLIEST -> CompletableFuture.completedFuture(partition.logStartOffset());
      case LATEST -> CompletableFuture.completedFuture(partition.highWatermark());
      case BY_DURATION ->
          partition
              .offsetFor(
                  Math.max(0, where.timestamp()),
                  FetchIsolation.HIGH_WATERMARK,
                  OptionalInt.of(leaderEpoch))
              .thenApply(found -> found.offset() < 0 ? partition.highWatermark() : found.offset());
    };
  }

  /** Nobody is given anything any more; what was taken back is still written down. */
  void retire() {
    synchronized (this) {
      retired = true;
      partition.unwatch(tenure);
      if (alarm != null) {
        alarm.cancel(false);
      }
    }
    tell(watchers);
    tell(inLine);
  }

  /** Completes when nothing is being written: only then may it be loaded anew. */
  CompletableFuture<Void> idle() {
    return writes.idle();
  }

  // ---- giving

  /**
   * Begins to read for a member; one at a time does.
   *
   * @param waiting is told when this is worth another try
   * @return where; empty when another reads, or nothing may be given now
   */
  public synchronized OptionalLong beginRead(Runnable waiting) {
    if (retired) {
      throw new NotLeaderOrFollowerException(partition.id() + " is not here any more");
    }
    if (reading) {
      inLine.add(waiting);
      return OptionalLong.empty();
    }
    OptionalLong from = window.readFrom(services.terms().inFlightMax(group()));
    reading = from.isPresent();
    return from;
  }

  public void endRead() {
    synchronized (this) {
      reading = false;
    }
    tell(inLine);
  }

  private static void tell(Set<Runnable> who) {
    List<Runnable> now = new ArrayList<>(who);
    who.removeAll(now);
    now.forEach(Runnable::run);
  }

  /** Tells once when something is given back. */
  public void watch(Runnable watcher) {
    watchers.add(watcher);
  }

  public void unwatch(Runnable watcher) {
    watchers.remove(watcher);
    inLine.remove(watcher);
  }

  /** The log's readers of this group see so much of it. */
  public FetchIsolation isolation() {
    return services.terms().isolation(group());
  }

  /** Gives a member of what was read, between {@link #beginRead} and {@link #endRead}. */
  public synchronized List<AcquiredRecords> acquire(
      String member, Limits limits, long from, List<Span> read) {
    if (retired) {
      return List.of();
    }
    GroupTerms terms = services.terms();
    Claim claim =
        new Claim(
            member,
            limits.recordsMax(),
            limits.batchRecords(),
            limits.strict(),
            terms.lockedUntilMs(group()),
            terms.deliveryLimit(group()),
            terms.inFlightMax(group()));
    List<AcquiredRecords> given = window.acquire(claim, from, read);
    setAlarm();
    return given;
  }

  /**
   * How much a member wants, as in {@link Claim}.
   *
   * @param strict whether it may not be more
   */
  public record Limits(int recordsMax, int batchRecords, boolean strict) {}

  /** The log begins later than it did. */
  public synchronized void cutBefore(long logStart) {
    window.cutBefore(logStart);
  }

  public synchronized long inFlight() {
    return window.inFlight();
  }

  // ---- taking back

  /** Completes when it is written down; fails as {@link DeliveryWindow#acknowledge} does. */
  CompletableFuture<Void> acknowledge(String member, List<Acknowledgement> said) {
    return take(w -> w.acknowledge(member, said, services.terms().ackTerms(group())));
  }

  /** Takes back all that the member holds. */
  CompletableFuture<Void> release(String member) {
    return take(w -> w.release(member, services.terms().deliveryLimit(group())));
  }

  private CompletableFuture<Void> take(Function<DeliveryWindow, Change> step) {
    CompletableFuture<Void> written;
    synchronized (this) {
      if (retired) {
        throw new NotLeaderOrFollowerException(partition.id() + " is not here any more");
      }
      written = writes.add(step.apply(window));
      setAlarm();
    }
    writes.send();
    return written;
  }

  private void setAlarm() {
    OptionalLong earliest = window.earliestLockMs();
    if (earliest.isEmpty() || retired) {
      return;
    }
    if (alarm != null && alarmMs <= earliest.getAsLong()) {
      return;
    }
    if (alarm != null) {
      alarm.cancel(false);
    }
    alarmMs = earliest.getAsLong();
    long delayMs = Math.max(1, alarmMs - services.terms().nowMs());
    alarm = services.timer().schedule(this::expire, delayMs, TimeUnit.MILLISECONDS);
  }

  private void expire() {
    Change change;
    synchronized (this) {
      alarm = null;
      if (retired) {
        return;
      }
      GroupTerms terms = services.terms();
      change = window.expire(terms.nowMs(), terms.deliveryLimit(group()));
      var unused = writes.add(change);
      setAlarm();
    }
    if (!change.isEmpty()) {
      services.meters().expired(change);
      writes.send();
      tell(watchers);
    }
  }

  // ---- writing down

  private CompletableFuture<Void> write(List<Change> changes) {
    long start;
    int done;
    synchronized (this) {
      start = window.start();
      done = (int) Math.min(Integer.MAX_VALUE, window.doneAfter(changes));
    }
    var state =
        PartitionFactory.newPartitionStateBatchData(
            key.partition(), stateEpoch, start, done, leaderEpoch, StateMessages.batches(changes));
    return services
        .persister()
        .writeState(StateMessages.write(key, state))
        .thenAccept(StateMessages::check)
        .whenComplete((written, failure) -> settle(changes, failure));
  }

  private void settle(List<Change> changes, @Nullable Throwable failure) {
    synchronized (this) {
      changes.forEach(change -> window.settle(change, failure == null));
      setAlarm();
    }
    if (failure != null && StateMessages.fences(failure)) {
      over.accept(this);
    }
    tell(watchers);
  }
}
