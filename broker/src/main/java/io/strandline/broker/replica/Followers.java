package io.strandline.broker.replica;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.isr.IsrChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.UnknownLeaderEpochException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * The other replicas of a partition as its leader sees them in one leader epoch: how far each is,
 * which are in sync, and so where the high watermark lies.
 *
 * <ul>
 *   <li>A replica that is being let into the ISR counts at once; one that is being put out counts
 *       until the controller has agreed (KIP-497): whatever the controller decides, all that was
 *       acknowledged is on every replica of the ISR.
 *   <li>A replica is let in when it has reached the high watermark and the start of this epoch: it
 *       may lack committed records of earlier ones before that. One that was put out has to fetch
 *       first: its disk may have failed, or its log be a new one.
 *   <li>The high watermark also waits for replicas that are nearly there, or they would never get
 *       in; and stands still while fewer than {@code min.insync.replicas} are in sync (KIP-966).
 * </ul>
 *
 * <p>Belongs to the partition's owner; what says so may be called by any thread.
 */
public final class Followers {
  private static final long UNKNOWN = -1;
  private static final long HEARD = Long.MAX_VALUE;

  /**
   * What the leader's replica is.
   *
   * @param node this broker
   * @param epochStart the offset at which this leader epoch begins
   */
  public record Leader(int node, long epochStart) {}

  private static final class Follower {
    private volatile long end = UNKNOWN;
    private volatile long start = UNKNOWN;
    private OptionalLong brokerEpoch = OptionalLong.empty();
    private long fetchedMs;
    private long leaderEndThen = UNKNOWN; // at its last fetch
    private long caughtUpMs;
    private long silentMs = HEARD; // since when it is out and has not fetched
    private long soughtMs; // not before then again

    boolean silent() {
      return silentMs != HEARD;
    }
  }

  /**
   * A change of the ISR on its way.
   *
   * @param added by it, or -1 when replicas are put out
   */
  public record Proposal(IsrChange change, int added) {
    public boolean expands() {
      return added >= 0;
    }
  }

  private final Leader leader;
  private final Replicas around;
  private final Map<Integer, Follower> all = new ConcurrentHashMap<>();
  private volatile PartitionState state;
  private @Nullable Proposal pending;
  private boolean rests; // refused for now: not asked again at once

  /**
   * @param before the followers of the epoch right before, in which this broker led too, or null:
   *     where they are is known then
   */
  public Followers(
      PartitionState state,
      Leader leader,
      Replicas around,
      @Nullable Followers before,
      long nowMs) {
    this.state = state;
    this.leader = leader;
    this.around = around;
    for (int replica : state.replicas()) {
      if (replica != leader.node()) {
        all.put(replica, begin(replica, before == null ? null : before.all.get(replica), nowMs));
      }
    }
    if (before != null) {
      putOut(before.state, nowMs);
    }
  }

  private Follower begin(int replica, @Nullable Follower before, long nowMs) {
    Follower follower = new Follower();
    boolean inSync = state.isr().contains(replica);
    follower.caughtUpMs = inSync ? nowMs : 0;
    if (before != null) {
      follower.end = before.end;
      follower.start = before.start;
      follower.brokerEpoch = before.brokerEpoch;
      follower.silentMs = before.silentMs;
      follower.leaderEndThen = leader.epochStart();
      follower.fetchedMs = inSync ? nowMs : 0;
    }
    return follower;
  }

  /** As the controller last said; any thread. */
  public PartitionState state() {
    return state;
  }

  /** What the metadata says within this leader epoch; older word is ignored. */
  public void learn(PartitionState newer) {
    if (newer.partitionEpoch() < state.partitionEpoch()) {
      return;
    }
    PartitionState before = state;
    state = newer;
    pending = null;
    all.keySet().retainAll(newer.replicas());
    for (int replica : newer.replicas()) {
      if (replica != leader.node()) {
        all.computeIfAbsent(replica, id -> new Follower());
      }
    }
    putOut(before, around.times().nowMs());
  }

  /** Who left the ISR, or is added anew, may not have any more what it said that it has. */
  private void putOut(PartitionState before, long nowMs) {
    all.forEach(
        (replica, follower) -> {
          boolean left = before.isr().contains(replica) && !state.isr().contains(replica);
          boolean added = !before.adding().contains(replica) && state.adding().contains(replica);
          if (left || added) {
            follower.silentMs = nowMs;
            follower.soughtMs = nowMs;
          }
        });
  }

  /** Whether there are others at all; any thread. */
  public boolean any() {
    return state.replicas().size() > 1;
  }

