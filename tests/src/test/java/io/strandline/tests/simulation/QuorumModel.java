package io.strandline.tests.simulation;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.isr.IsrChange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.kafka.common.DirectoryId;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;

/**
 * The controller by KRaft's rules, and the log of metadata it writes. Who hears of what when is
 * another matter.
 *
 * <ul>
 *   <li>A broker is elected only out of the ISR, and only while it is neither fenced nor on its way
 *       out. The leader epoch rises at each election, and when a replica is taken away.
 *   <li>The partition epoch rises at each change; a leader that names an older one is refused.
 *   <li>A broker that is fenced, or registers anew without having stopped in order, leaves the ISR,
 *       unless nobody else is in it.
 *   <li>With eligible leader replicas (KIP-966): whoever leaves an ISR that becomes smaller than
 *       {@code min.insync.replicas} stays eligible until it is as large again, or until it stops
 *       out of order. The ISR may become empty; then one of the eligible is elected, and if there
 *       are none the last leader.
 *   <li>The ISR takes nobody who is fenced, on its way out, or was restarted since it fetched
 *       (KIP-903).
 * </ul>
 */
final class QuorumModel {
  /** A registration. */
  record Broker(long epoch, boolean fenced, boolean leaving) {
    boolean active() {
      return !fenced && !leaving;
    }
  }

  /** The metadata up to an offset. */
  record Image(long offset, PartitionState partition, Map<Integer, Broker> brokers) {}

  private final Trace trace;
  private final List<Image> images = new ArrayList<>();
  private final Map<Integer, Broker> brokers = new TreeMap<>();
  private final Map<Integer, Integer> leaders = new HashMap<>();
  private PartitionState state;
  private final int minInSync;
  private int lastLeader = -1;
  private int reassignments;

  /**
   * @param minInSync {@code min.insync.replicas}, heeded where replicas may be eligible; 0 for a
   *     cluster without {@code eligible.leader.replicas.version}
   */
  QuorumModel(int replicas, int minInSync, Trace trace) {
    this.trace = trace;
    this.minInSync = minInSync;
    List<Integer> all = IntStream.range(0, replicas).boxed().toList();
    this.state =
        new PartitionState(
            SimulatedCluster.PARTITION,
            -1,
            0,
            0,
            all,
            all,
            List.of(),
            List.of(),
            List.of(),
            DirectoryId.UNASSIGNED,
            false);
    write();
  }

  PartitionState state() {
    return state;
  }

  Image newest() {
    return images.get(images.size() - 1);
  }

  /** All that was written, in order; the index is the offset. */
  Image image(long offset) {
    return images.get((int) offset);
  }

  boolean active(int broker) {
    Broker there = brokers.get(broker);
    return there != null && there.active();
  }

  /** Who was elected in an epoch, -1 if nobody was. */
  int leaderOf(int epoch) {
    return leaders.getOrDefault(epoch, -1);
  }

  int reassignments() {
    return reassignments;
  }

  private void write() {
    Image image = new Image(images.size(), state, Map.copyOf(brokers));
    images.add(image);
  }

  // ---- brokers

  /**
   * @param clean whether it stopped in order before
   * @return its epoch
   */
  long register(int broker, boolean clean) {
    Broker before = brokers.get(broker);
    long epoch = images.size();
    brokers.put(broker, new Broker(epoch, true, false));
    trace.add("registered " + broker + " with epoch " + epoch);
    if (before != null && !clean) {
      without(broker, true);
    } else {
      settle(state.isr());
    }
    write();
    return epoch;
  }

  /** It has caught up with the metadata, its registration included. */
  void unfence(int broker, long epoch) {
    Broker there = brokers.get(broker);
    if (there != null && there.epoch() == epoch && there.fenced()) {
      brokers.put(broker, new Broker(epoch, false, false));
      trace.add("unfenced " + broker);
      settle(state.isr());
      write();
    }
  }

  boolean fenced(int broker) {
    Broker there = brokers.get(broker);
    return there == null || there.fenced();
  }

  /** Its heartbeats stay away. */
  void fence(int broker) {
    Broker there = brokers.get(broker);
    if (there != null && !there.fenced()) {
      brokers.put(broker, new Broker(there.epoch(), true, there.leaving()));
      trace.add("fenced " + broker);
      without(broker, false);
      write();
    }
  }

  /** It asks to go. */
  void leave(int broker, long epoch) {
    Broker there = brokers.get(broker);
    if (there != null && there.epoch() == epoch && there.active()) {
      brokers.put(broker, new Broker(epoch, false, true));
      trace.add("leaving " + broker);
      without(broker, false);
      write();
    }
  }

  private void without(int broker, boolean unclean) {
    List<Integer> left = state.isr().stream().filter(id -> id != broker).toList();
    if (minInSync == 0) {
      settle(left.isEmpty() ? state.isr() : left);
    } else {
      settle(left, unclean ? broker : -1);
    }
  }

  /** Those that had all that was committed when the ISR became too small, and still do. */
  private List<Integer> eligible(List<Integer> isr, int lost) {
    if (minInSync == 0 || isr.size() >= minInSync) {
      return List.of();
    }
    List<Integer> eligible = new ArrayList<>(state.elr());
    state.isr().stream().filter(id -> !eligible.contains(id)).forEach(eligible::add);
    eligible.removeIf(id -> id == lost || isr.contains(id));
    return eligible;
  }

  // ---- the partition

