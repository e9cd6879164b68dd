package io.strandline.tools.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tools.balance.PartitionState.Weight;
import io.strandline.tools.balance.Step.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Plans for clusters that a person can see through. */
class PlannerTest {
  private static final Weight BUSY = new Weight(10e6, 1e9, 1_000);
  private static final Weight QUIET = new Weight(1e6, 1e9, 100);

  @Test
  void aClusterInBalanceIsLeftAlone() {
    assertThat(plan(brokers(3), each(9, i -> at(i, QUIET, i % 3 + 1, (i + 1) % 3 + 1))).steps())
        .isEmpty();
  }

  @Test
  void anEmptyBrokerTakesItsShareOfReplicasAndLeaders() {
    Plan plan = plan(brokers(4), each(12, i -> at(i, QUIET, i % 3 + 1, (i + 1) % 3 + 1)));
    assertThat(plan.moves()).isEqualTo(6);
    assertThat(plan.shares())
        .allSatisfy(
            share -> {
              assertThat(share.after()).containsEntry(Measure.REPLICAS, 6.0);
              assertThat(share.after()).containsEntry(Measure.LEADERS, 3.0);
            });
    assertThat(plan.steps()).extracting(Step::reason).containsOnly(Reason.LOAD);
    assertThat(plan.copyBytes()).isEqualTo(6 * QUIET.copyBytes());
  }

  @Test
  void leadersThatCarryMostMoveWithoutAnyCopy() {
    List<PartitionState> partitions = new ArrayList<>();
    partitions.add(at(0, BUSY, 1, 2));
    partitions.add(at(1, BUSY, 1, 2));
    partitions.add(at(2, QUIET, 2, 1));
    partitions.add(at(3, QUIET, 2, 1));
    Plan plan = plan(brokers(2), partitions);
    assertThat(plan.steps()).isNotEmpty();
    assertThat(plan.copyBytes()).isZero();
    assertThat(plan.shares())
        .allSatisfy(
            share -> assertThat(share.after()).containsEntry(Measure.LED_BYTES_PER_SECOND, 11e6));
  }

  /** Numbers alone would say that all is well. */
  @Test
  void loadCountsMoreThanNumbers() {
    List<PartitionState> partitions = each(12, i -> at(i, i % 3 == 0 ? BUSY : QUIET, i % 3 + 1));
    Plan plan = plan(brokers(3), partitions);
    assertThat(plan.steps())
        .anySatisfy(
            step -> {
              assertThat(step.from()).isEqualTo(List.of(1));
              assertThat(step.why()).contains("bytes/s").contains("broker 1 has 250 %");
            });
    assertThat(plan.shares())
        .extracting(s -> s.after().getOrDefault(Measure.BYTES_PER_SECOND, 0.0))
        .allSatisfy(rate -> assertThat(rate).isBetween(12e6, 23e6));
  }

  @Test
  void aDrainingBrokerLosesItsLeadersFirstAndThenEverything() {
    Snapshot snapshot =
        new Snapshot(
            brokers(4), each(8, i -> at(i, QUIET, i % 4 + 1, (i + 1) % 4 + 1, (i + 2) % 4 + 1)));
    Plan plan = Planner.plan(snapshot.draining(Set.of(2)), Goals.DEFAULT);
    List<Step> leaders = plan.steps().stream().filter(s -> !s.moves()).toList();
    assertThat(leaders).hasSize(2).isEqualTo(plan.steps().subList(0, 2));
    assertThat(leaders).allSatisfy(s -> assertThat(s.to().get(0)).isNotEqualTo(2));
    assertThat(plan.moves()).isEqualTo(6);
    assertThat(plan.steps()).extracting(Step::reason).containsOnly(Reason.DRAIN);
    assertThat(plan.shares().get(1).after()).containsEntry(Measure.REPLICAS, 0.0);
    assertThat(plan.stuck()).isEmpty();
  }

  @Test
  void leadersGoOffABrokerWhoseReplicasStayAndComeBack() {
    List<PartitionState> partitions =
        new ArrayList<>(each(6, i -> at(i, QUIET, i % 3 + 1, (i + 1) % 3 + 1, (i + 2) % 3 + 1)));
    // It is to lead this one and does not, as after a restart: it would be given back to it.
    partitions.add(
        new PartitionState(
            new TopicPartition("t", 6), List.of(2, 3, 1), 3, Set.of(1, 2, 3), QUIET, false));
    Plan plan = Planner.leadersOff(new Snapshot(brokers(3), partitions).draining(Set.of(2)));
    assertThat(plan.stuck()).isEmpty();
    assertThat(plan.moves()).isZero();
    assertThat(plan.steps()).hasSize(3).allSatisfy(s -> assertThat(s.to().get(0)).isNotEqualTo(2));
    assertThat(plan.shares().get(1).after())
        .containsEntry(Measure.LEADERS, 0.0)
        .containsEntry(Measure.REPLICAS, 7.0);
    List<PartitionState> after =
        partitions.stream()
            .map(
                p ->
                    plan.steps().stream()
                        .filter(s -> s.partition().equals(p.partition()))
                        .map(s -> p.movedTo(s.to()))
                        .findFirst()
                        .orElse(p))
            .toList();
    assertThat(Planner.leadersOff(new Snapshot(brokers(3), after).draining(Set.of(2))).steps())
        .isEmpty();
    Plan back = plan(brokers(3), after);
    assertThat(back.moves()).isZero();
    assertThat(back.shares().get(1).after().getOrDefault(Measure.LEADERS, 0.0)).isGreaterThan(1);
  }