  // ---- how far they are

  /**
   * Any thread.
   *
   * @throws UnknownLeaderEpochException it is not a replica of this partition, as far as is known
   *     here; {@link NotLeaderOrFollowerException} to one that does not tell its leader epoch
   */
  public void requireReplica(FollowerFetch fetch) {
    if (!state.replicas().contains(fetch.replica())) {
      String why = "broker " + fetch.replica() + " is no replica of " + state.id();
      throw fetch.leaderEpoch() >= 0
          ? new UnknownLeaderEpochException(why)
          : new NotLeaderOrFollowerException(why);
    }
  }

  /**
   * A follower fetched, and has not diverged.
   *
   * @param leaderEnd the log end offset then
   */
  public void fetched(FollowerFetch fetch, long leaderEnd) {
    Follower follower = all.get(fetch.replica());
    if (follower == null) {
      return; // no replica any more
    }
    if (fetch.logEndOffset() >= leaderEnd) {
      follower.caughtUpMs = Math.max(follower.caughtUpMs, fetch.arrivedMs());
    } else if (follower.leaderEndThen >= 0 && fetch.logEndOffset() >= follower.leaderEndThen) {
      follower.caughtUpMs = Math.max(follower.caughtUpMs, follower.fetchedMs);
    }
    follower.end = Math.min(fetch.logEndOffset(), leaderEnd);
    follower.start = fetch.logStartOffset();
    follower.brokerEpoch = OptionalLong.of(fetch.brokerEpoch());
    follower.leaderEndThen = leaderEnd;
    follower.fetchedMs = fetch.arrivedMs();
    if (fetch.arrivedMs() > follower.silentMs) { // else it was on its way when it was put out
      follower.silentMs = HEARD;
    }
  }

  /**
   * Whether one is looked for that was put out: its broker fetches from here, but a session passes
   * over a partition in which nothing changed. Ever more seldom, as it may fetch this one no more.
   */
  public boolean seeks(long nowMs) {
    boolean any = false;
    for (Map.Entry<Integer, Follower> entry : all.entrySet()) {
      Follower follower = entry.getValue();
      if (follower.silent()
          && nowMs >= follower.soughtMs
          && around.times().lastMs(entry.getKey()) > follower.silentMs) {
        follower.soughtMs = nowMs + (nowMs - follower.silentMs);
        any = true;
      }
    }
    return any;
  }

  /**
   * The log end of a follower that has what a reader at this offset asks for, or ends right there;
   * any thread.
   */
  public OptionalLong endFor(int replica, long offset) {
    Follower follower = all.get(replica);
    if (follower == null) {
      return OptionalLong.empty();
    }
    long end = follower.end;
    return follower.start <= offset && offset <= end ? OptionalLong.of(end) : OptionalLong.empty();
  }

  /** The log grew: whoever was at its end was caught up when it fetched last. */
  public void appended(long endBefore) {
    all.forEach(
        (replica, follower) -> {
          if (follower.end == endBefore) {
            follower.caughtUpMs = Math.max(follower.caughtUpMs, around.times().lastMs(replica));
          }
        });
  }

  private boolean caughtUp(Follower follower, long leaderEnd, long nowMs) {
    return follower.end == leaderEnd
        || nowMs - follower.caughtUpMs <= around.settings().lagMaxMs().getAsLong();
  }

  private boolean eligible(int replica, Follower follower) {
    OptionalLong registered = around.inSync().eligible(replica);
    OptionalLong fetched = follower.brokerEpoch;
    return !follower.silent()
        && registered.isPresent()
        && fetched.isPresent()
        && (fetched.getAsLong() == -1 || fetched.getAsLong() == registered.getAsLong());
  }

  // ---- where that leaves the partition

  /**
   * The lowest log end of the replicas that count; -1 while it may not move.
   *
   * @param minInSync {@code min.insync.replicas}
   */
  public long highWatermark(long leaderEnd, int minInSync, long nowMs) {
    if (all.isEmpty()) {
      return leaderEnd;
    }
    if (spareInSync(minInSync) < 0) {
      return -1;
    }
    long lowest = leaderEnd;
    for (Map.Entry<Integer, Follower> entry : all.entrySet()) {
      Follower follower = entry.getValue();
      if (follower.end < lowest
          && (counts(entry.getKey())
              || (caughtUp(follower, leaderEnd, nowMs) && eligible(entry.getKey(), follower)))) {
        lowest = follower.end;
      }
    }
    return lowest;
  }

