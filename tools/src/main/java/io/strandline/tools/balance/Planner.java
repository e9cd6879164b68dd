package io.strandline.tools.balance;

import io.strandline.tools.balance.Plan.Share;
import io.strandline.tools.balance.Plan.Stuck;
import io.strandline.tools.balance.Search.Change;
import io.strandline.tools.balance.Step.Reason;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Plans what lies where. What holds of every plan:
 *
 * <ul>
 *   <li>a partition keeps its number of replicas, each on a broker of its own;
 *   <li>replicas share racks no more than before, unless a drained broker leaves no other place;
 *   <li>a broker that drains holds nothing afterwards, but for what is told to be stuck;
 *   <li>nothing is placed on a broker that is dead, drains or is cordoned, and nothing is taken
 *       from a dead one that does not drain: it may come back;
 *   <li>no partition is copied whose copy would not bring brokers nearer to each other by more than
 *       the threshold; once the plan is carried out, the next one is empty.
 * </ul>
 *
 * <p>While brokers drain nothing is done but what that needs. Otherwise racks come first, then the
 * load.
 */
public final class Planner {
  private final Layout layout;
  private final Goals goals;
  private final boolean leadersOnly;
  private final List<Step> first = new ArrayList<>();
  private final Map<Integer, Why> why = new LinkedHashMap<>();
  private final Map<Integer, String> stuck = new TreeMap<>();
  private final Map<Integer, List<Integer>> led = new TreeMap<>();

  private record Why(Reason reason, String text) {}

  private Planner(Snapshot snapshot, Goals goals, boolean leadersOnly) {
    this.layout = new Layout(snapshot);
    this.goals = goals;
    this.leadersOnly = leadersOnly;
  }

  /** A plan for what the snapshot shows; the same snapshot has the same plan. */
  public static Plan plan(Snapshot snapshot, Goals goals) {
    return new Planner(snapshot, goals, false).plan();
  }

  /**
   * A plan by which brokers that drain lead nothing and are the preferred leaders of nothing; all
   * replicas stay where they are, theirs too.
   */
  public static Plan leadersOff(Snapshot snapshot) {
    return new Planner(snapshot, Goals.DEFAULT, true).plan();
  }

  private Plan plan() {
    List<Map<Measure, Double>> before =
        IntStream.range(0, layout.brokers()).mapToObj(b -> layout.loads().of(b)).toList();
    List<Integer> draining =
        IntStream.range(0, layout.brokers())
            .filter(b -> layout.broker(b).draining())
            .boxed()
            .toList();
    if (draining.isEmpty()) {
      spreadOverRacks();
      layout.loads().rescale();
      balance();
    } else {
      draining.forEach(this::handLeadersOver);
      if (!leadersOnly) {
        draining.forEach(this::empty);
      }
    }
    List<Step> steps = new ArrayList<>(first);
    why.forEach((partition, reason) -> step(partition, reason).ifPresent(steps::add));
    if (draining.isEmpty()) {
      elections(steps);
    }
    return new Plan(
        steps,
        stuck.entrySet().stream()
            .map(e -> new Stuck(layout.partition(e.getKey()).partition(), e.getValue()))
            .toList(),
        IntStream.range(0, layout.brokers())
            .mapToObj(b -> new Share(layout.broker(b), before.get(b), layout.loads().of(b)))
            .toList());
  }

  // ---- draining

  /** Leaders cost nothing to move and are what clients talk to: they go before anything else. */
  private void handLeadersOver(int broker) {
    int id = layout.broker(broker).id();
    Why reason =
        leadersOnly
            ? new Why(Reason.LEADERS, "broker " + id + " is to lead nothing")
            : new Why(Reason.DRAIN, "broker " + id + " drains");
    for (int partition : heaviest(broker)) {
      PartitionState state = layout.partition(partition);
      int[] replicas = layout.replicas(partition);
      boolean leads = state.leader() == id;
      if (!leads && replicas[0] != broker) {
        continue;
      }
      int heir = state.pinned() ? -1 : heir(partition);
      if (heir < 0) {
        if (leadersOnly && leads) {
          stuck.put(
              partition,
              state.pinned() ? "it is being reassigned" : "no other replica of it is in sync");
        }
        continue;
      }
      layout.prefer(partition, heir);
      if (leads) {
        List<Integer> to = layout.ids(partition);
        led.put(partition, to);
        first.add(
            new Step(
                state.partition(),
                state.replicas(),
                to,
                reason.reason(),
                reason.text() + ": another one leads",
                0));
      } else if (leadersOnly) {
        why.put(partition, reason);
      }
    }
  }

  /** The place of the replica that leads from now on: who leads already, or the least loaded. */
  private int heir(int partition) {
    PartitionState state = layout.partition(partition);
    int[] replicas = layout.replicas(partition);
    return IntStream.range(0, replicas.length)
        .filter(i -> layout.broker(replicas[i]).alive() && !layout.broker(replicas[i]).draining())
        .filter(i -> state.inSync().contains(layout.broker(replicas[i]).id()))
        .boxed()
        .min(
            Comparator.comparing((Integer i) -> layout.broker(replicas[i]).id() != state.leader())
                .thenComparing(i -> !layout.broker(replicas[i]).takes())
                .thenComparingDouble(
                    i -> layout.loads().cost(replicas[i], state.weight(), true, false)))
        .orElse(-1);
  }

