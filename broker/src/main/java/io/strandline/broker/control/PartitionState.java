package io.strandline.broker.control;

import java.util.List;
import java.util.OptionalInt;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.FencedLeaderEpochException;
import org.apache.kafka.common.errors.UnknownLeaderEpochException;

/**
 * What the cluster says of one partition at one metadata offset. Immutable.
 *
 * @param id topic id, topic name and partition number
 * @param leader node id of the leader, -1 when there is none
 * @param leaderEpoch raised at each election
 * @param partitionEpoch raised at each change of leader, replicas or ISR
 * @param replicas all assigned replicas, the preferred leader first
 * @param isr replicas in sync
 * @param elr eligible leader replicas outside the ISR (KIP-966)
 * @param adding replicas that a reassignment adds
 * @param removing replicas that a reassignment removes
 * @param directory the log directory of this node's replica as the controller has it, {@link
 *     org.apache.kafka.common.DirectoryId#UNASSIGNED} when none is assigned yet or this node hosts
 *     no replica
 * @param recovering the leader was elected uncleanly and has not yet confirmed its recovery
 */
public record PartitionState(
    TopicIdPartition id,
    int leader,
    int leaderEpoch,
    int partitionEpoch,
    List<Integer> replicas,
    List<Integer> isr,
    List<Integer> elr,
    List<Integer> adding,
    List<Integer> removing,
    Uuid directory,
    boolean recovering) {

  /**
   * The same after the controller agreed to another ISR, and so with a leader that has recovered.
   */
  public PartitionState withIsr(List<Integer> inSync, int newPartitionEpoch) {
    return new PartitionState(
        id,
        leader,
        leaderEpoch,
        newPartitionEpoch,
        replicas,
        List.copyOf(inSync),
        elr,
        adding,
        removing,
        directory,
        false);
  }

  /**
   * Whether a client that tells its leader epoch may be served.
   *
   * @param known the epoch here
   * @throws FencedLeaderEpochException or {@link UnknownLeaderEpochException} if it tells another
   */
  public static void requireEpoch(TopicIdPartition id, int known, OptionalInt told) {
    if (told.isPresent() && told.getAsInt() < known) {
      throw new FencedLeaderEpochException(
          id + " is led in epoch " + known + ", not " + told.getAsInt());
    }
    if (told.isPresent() && told.getAsInt() > known) {
      throw new UnknownLeaderEpochException(
          id + " is led in epoch " + known + ", not yet " + told.getAsInt());
    }
  }

  /** Whether a reassignment of this partition is under way. */
  public boolean reassigning() {
    return !adding.isEmpty() || !removing.isEmpty();
  }
}