  /** Somebody else of the ISR leads from now on, if there is one. */
  boolean handOver(int to) {
    if (to == state.leader() || !state.isr().contains(to) || !active(to)) {
      return false;
    }
    change(
        new Change(to, state.isr(), state.elr()),
        state.replicas(),
        state.adding(),
        state.removing());
    write();
    return true;
  }

  /** One replica gives way to another broker. */
  void reassign(int from, int to) {
    if (state.reassigning() || !state.replicas().contains(from) || state.replicas().contains(to)) {
      return;
    }
    List<Integer> all = new ArrayList<>(state.replicas());
    all.add(to);
    trace.add("reassigned from " + from + " to " + to);
    reassignments++;
    change(new Change(state.leader(), state.isr(), state.elr()), all, List.of(to), List.of(from));
    settle(state.isr());
    write();
  }

  /**
   * A leader asks for another ISR (KIP-497).
   *
   * @throws ApiException as the controller refuses
   */
  IsrChange.Answer alter(int from, long brokerEpoch, IsrChange wanted) {
    Broker asking = brokers.get(from);
    List<Integer> isr = wanted.isr().stream().map(IsrChange.Member::broker).toList();
    require(asking != null && asking.epoch() == brokerEpoch, Errors.STALE_BROKER_EPOCH);
    require(wanted.leaderEpoch() >= state.leaderEpoch(), Errors.FENCED_LEADER_EPOCH);
    require(wanted.leaderEpoch() == state.leaderEpoch(), Errors.NOT_CONTROLLER);
    require(state.leader() == from, Errors.INVALID_REQUEST);
    require(wanted.partitionEpoch() >= state.partitionEpoch(), Errors.INVALID_UPDATE_VERSION);
    require(wanted.partitionEpoch() == state.partitionEpoch(), Errors.NOT_CONTROLLER);
    require(state.replicas().containsAll(isr) && isr.contains(from), Errors.INVALID_REQUEST);
    for (IsrChange.Member member : wanted.isr()) {
      Broker there = brokers.get(member.broker());
      boolean fit =
          there != null
              && there.active()
              && (member.brokerEpoch() == -1 || member.brokerEpoch() == there.epoch());
      require(fit, Errors.INELIGIBLE_REPLICA);
    }
    int epochBefore = state.leaderEpoch();
    settle(isr);
    write();
    if (state.leaderEpoch() != epochBefore && state.leader() != from) {
      throw Errors.NEW_LEADER_ELECTED.exception();
    }
    return new IsrChange.Answer(state.leaderEpoch(), state.partitionEpoch(), state.isr());
  }

  private static void require(boolean holds, Errors error) {
    if (!holds) {
      throw error.exception();
    }
  }

  /** Ends a reassignment that is done, and elects where that is called for. */
  private void settle(List<Integer> isr) {
    settle(isr, -1);
  }

  /**
   * @param lost who may have lost something, -1 for nobody
   */
  private void settle(List<Integer> isr, int lost) {
    List<Integer> replicas = state.replicas();
    List<Integer> adding = state.adding();
    List<Integer> removing = state.removing();
    List<Integer> inSync = isr;
    if (state.reassigning()) {
      List<Integer> staying = isr.stream().filter(id -> !state.removing().contains(id)).toList();
      if (staying.containsAll(adding) && !staying.isEmpty()) {
        replicas = replicas.stream().filter(id -> !state.removing().contains(id)).toList();
        inSync = staying;
        adding = List.of();
        removing = List.of();
        trace.add("reassigned to " + replicas);
      }
    }
    List<Integer> elr = eligible(inSync, lost);
    elr = elr.stream().filter(replicas::contains).toList();
    int leader = state.leader();
    if (!inSync.contains(leader) || !active(leader)) {
      leader = first(replicas, inSync);
      if (leader < 0 && first(replicas, elr) >= 0) {
        leader = first(replicas, elr);
        inSync = List.of(leader);
      } else if (leader < 0 && inSync.isEmpty() && elr.isEmpty() && active(lastLeader)) {
        leader = lastLeader;
        inSync = List.of(leader);
      }
      int elected = leader;
      elr = elr.stream().filter(id -> id != elected).toList();
    }
    change(new Change(leader, inSync, elr), replicas, adding, removing);
  }

  private int first(List<Integer> replicas, List<Integer> among) {
    return replicas.stream().filter(among::contains).filter(this::active).findFirst().orElse(-1);
  }

  private record Change(int leader, List<Integer> isr, List<Integer> elr) {}

  private void change(
      Change to, List<Integer> replicas, List<Integer> adding, List<Integer> removing) {
    int leader = to.leader();
    boolean raised = leader != state.leader() || !replicas.containsAll(state.replicas());
    PartitionState now =
        new PartitionState(
            state.id(),
            leader,
            state.leaderEpoch() + (raised ? 1 : 0),
            state.partitionEpoch() + 1,
            List.copyOf(replicas),
            List.copyOf(to.isr()),
            List.copyOf(to.elr()),
            adding,
            removing,
            DirectoryId.UNASSIGNED,
            false);
    boolean same =
        !raised
            && now.isr().equals(state.isr())
            && now.elr().equals(state.elr())
            && now.replicas().equals(state.replicas())
            && now.adding().equals(state.adding());
    if (same) {
      return;
    }
    state = now;
    if (leader >= 0 && raised) {
      lastLeader = leader;
      leaders.put(now.leaderEpoch(), leader);
    }
    trace.add(
        "leader "
            + leader
            + " in epoch "
            + now.leaderEpoch()
            + "."
            + now.partitionEpoch()
            + ", in sync "
            + now.isr()
            + now.elr()
            + " of "
            + now.replicas());
  }
}
