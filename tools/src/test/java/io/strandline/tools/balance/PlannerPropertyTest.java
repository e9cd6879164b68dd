package io.strandline.tools.balance;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tools.balance.PartitionState.Weight;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** What holds of every plan, for clusters that chance made: a seed is a cluster. */
class PlannerPropertyTest {
  private static final int SEEDS = Integer.getInteger("balance.seeds", 500);
  private static final Goals GOALS = Goals.DEFAULT;

  @Test
  void plansKeepWhatTheyMustAndCarriedOutLeaveNothingToDo() {
    for (int seed = 0; seed < SEEDS; seed++) {
      Snapshot before = cluster(new Random(seed), true);
      Plan plan = Planner.plan(before, GOALS);
      assertThat(Planner.plan(before, GOALS)).as("seed %d: one plan", seed).isEqualTo(plan);
      Snapshot after = carriedOut(before, plan, seed);
      racksNoWorse(before, after, plan, seed);
      drainedAreEmpty(after, plan, seed);
      assertThat(Planner.plan(after, GOALS).steps()).as("seed %d: planned again", seed).isEmpty();
    }
  }

  @Test
  void brokersComeNearerToEachOther() {
    for (int seed = 0; seed < SEEDS; seed++) {
      Snapshot before = cluster(new Random(seed), false);
      Plan plan = Planner.plan(before, GOALS);
      Snapshot after = carriedOut(before, plan, seed);
      boolean racks = plan.steps().stream().anyMatch(s -> s.reason() == Step.Reason.RACK);
      boolean load = plan.steps().stream().anyMatch(s -> s.reason() == Step.Reason.LOAD);
      if (load && !racks) {
        assertThat(apart(after)).as("seed %d", seed).isLessThan(apart(before));
      }
    }
  }

  /** Rates are never the same twice: that alone moves nothing. */
  @Test
  void noiseMovesNothing() {
    for (int seed = 0; seed < SEEDS / 10; seed++) {
      Random random = new Random(seed);
      Snapshot settled =
          carriedOut(even(random), Planner.plan(even(new Random(seed)), GOALS), seed);
      for (int round = 0; round < 20; round++) {
        Plan plan = Planner.plan(noisy(settled, random, 0.05), GOALS);
        assertThat(plan.steps()).as("seed %d, round %d", seed, round).isEmpty();
      }
    }
  }

  /** Where a few partitions carry most, noise may tip the scales, but nothing goes to and fro. */
  @Test
  void nothingGoesToAndFroUnderNoise() {
    int moves = 0;
    int rounds = 0;
    for (int seed = 0; seed < SEEDS / 10; seed++) {
      Random random = new Random(seed);
      Snapshot now = cluster(random, false);
      now = carriedOut(now, Planner.plan(now, GOALS), seed);
      for (int round = 0; round < 20; round++) {
        Plan plan = Planner.plan(noisy(now, random, 0.05), GOALS);
        moves += plan.steps().size();
        rounds++;

        now = carriedOut(now, plan, seed);
      }
    }
    assertThat(moves).as("steps in %d rounds of noise", rounds).isLessThan(rounds / 20);
  }

  // ---- what must hold

  private static Snapshot carriedOut(Snapshot before, Plan plan, int seed) {
    Map<Integer, Broker> brokers = new HashMap<>();
    before.brokers().forEach(b -> brokers.put(b.id(), b));
    Map<TopicPartition, PartitionState> now = new HashMap<>();
    before.partitions().forEach(p -> now.put(p.partition(), p));
    for (Step step : plan.steps()) {
      PartitionState state = now.get(step.partition());
      String as = "seed " + seed + ": " + step;
      assertThat(state.pinned()).as(as).isFalse();
      assertThat(step.from()).as(as).isEqualTo(state.replicas());
      assertThat(step.to()).as(as).hasSameSizeAs(step.from()).doesNotHaveDuplicates();
      assertThat(step.added()).as(as).allMatch(id -> brokers.get(id).takes());
      boolean racks = step.reason() == Step.Reason.RACK;
      assertThat(step.from())
          .as(as)
          .filteredOn(id -> !step.to().contains(id))
          .map(brokers::get)
          .allMatch(b -> b.takes() || b.draining() || (racks && b.alive()));
      assertThat(step.copyBytes())
          .as(as)
          .isEqualTo(step.added().size() * state.weight().copyBytes());
      if (!step.moves()) {
        assertThat(state.inSync()).as(as).contains(step.to().get(0));
      }
      now.put(step.partition(), moved(state, step, brokers));
    }
    return new Snapshot(before.brokers(), List.copyOf(now.values()));
  }

