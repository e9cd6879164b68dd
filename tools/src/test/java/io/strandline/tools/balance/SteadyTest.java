package io.strandline.tools.balance;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tools.balance.PartitionState.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Balancing that goes on for ever acts on what lasts. */
class SteadyTest {
  private final Map<TopicPartition, PartitionState> now = new HashMap<>();
  private final Steady steady = new Steady(Goals.DEFAULT);
  private int brokers = 3;

  @Test
  void loadThatComesAndGoesMovesNothing() {
    spread(30);
    for (int i = 0; i < 50; i++) {
      rate(i * 7 % 30, 60e6);
      assertThat(look()).as("look %d", i).isEmpty();
      rate(i * 7 % 30, 1e6);
      assertThat(look()).isEmpty();
    }
  }

  @Test
  void loadThatLastsIsSpreadAndThatIsAll() {
    spread(30);
    for (int i = 0; i < 5; i++) {
      assertThat(look()).isEmpty();
    }
    for (int p = 0; p < 30; p += 3) {
      rate(p, 10e6);
    }
    assertThat(look()).as("seen once").isEmpty();
    assertThat(look()).as("seen twice").isEmpty();
    List<Step> moved = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      moved.addAll(look());
    }
    assertThat(moved).isNotEmpty();
    assertThat(moved.stream().map(Step::partition)).doesNotHaveDuplicates();
    for (int i = 0; i < 30; i++) {
      assertThat(look()).isEmpty();
    }
  }

  @Test
  void aNewBrokerIsUsedAtOnce() {
    spread(30);
    assertThat(look()).isEmpty();
    brokers = 4;
    assertThat(look()).isNotEmpty();
    assertThat(look()).isEmpty();
  }

  private void spread(int partitions) {
    for (int i = 0; i < partitions; i++) {
      put(i, List.of(i % 3 + 1, (i + 1) % 3 + 1), 1e6);
    }
  }

  private void put(int number, List<Integer> replicas, double rate) {
    TopicPartition partition = new TopicPartition("t", number);
    now.put(
        partition,
        new PartitionState(
            partition,
            replicas,
            replicas.get(0),
            Set.copyOf(replicas),
            new Weight(rate, 1e9, 1),
            false));
  }

  private void rate(int number, double rate) {
    PartitionState old = now.get(new TopicPartition("t", number));
    put(number, old == null ? List.of() : old.replicas(), rate);
  }

  private List<Step> look() {
    Snapshot seen =
        new Snapshot(
            IntStream.rangeClosed(1, brokers).mapToObj(id -> new Broker(id, "")).toList(),
            List.copyOf(now.values()));
    Plan plan = steady.next(seen);
    for (Step step : plan.steps()) {
      PartitionState moved = now.get(step.partition());
      if (moved != null) {
        put(step.partition().partition(), step.to(), moved.weight().bytesPerSecond());
      }
    }
    return plan.steps();
  }
}
