package io.strandline.tools.balance;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;

/**
 * What to do, in this order, and what comes of it. A partition may stand in it twice: first its
 * leader goes, then its replicas.
 *
 * @param stuck what should be moved and cannot be
 * @param shares what each broker carries before and after
 */
public record Plan(List<Step> steps, List<Stuck> stuck, List<Share> shares) {
  /** A partition that cannot be moved. */
  public record Stuck(TopicPartition partition, String why) {}

  /** A broker's part of each measure. */
  public record Share(Broker broker, Map<Measure, Double> before, Map<Measure, Double> after) {}

  private record Change(TopicPartition partition, List<Integer> from, List<Integer> to) {}

  public boolean isEmpty() {
    return steps.isEmpty();
  }

  /** Whether another one wants the same to be done, and finds the same stuck. */
  public boolean wantsTheSameAs(Plan other) {
    return changes().equals(other.changes()) && stuck.equals(other.stuck);
  }

  private Set<Change> changes() {
    return steps.stream()
        .map(step -> new Change(step.partition(), step.from(), step.to()))
        .collect(Collectors.toSet());
  }

  /** How many partitions get replicas on other brokers. */
  public long moves() {
    return steps.stream().filter(Step::moves).count();
  }

  /** What brokers copy from each other for all of it. */
  public long copyBytes() {
    return steps.stream().mapToLong(Step::copyBytes).sum();
  }
}