  @Test
  void aLeaderThatNobodyElseCanBeIsToldToStay() {
    PartitionState alone =
        new PartitionState(new TopicPartition("t", 0), List.of(2, 1), 2, Set.of(2), QUIET, false);
    Plan plan = Planner.leadersOff(new Snapshot(brokers(3), List.of(alone)).draining(Set.of(2)));
    assertThat(plan.steps()).isEmpty();
    assertThat(plan.stuck()).hasSize(1).allSatisfy(s -> assertThat(s.why()).contains("in sync"));
  }

  @Test
  void whatHasNowhereToGoIsTold() {
    Snapshot snapshot = new Snapshot(brokers(2), List.of(at(0, QUIET, 1, 2)));
    Plan plan = Planner.plan(snapshot.draining(Set.of(1)), Goals.DEFAULT);
    assertThat(plan.steps()).extracting(Step::to).containsExactly(List.of(2, 1));
    assertThat(plan.stuck()).hasSize(1).allSatisfy(s -> assertThat(s.why()).contains("no broker"));
  }

  @Test
  void racksAreSpreadBeforeAnythingElse() {
    List<Broker> brokers =
        List.of(new Broker(1, "a"), new Broker(2, "a"), new Broker(3, "b"), new Broker(4, "b"));
    Plan plan = plan(brokers, List.of(at(0, QUIET, 1, 2), at(1, QUIET, 3, 1), at(2, QUIET, 4, 2)));
    assertThat(plan.steps()).hasSize(1);
    Step step = plan.steps().get(0);
    assertThat(step.reason()).isEqualTo(Reason.RACK);
    assertThat(step.to().get(0)).as("the leader stays").isEqualTo(1);
    assertThat(step.to().get(1)).isIn(3, 4);
  }

  @Test
  void aDrainedBrokersReplicasStayInItsRackIfThatIsHowTheyAreSpread() {
    List<Broker> brokers =
        List.of(
            new Broker(1, "a"),
            new Broker(2, "a"),
            new Broker(3, "b"),
            new Broker(4, "b"),
            new Broker(5, "c"));
    Snapshot snapshot = new Snapshot(brokers, each(6, i -> at(i, QUIET, 1, 3, 5)));
    Plan plan = Planner.plan(snapshot.draining(Set.of(1)), Goals.DEFAULT);
    assertThat(plan.steps().stream().filter(Step::moves))
        .hasSize(6)
        .allSatisfy(step -> assertThat(step.added()).containsExactly(2));
    Plan last = Planner.plan(snapshot.draining(Set.of(5)), Goals.DEFAULT);
    assertThat(last.steps().stream().filter(Step::moves))
        .hasSize(6)
        .allSatisfy(step -> assertThat(step.why()).contains("no other rack is left"));
  }

  @Test
  void deadBrokersKeepWhatTheyHaveUntilTheyAreDrained() {
    List<Broker> brokers = new ArrayList<>(brokers(3));
    brokers.add(new Broker(4, "", false, false, false));
    List<PartitionState> partitions =
        each(
            6,
            i ->
                new PartitionState(
                    new TopicPartition("t", i),
                    List.of(i % 3 + 1, 4),
                    i % 3 + 1,
                    Set.of(i % 3 + 1),
                    QUIET,
                    false));
    assertThat(plan(brokers, partitions).steps()).isEmpty();
    Plan drained =
        Planner.plan(new Snapshot(brokers, partitions).draining(Set.of(4)), Goals.DEFAULT);
    assertThat(drained.moves()).isEqualTo(6);
    assertThat(drained.stuck()).isEmpty();
  }

  @Test
  void whoShouldLeadAndCanIsElected() {
    PartitionState led =
        new PartitionState(
            new TopicPartition("t", 0), List.of(1, 2), 2, Set.of(1, 2), QUIET, false);
    Plan plan = plan(brokers(2), List.of(led));
    assertThat(plan.steps()).hasSize(1).allMatch(Step::electsOnly);
    PartitionState behind =
        new PartitionState(new TopicPartition("t", 0), List.of(1, 2), 2, Set.of(2), QUIET, false);
    assertThat(plan(brokers(2), List.of(behind)).steps()).isEmpty();
  }

  @Test
  void whatIsCheapToCopyGoesFirst() {
    List<PartitionState> partitions = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      long copy = i % 2 == 0 ? 100_000_000L : 1_000L;
      partitions.add(at(i, new Weight(1e6, 1e8, copy), 1));
    }
    Plan plan = plan(brokers(2), partitions);
    assertThat(plan.moves()).isEqualTo(4);
    assertThat(plan.copyBytes()).isEqualTo(4_000);
  }

  @Test
  void aSnapshotNamesAllBrokersAndNoReplicaTwice() {
    assertThatThrownBy(() -> new Snapshot(brokers(1), List.of(at(0, QUIET, 7))))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> at(0, QUIET, 1, 1)).isInstanceOf(IllegalArgumentException.class);
  }

  private static Plan plan(List<Broker> brokers, List<PartitionState> partitions) {
    return Planner.plan(new Snapshot(brokers, partitions), Goals.DEFAULT);
  }

  private static List<Broker> brokers(int count) {
    return IntStream.rangeClosed(1, count).mapToObj(id -> new Broker(id, "")).toList();
  }

  private interface Made {
    PartitionState at(int i);
  }

  private static List<PartitionState> each(int count, Made made) {
    return IntStream.range(0, count).mapToObj(made::at).toList();
  }

  private static PartitionState at(int number, Weight weight, Integer... replicas) {
    return new PartitionState(
        new TopicPartition("t", number),
        List.of(replicas),
        replicas[0],
        Set.of(replicas),
        weight,
        false);
  }
}
