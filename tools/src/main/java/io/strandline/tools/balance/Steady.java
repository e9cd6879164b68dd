package io.strandline.tools.balance;

import io.strandline.tools.balance.PartitionState.Weight;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;

/**
 * Plans again and again without haste: a partition's rate is the median of the last looks, so that
 * what comes and goes within two of them is not seen at all and what lasts is seen as it is, and
 * what was moved rests for some looks. What an operator changed is acted upon at once: a broker
 * came, or one may not be used any more.
 */
public final class Steady {
  private static final int LOOKS = 5;
  private static final int LEAST_LOOKS = 3;
  private static final int REST = 5;

  private final Goals goals;
  private final Map<TopicPartition, Deque<Double>> rates = new HashMap<>();
  private final Deque<Set<TopicPartition>> moved = new ArrayDeque<>();
  private Set<Integer> takers = Set.of();
  private int looks;

  public Steady(Goals goals) {
    this.goals = goals;
  }

  /** What to do after this look; the plan is taken to be carried out. */
  public Plan next(Snapshot seen) {
    Set<Integer> now =
        seen.brokers().stream().filter(Broker::takes).map(Broker::id).collect(Collectors.toSet());
    boolean changed = looks > 0 && !now.equals(takers);
    takers = now;
    looks++;
    Plan plan = Planner.plan(rested(seen), goals);
    boolean act = changed || looks >= LEAST_LOOKS;
    moved.addLast(
        act ? plan.steps().stream().map(Step::partition).collect(Collectors.toSet()) : Set.of());
    if (moved.size() > REST) {
      moved.removeFirst();
    }
    return act ? plan : new Plan(List.of(), plan.stuck(), plan.shares());
  }

  private double usual(TopicPartition partition, double rate) {
    Deque<Double> last = rates.computeIfAbsent(partition, p -> new ArrayDeque<>());
    last.addLast(rate);
    if (last.size() > LOOKS) {
      last.removeFirst();
    }
    double[] sorted = last.stream().mapToDouble(r -> r).sorted().toArray();
    return sorted[(sorted.length - 1) / 2];
  }

  private Snapshot rested(Snapshot seen) {
    Set<TopicPartition> resting = new HashSet<>();
    moved.forEach(resting::addAll);
    Set<TopicPartition> there =
        seen.partitions().stream().map(PartitionState::partition).collect(Collectors.toSet());
    rates.keySet().retainAll(there);
    return new Snapshot(
        seen.brokers(),
        seen.partitions().stream()
            .map(
                p -> {
                  Weight weight = p.weight();
                  double rate = usual(p.partition(), weight.bytesPerSecond());
                  return new PartitionState(
                      p.partition(),
                      p.replicas(),
                      p.leader(),
                      p.inSync(),
                      new Weight(rate, weight.localBytes(), weight.copyBytes()),
                      p.pinned() || resting.contains(p.partition()));
                })
            .toList());
  }
}
