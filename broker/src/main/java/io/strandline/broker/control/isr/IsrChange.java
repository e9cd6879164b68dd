package io.strandline.broker.control.isr;

import java.util.List;
import org.apache.kafka.common.TopicIdPartition;

/**
 * What a leader asks of the controller: another set of replicas in sync (KIP-497, KIP-903).
 *
 * @param leaderEpoch,partitionEpoch of the partition as the leader knows it; the controller refuses
 *     others
 * @param isr the set wanted
 */
public record IsrChange(
    TopicIdPartition id, int leaderEpoch, int partitionEpoch, List<Member> isr) {

  /**
   * @param brokerEpoch of the registration in which the replica fetched, -1 when it is not known:
   *     one that was restarted since is not let in
   */
  public record Member(int broker, long brokerEpoch) {}

  /** What the controller has made of it. */
  public record Answer(int leaderEpoch, int partitionEpoch, List<Integer> isr) {}
}
