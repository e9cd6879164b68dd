package io.strandline.tools.balance;

import java.util.List;
import java.util.Map;
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

  public boolean isEmpty() {
    return steps.isEmpty();
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