  private static PartitionState moved(
      PartitionState state, Step step, Map<Integer, Broker> brokers) {
    List<Integer> live = step.to().stream().filter(id -> brokers.get(id).alive()).toList();
    Set<Integer> inSync = step.moves() ? Set.copyOf(live) : state.inSync();
    return new PartitionState(
        state.partition(), step.to(), live.get(0), inSync, state.weight(), false);
  }

  private static void racksNoWorse(Snapshot before, Snapshot after, Plan plan, int seed) {
    Map<Integer, String> racks = new HashMap<>();
    before
        .brokers()
        .forEach(b -> racks.put(b.id(), b.rack().isEmpty() ? "own " + b.id() : b.rack()));
    Set<TopicPartition> excused =
        plan.steps().stream()
            .filter(s -> s.why().contains("no other rack is left"))
            .map(Step::partition)
            .collect(Collectors.toSet());
    for (int i = 0; i < before.partitions().size(); i++) {
      PartitionState one = before.partitions().get(i);
      if (!excused.contains(one.partition())) {
        assertThat(racks(after.partitions().get(i), racks))
            .as("seed %d: %s in racks", seed, one.partition())
            .isGreaterThanOrEqualTo(racks(one, racks));
      }
    }
  }

  private static int racks(PartitionState partition, Map<Integer, String> racks) {
    return new HashSet<>(partition.replicas().stream().map(racks::get).toList()).size();
  }

  private static void drainedAreEmpty(Snapshot after, Plan plan, int seed) {
    Set<TopicPartition> stuck =
        plan.stuck().stream().map(Plan.Stuck::partition).collect(Collectors.toSet());
    for (Broker broker : after.brokers()) {
      if (broker.draining()) {
        assertThat(after.partitions())
            .as("seed %d: broker %d", seed, broker.id())
            .filteredOn(p -> p.replicas().contains(broker.id()))
            .allMatch(p -> stuck.contains(p.partition()));
      }
    }
    long takers = after.brokers().stream().filter(Broker::takes).count();
    for (Plan.Stuck one : plan.stuck()) {
      PartitionState state =
          after.partitions().stream()
              .filter(p -> p.partition().equals(one.partition()))
              .findFirst()
              .orElseThrow();
      assertThat(state.pinned() || state.leader() < 0 || takers <= state.replicas().size())
          .as("seed %d: %s", seed, one)
          .isTrue();
    }
  }

  /** The sum that the planner lowers, computed the plain way. */
  private static double apart(Snapshot snapshot) {
    Layout layout = new Layout(snapshot);
    double sum = 0;
    for (Measure measure : Measure.values()) {
      List<Double> of =
          IntStream.range(0, layout.brokers())
              .filter(b -> layout.broker(b).takes())
              .mapToObj(b -> layout.loads().of(b).get(measure))
              .toList();
      double mean = of.stream().mapToDouble(x -> x).average().orElse(0);
      double scale = Math.max(mean, measure.least());
      sum +=
          measure.importance()
              * of.stream().mapToDouble(x -> (x - mean) / scale * ((x - mean) / scale)).sum();
    }
    return sum;
  }

  // ---- clusters

