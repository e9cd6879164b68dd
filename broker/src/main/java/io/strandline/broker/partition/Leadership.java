package io.strandline.broker.partition;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.isr.IsrChange;
import io.strandline.broker.log.Appended;
import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.broker.partition.meter.TopicMeters.Kind;
import io.strandline.broker.partition.owner.Mailbox;
import io.strandline.broker.replica.AckQueue;
import io.strandline.broker.replica.FollowerFetch;
import io.strandline.broker.replica.Followers;
import io.strandline.broker.replica.quota.ReplicationQuota;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the owner of a partition does for its followers while it leads: takes in how far they are,
 * lets them into the ISR and puts them out, answers those who wait for them. Methods are the
 * owner's unless they say otherwise.
 */
final class Leadership {
  private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);
  private static final long REPEAT_MS = 50;

  /** Those who want the low watermark once every live replica begins at or above an offset. */
  static final class StartWaits {
    private record Wait(long start, CompletableFuture<Long> done) {}

    private final ArrayDeque<Wait> waits = new ArrayDeque<>();

    /** In the order of their offsets; who has given up meanwhile goes. */
    void add(long start, CompletableFuture<Long> done) {
      waits.removeIf(wait -> wait.done().isDone());
      waits.add(new Wait(start, done));
    }

    boolean isEmpty() {
      return waits.isEmpty();
    }

    int size() {
      return waits.size();
    }

    void reached(long low, Consumer<Runnable> after) {
      while (!waits.isEmpty() && waits.peek().start() <= low) {
        Wait reached = waits.remove();
        after.accept(() -> reached.done().complete(low));
      }
    }

    void fail(ApiException reason, Consumer<Runnable> after) {
      while (!waits.isEmpty()) {
        Wait over = waits.remove();
        after.accept(() -> over.done().completeExceptionally(reason));
      }
    }
  }

  private final Partition partition;
  private final Mailbox mailbox;
  private final PartitionRuntime runtime;
  private final AckQueue acks = new AckQueue();
  private final StartWaits starts = new StartWaits();
  private boolean hopeful;

  Leadership(Partition partition, Mailbox mailbox, PartitionRuntime runtime) {
    this.partition = partition;
    this.mailbox = mailbox;
    this.runtime = runtime;
  }

  /** The role in this leader epoch, which may have begun before. */
  Role.Leading begin(PartitionState state, int node, boolean readOnly) {
    Role.Leading before = partition.role() instanceof Role.Leading leading ? leading : null;
    if (before != null && before.leaderEpoch() == state.leaderEpoch()) {
      before.followers().learn(state);
      return new Role.Leading(before.followers(), readOnly);
    }
    long start = partition.logEndOffset();
    if (!readOnly) {
      partition.log().assignEpoch(state.leaderEpoch(), start);
    }
    LOG.atDebug()
        .addKeyValue("partition", partition.id())
        .addKeyValue("epoch", state.leaderEpoch())
        .addKeyValue("offset", start)
        .log("leads");
    state.replicas().stream().filter(replica -> replica != node).forEach(this::expect);
    return new Role.Leading(
        new Followers(
            state,
            new Followers.Leader(node, start),
            runtime.replicas(),
            before == null || before.leaderEpoch() + 1 != state.leaderEpoch()
                ? null // another led between, and they may have cut what they had of this one
                : before.followers(),
            runtime.replicas().times().nowMs()),
        readOnly);
  }

  private void expect(int replica) {
    long now = runtime.replicas().times().nowMs(); // which does not jump, as its fetches' is
    mailbox.after(() -> runtime.replicas().newcomers().expect(replica, now));
  }

  // ---- how far the others are

  /**
   * A follower fetched; any thread.
   *
   * @param leaderEnd the log end offset before its fetch was answered
   */
  void fetched(Role.Leading leading, FollowerFetch fetch, long leaderEnd) {
    mailbox.submitInline(
        () -> {
          if (leads(leading.followers())) {
            leading.followers().fetched(fetch, leaderEnd);
          }
        });
  }

  /** See {@link Partition#readAsFollower}; any thread. */
  PartitionRead read(
      LogReads reads, ReadRequest request, FollowerFetch fetch, OptionalInt lastFetchedEpoch) {
    Role.Leading leading = leadingFor(request, fetch);
    PartitionRead.Marks marks = partition.marks(request.isolation());
    Optional<EpochEnd> end = reads.diverging(request, lastFetchedEpoch, marks.logStartOffset());
    if (end.isPresent()) {
      return new PartitionRead.Diverging(marks, end.get());
    }
    PartitionRead read =
        holdsUp(leading, fetch.replica())
            ? new PartitionRead.Throttled(marks)
            : reads.read(request, marks);
    fetched(leading, fetch, marks.upperBound());
    return read;
  }

  /** The same without reading: what parts from this history, or lies outside, tells nothing. */
  void locate(
      LogReads reads, ReadRequest request, FollowerFetch fetch, OptionalInt lastFetchedEpoch) {
    Role.Leading leading = leadingFor(request, fetch);
    PartitionRead.Marks marks = partition.marks(request.isolation());
    if (request.offset() >= marks.logStartOffset()
        && request.offset() <= marks.upperBound()
        && reads.diverging(request, lastFetchedEpoch, marks.logStartOffset()).isEmpty()) {
      fetched(leading, fetch, marks.upperBound());
    }
  }

  private Role.Leading leadingFor(ReadRequest request, FollowerFetch fetch) {
    Role.Leading leading = partition.leadingOrThrow();
    leading.requireEpoch(partition.id(), request.leaderEpoch());
    leading.followers().requireReplica(fetch);
    return leading;
  }

  /** Whether a follower that is not in sync has to wait for its quota (KIP-73); any thread. */
  boolean holdsUp(Role.Leading leading, int replica) {
    ReplicationQuota quota = runtime.replicas().quotas().leader();
    return quota.covers(partition.config(), partition.id().partition())
        && !leading.state().isr().contains(replica)
        && quota.exceeded();
  }

  /** Counts what a follower is given; any thread. */
  void sent(int replica, int bytes) {
    partition.meters().mark(Kind.REPLICATION_OUT, bytes);
    if (partition.role() instanceof Role.Leading leading
        && leading.state().adding().contains(replica)) {
      partition.meters().mark(Kind.REASSIGNMENT_OUT, bytes);
    }
    ReplicationQuota quota = runtime.replicas().quotas().leader();
    if (quota.covers(partition.config(), partition.id().partition())) {
      quota.charge(bytes);
    }
  }

  /**
   * @param before the log end offset when this was last asked
   */
  long highWatermark(Role.Leading leading, long before, long end) {
    Followers followers = leading.followers();
    if (!leading.followed()) {
      return end;
    }
    if (end != before) {
      followers.appended(before);
    }
    return leading.readOnly() // what is shown is in the other cluster's store, whoever leads here
        ? end
        : followers.highWatermark(
            end, partition.config().minInSyncReplicas, runtime.replicas().times().nowMs());
  }

  private boolean leads(Followers followers) {
    return partition.role() instanceof Role.Leading now && now.followers() == followers;
  }

  // ---- those who wait

  void await(Appended appended, CompletableFuture<Appended> acknowledged) {
    acks.add(appended, acknowledged);
  }

  /** See {@link Partition#deleteRecords}; who waits no longer completes it. Any thread. */
  CompletableFuture<Long> deleteRecords(long offset) {
    CompletableFuture<Long> everywhere = new CompletableFuture<>();
    var unused =
        mailbox
            .ask(
                () -> {
                  starts.add(moveStart(offset), everywhere);
                  return true;
                },
                false)
            .exceptionally(
                failure -> {
                  everywhere.completeExceptionally(failure);
                  return false;
                });
    return everywhere;
  }

  private long moveStart(long offset) {
    var unused = partition.leadingOrThrow().writable();
    if (!partition.config().delete && partition.config().compact) {
      throw new PolicyViolationException(
          "the cleanup policy of " + partition.id() + " is compact alone");
    }
    long watermark = partition.highWatermark();
    long start = offset == -1 ? watermark : offset;
    if (start < 0 || start > watermark) {
      throw new OffsetOutOfRangeException(
          partition.id() + " cannot begin at " + start + ", its high watermark is " + watermark);
    }
    partition.log().advanceLogStart(start);
    return partition.logStartOffset();
  }

  /** After each burst of steps. */
  void settled(Role.Leading leading, long highWatermark) {
    boolean enough = leading.spareInSync(partition.config().minInSyncReplicas) >= 0;
    acks.reached(highWatermark, enough, mailbox::after);
    Followers followers = leading.followers();
    if (!starts.isEmpty()) {
      starts.reached(followers.lowWatermark(partition.logStartOffset()), mailbox::after);
    }
    if (leading.followed()) {
      followers.expand(highWatermark).ifPresent(proposal -> propose(followers, proposal));
      hope(followers.hopeful(highWatermark));
    }
  }

  private void hope(boolean now) {
    if (now != hopeful) {
      hopeful = now;
      runtime.replicas().hopes().set(partition.id(), now);
    }
  }

  void ended(ApiException reason) {
    acks.fail(reason, mailbox::after);
    starts.fail(reason, mailbox::after);
    hope(false);
  }

  // ---- the ISR

  /**
   * Now and then, and when it has changed who may be let in.
   *
   * @return whether fetches that wait should look at the partition, though it has not changed
   */
  boolean review(long end) {
    if (partition.role() instanceof Role.Leading leading) {
      Followers followers = leading.followers();
      long now = runtime.replicas().times().nowMs();
      followers.shrink(end, now).ifPresent(proposal -> propose(followers, proposal));
      return followers.seeks(now);
    }
    return false;
  }

  private void propose(Followers followers, Followers.Proposal proposal) {
    LOG.atInfo()
        .addKeyValue("partition", partition.id())
        .addKeyValue("state", proposal.expands() ? "expands" : "shrinks")
        .addKeyValue("value", proposal.change().isr())
        .log("asks for another ISR");
    mailbox.after(() -> send(followers, proposal));
  }

  private void send(Followers followers, Followers.Proposal proposal) {
    var unused =
        runtime
            .replicas()
            .inSync()
            .change(proposal.change())
            .whenComplete(
                (answer, failure) ->
                    mailbox.submitInline(() -> answered(followers, proposal, answer, failure)));
  }

  private void answered(
      Followers followers,
      Followers.Proposal proposal,
      IsrChange.@Nullable Answer answer,
      @Nullable Throwable failure) {
    if (!leads(followers)) {
      return;
    }
    if (answer != null) {
      if (followers.accepted(proposal, answer)) {
        LOG.atInfo()
            .addKeyValue("partition", partition.id())
            .addKeyValue("value", answer.isr())
            .log("has another ISR");
      }
      runtime.kafka().isrChanged(proposal.expands()); // the metadata may have been faster
      return;
    }
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    Errors error = Errors.forException(cause == null ? failure : cause);
    LOG.atInfo()
        .addKeyValue("partition", partition.id())
        .addKeyValue("value", error)
        .log("was refused another ISR");
    runtime.kafka().isrRefused();
    if (followers.refused(proposal, error)) {
      var unused =
          runtime
              .scheduler()
              .schedule(() -> send(followers, proposal), REPEAT_MS, TimeUnit.MILLISECONDS);
    }
  }
}