  private void empty(int broker) {
    int id = layout.broker(broker).id();
    for (int partition : heaviest(broker)) {
      PartitionState state = layout.partition(partition);
      int position = position(partition, broker);
      if (state.pinned()) {
        stuck.put(partition, "it is being reassigned");
      } else if (state.leader() < 0) {
        stuck.put(partition, "it has no leader to copy from");
      } else {
        int to = placeFor(partition, position);
        if (to < 0) {
          stuck.put(partition, "no broker is left that has no replica of it");
        } else {
          int sharing = layout.racks().sharing(layout.replicas(partition));
          layout.replace(partition, position, to);
          // Nobody was there to hand it over to; the new one can lead as soon as it is in sync.
          if (layout.broker(layout.replicas(partition)[layout.leading(partition)]).draining()) {
            layout.prefer(partition, position);
          }
          boolean worse = layout.racks().sharing(layout.replicas(partition)) > sharing;
          Why drains =
              new Why(
                  Reason.DRAIN,
                  "broker " + id + " drains" + (worse ? "; no other rack is left" : ""));
          if (worse || !why.containsKey(partition)) {
            why.put(partition, drains);
          }
        }
      }
    }
  }

  // ---- racks

  private void spreadOverRacks() {
    for (int partition = 0; partition < layout.partitions(); partition++) {
      while (layout.isWhole(partition) && spreadOne(partition)) {
        why.putIfAbsent(partition, new Why(Reason.RACK, "two replicas share a rack"));
      }
    }
  }

  /** Of all places in which a replica shares less, that which costs least; followers first. */
  private boolean spreadOne(int partition) {
    int[] replicas = layout.replicas(partition);
    int sharing = layout.racks().sharing(replicas);
    int best = sharing;
    int position = -1;
    int to = -1;
    for (int i = replicas.length - 1; sharing > 0 && i >= 0; i--) {
      int place = layout.broker(replicas[i]).alive() ? placeFor(partition, i) : -1;
      int then = place < 0 ? sharing : layout.racks().sharing(replicas, i, place);
      if (then < best) {
        best = then;
        position = i;
        to = place;
      }
    }
    if (to >= 0) {
      layout.replace(partition, position, to);
    }
    return to >= 0;
  }

  /** The broker for a replica: the rack counts first, then what it carries; -1 if there is none. */
  private int placeFor(int partition, int position) {
    int[] replicas = layout.replicas(partition);
    boolean leads = layout.leading(partition) == position || position == 0;
    return IntStream.range(0, layout.brokers())
        .filter(b -> layout.broker(b).takes() && !layout.holds(partition, b))
        .boxed()
        .min(
            Comparator.comparingInt((Integer b) -> layout.racks().sharing(replicas, position, b))
                .thenComparingDouble(
                    b -> layout.loads().cost(b, layout.partition(partition).weight(), leads, true))
                .thenComparingInt(b -> layout.ofTopic(partition, b)))
        .orElse(-1);
  }

  // ---- load

  private void balance() {
    Search search = new Search(layout);
    Optional<Change> change = search.next(goals.start());
    while (change.isPresent()) {
      Change now = change.get();
      PartitionState state = layout.partition(now.partition());
      boolean leads = !now.moves() || layout.leading(now.partition()) == now.position();
      why.putIfAbsent(
          now.partition(),
          new Why(
              Reason.LOAD,
              layout.loads().tell(now.from(), now.to(), state.weight(), leads, now.moves())));
      if (now.moves()) {
        layout.replace(now.partition(), now.position(), now.to());
      } else {
        layout.prefer(now.partition(), now.position());
      }
      change = search.next(goals.stop());
    }
  }

  // ---- steps

  private Optional<Step> step(int partition, Why reason) {
    PartitionState state = layout.partition(partition);
    List<Integer> from = led.getOrDefault(partition, state.replicas());
    List<Integer> to = layout.ids(partition);
    if (from.equals(to)) {
      return Optional.empty();
    }
    long added = to.stream().filter(id -> !from.contains(id)).count();
    return Optional.of(
        new Step(
            state.partition(),
            from,
            to,
            reason.reason(),
            reason.text(),
            added * state.weight().copyBytes()));
  }

  /** Where the right one leads not yet, and can. */
  private void elections(List<Step> steps) {
    for (int partition = 0; partition < layout.partitions(); partition++) {
      PartitionState state = layout.partition(partition);
      int preferred = state.replicas().get(0);
      @Nullable Why other = why.get(partition);
      boolean changes = other != null && step(partition, other).isPresent();
      if (!changes
          && !state.pinned()
          && state.leader() >= 0
          && state.leader() != preferred
          && state.inSync().contains(preferred)
          && layout.broker(layout.replicas(partition)[0]).alive()) {
        steps.add(
            new Step(
                state.partition(),
                state.replicas(),
                state.replicas(),
                Reason.PREFERRED,
                "broker " + preferred + " is to lead it",
                0));
      }
    }
  }

  private int position(int partition, int broker) {
    int[] replicas = layout.replicas(partition);
    return IntStream.range(0, replicas.length)
        .filter(i -> replicas[i] == broker)
        .findFirst()
        .orElseThrow();
  }

  /** What is large is placed first: what is small fills the gaps. */
  private List<Integer> heaviest(int broker) {
    return layout.held(broker).stream()
        .sorted(
            Comparator.comparingDouble(
                    (Integer p) -> -layout.partition(p).weight().bytesPerSecond())
                .thenComparingDouble(p -> -layout.partition(p).weight().localBytes()))
        .toList();
  }
}