  private static Snapshot cluster(Random random, boolean troubled) {
    int count = 1 + random.nextInt(9);
    int racks = random.nextInt(5);
    List<Broker> brokers = new ArrayList<>();
    for (int id = 1; id <= count; id++) {
      String rack = racks == 0 ? "" : "rack " + random.nextInt(racks);
      brokers.add(
          new Broker(
              id,
              rack,
              !troubled || random.nextInt(10) > 0,
              troubled && random.nextInt(8) == 0,
              troubled && random.nextInt(12) == 0));
    }
    List<PartitionState> partitions = new ArrayList<>();
    int topics = 1 + random.nextInt(5);
    boolean idle = random.nextInt(5) == 0;
    for (int t = 0; t < topics; t++) {
      int replicas = 1 + random.nextInt(Math.min(4, count));
      int confinedTo = Math.max(replicas, 1 + random.nextInt(count));
      for (int p = random.nextInt(30); p >= 0; p--) {
        partitions.add(
            partition(
                new TopicPartition("topic-" + t, p),
                draw(random, confinedTo, replicas),
                brokers,
                weight(random, idle),
                troubled ? random : null));
      }
    }
    return new Snapshot(brokers, partitions);
  }

  /** Many partitions of the same kind, at first on one half of the brokers. */
  private static Snapshot even(Random random) {
    int count = 4 + random.nextInt(5);
    List<Broker> brokers =
        IntStream.rangeClosed(1, count).mapToObj(id -> new Broker(id, "")).toList();
    List<PartitionState> partitions = new ArrayList<>();
    for (int p = 0; p < count * 30; p++) {
      double rate = 1e6 * (1 + random.nextDouble());
      partitions.add(
          partition(
              new TopicPartition("even", p),
              draw(random, (count + 1) / 2, 2),
              brokers,
              new Weight(rate, rate * 1000, (long) rate * 10),
              null));
    }
    return new Snapshot(brokers, partitions);
  }

  private static Weight weight(Random random, boolean idle) {
    double rate = idle || random.nextInt(4) == 0 ? 0 : Math.exp(random.nextGaussian() * 2 + 12);
    return new Weight(rate, Math.exp(random.nextGaussian() * 2 + 18), (long) (rate * 60));
  }

  private static List<Integer> draw(Random random, int upTo, int replicas) {
    List<Integer> all = new ArrayList<>(IntStream.rangeClosed(1, upTo).boxed().toList());
    Collections.shuffle(all, random);
    return List.copyOf(all.subList(0, replicas));
  }

  /**
   * @param trouble null if all live replicas are in sync
   */
  private static PartitionState partition(
      TopicPartition name,
      List<Integer> replicas,
      List<Broker> brokers,
      Weight weight,
      Random trouble) {
    List<Integer> live = replicas.stream().filter(id -> brokers.get(id - 1).alive()).toList();
    if (live.isEmpty()) {
      return new PartitionState(name, replicas, -1, Set.of(), weight, false);
    }
    int leader = trouble == null ? live.get(0) : live.get(trouble.nextInt(live.size()));
    Set<Integer> inSync = new HashSet<>(live);
    inSync.removeIf(id -> trouble != null && id != leader && trouble.nextInt(10) == 0);
    boolean pinned = trouble != null && trouble.nextInt(20) == 0;
    return new PartitionState(name, replicas, leader, inSync, weight, pinned);
  }

  private static Snapshot noisy(Snapshot snapshot, Random random, double part) {
    return new Snapshot(
        snapshot.brokers(),
        snapshot.partitions().stream()
            .map(
                p -> {
                  double noise = 1 + part * (2 * random.nextDouble() - 1);
                  Weight weight =
                      new Weight(
                          p.weight().bytesPerSecond() * noise,
                          p.weight().localBytes() * noise,
                          p.weight().copyBytes());
                  return new PartitionState(
                      p.partition(), p.replicas(), p.leader(), p.inSync(), weight, p.pinned());
                })
            .toList());
  }
}