  /** Whether it is in the ISR, or on its way into it. */
  private boolean counts(int replica) {
    Proposal now = pending;
    return state.isr().contains(replica) || (now != null && now.added() == replica);
  }

  /** How many more replicas are in sync than must be; below 0 if they are too few. */
  public int spareInSync(int minInSync) {
    return state.isr().size() - Math.min(minInSync, state.replicas().size());
  }

  /** The lowest log start offset of the live replicas. */
  public long lowWatermark(long leaderStart) {
    long lowest = leaderStart;
    for (Map.Entry<Integer, Follower> entry : all.entrySet()) {
      if (entry.getValue().start < lowest && around.inSync().alive(entry.getKey())) {
        lowest = entry.getValue().start;
      }
    }
    return lowest;
  }

  // ---- the ISR

  /** Not in the ISR, though it has caught up. */
  private boolean outside(int replica, Follower follower, long highWatermark) {
    return follower.end >= highWatermark
        && follower.end >= leader.epochStart()
        && !state.isr().contains(replica);
  }

  /** Whether one has caught up that may be let in later, or is being. */
  public boolean hopeful(long highWatermark) {
    return state.isr().size() < state.replicas().size()
        && all.entrySet().stream()
            .anyMatch(entry -> outside(entry.getKey(), entry.getValue(), highWatermark));
  }

  /** Lets one in that has caught up; until the answer is there, no other change is proposed. */
  public Optional<Proposal> expand(long highWatermark) {
    if (pending != null || rests || state.isr().size() == state.replicas().size()) {
      return Optional.empty();
    }
    for (Map.Entry<Integer, Follower> entry : all.entrySet()) {
      int replica = entry.getKey();
      if (outside(replica, entry.getValue(), highWatermark)
          && eligible(replica, entry.getValue())) {
        List<Integer> wanted = new ArrayList<>(state.isr());
        wanted.add(replica);
        return Optional.of(propose(wanted, replica));
      }
    }
    return Optional.empty();
  }

  /** Puts those out that have been behind for too long; what was refused may be asked again. */
  public Optional<Proposal> shrink(long leaderEnd, long nowMs) {
    rests = false;
    if (pending != null) {
      return Optional.empty();
    }
    List<Integer> kept = new ArrayList<>(state.isr());
    kept.removeIf(
        replica -> {
          Follower follower = all.get(replica);
          return replica != leader.node()
              && (follower == null || !caughtUp(follower, leaderEnd, nowMs));
        });
    return kept.size() == state.isr().size() ? Optional.empty() : Optional.of(propose(kept, -1));
  }

  private Proposal propose(List<Integer> isr, int added) {
    List<IsrChange.Member> members = isr.stream().map(this::member).toList();
    Proposal made =
        new Proposal(
            new IsrChange(state.id(), state.leaderEpoch(), state.partitionEpoch(), members), added);
    pending = made;
    return made;
  }

  private IsrChange.Member member(int replica) {
    if (replica == leader.node()) {
      return new IsrChange.Member(replica, around.inSync().brokerEpoch());
    }
    Follower follower = all.get(replica);
    return new IsrChange.Member(replica, follower == null ? -1 : follower.brokerEpoch.orElse(-1));
  }

  /**
   * The controller agreed.
   *
   * @return whether that is news: neither the metadata nor another answer was faster
   */
  public boolean accepted(Proposal proposal, IsrChange.Answer answer) {
    if (!proposal.equals(pending)
        || answer.leaderEpoch() != state.leaderEpoch()
        || answer.partitionEpoch() < state.partitionEpoch()) {
      return false;
    }
    PartitionState before = state;
    state = before.withIsr(answer.isr(), answer.partitionEpoch());
    pending = null;
    putOut(before, around.times().nowMs());
    return true;
  }

  /**
   * The controller refused, or could not be understood.
   *
   * @return whether the same has to be asked again
   */
  public boolean refused(Proposal proposal, Errors error) {
    if (!proposal.equals(pending)) {
      return false;
    }
    return switch (error) {
      // The controller says that it was not and will not be applied.
      case OPERATION_NOT_ATTEMPTED, INELIGIBLE_REPLICA -> {
        pending = null;
        rests = true;
        yield false;
      }
      // What holds is on its way in the metadata; until then the stricter reading stays.
      case UNKNOWN_TOPIC_OR_PARTITION,
          UNKNOWN_TOPIC_ID,
          FENCED_LEADER_EPOCH,
          INVALID_UPDATE_VERSION,
          INVALID_REQUEST,
          NEW_LEADER_ELECTED ->
          false;
      default -> true;
    };
  }
}
