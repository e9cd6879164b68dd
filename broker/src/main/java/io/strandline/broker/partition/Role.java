package io.strandline.broker.partition;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.partition.meter.Standing;
import io.strandline.broker.replica.Followers;
import java.util.OptionalInt;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.PolicyViolationException;

/** What a replica is at present. Changed by the partition's owner, on word of the metadata. */
sealed interface Role {
  /** Of the leader known, -1 if none is. */
  int leaderEpoch();

  /** Whether it is led or followed, and takes no appends: another cluster's history. */
  default boolean readOnly() {
    return false;
  }

  /** See {@link PartitionState#requireEpoch}. */
  default void requireEpoch(TopicIdPartition id, OptionalInt asked) {
    PartitionState.requireEpoch(id, leaderEpoch(), asked);
  }

  /**
   * What is told of the partition.
   *
   * @param unstable offsets between the last stable one and the high watermark
   */
  default Standing standing(int minInSyncReplicas, long unstable) {
    return Standing.notLed(unstable);
  }

  /** Opened, and the metadata has not spoken yet. */
  record Waiting() implements Role {
    @Override
    public int leaderEpoch() {
      return -1;
    }
  }

  /** Takes appends. */
  record Leading(Followers followers, boolean readOnly) implements Role {
    PartitionState state() {
      return followers.state();
    }

    @Override
    public int leaderEpoch() {
      return state().leaderEpoch();
    }

    /**
     * @throws PolicyViolationException if nothing may be written
     */
    Leading writable() {
      if (readOnly) {
        throw new PolicyViolationException(
            state().id().topic() + " is a read-only mount of another cluster's topic");
      }
      return this;
    }

    @Override
    public Standing standing(int minInSyncReplicas, long unstable) {
      PartitionState now = state();
      return new Standing(
          now.replicas().size(), now.isr().size(), spareInSync(minInSyncReplicas), unstable);
    }

    /** Whether there are other replicas. */
    boolean followed() {
      return followers.any();
    }

    boolean underReplicated() {
      PartitionState now = state();
      return now.isr().size() < now.replicas().size();
    }

    /**
     * @throws NotEnoughReplicasException if too few are in sync for acks=all
     */
    void requireInSync(int minInSyncReplicas) {
      if (spareInSync(minInSyncReplicas) < 0) {
        throw new NotEnoughReplicasException(
            state().id() + " has " + state().isr().size() + " replicas in sync");
      }
    }

    /** How many more replicas are in sync than must be; below 0 if they are too few. */
    int spareInSync(int minInSyncReplicas) {
      return followers.spareInSync(minInSyncReplicas);
    }
  }

  /**
   * Fetches from a leader, or waits for one.
   *
   * @param node this broker
   * @param readOnly whether it only ends where the leader does, and nothing is copied
   */
  record Following(PartitionState state, int node, boolean readOnly) implements Role {
    boolean inSync() {
      return state.isr().contains(node);
    }

    @Override
    public int leaderEpoch() {
      return state.leaderEpoch();
    }
  }

  /** Its directory failed; for good. */
  record Offline(int leaderEpoch) implements Role {}

  /** The topic was deleted, the replica moved away, or the broker stops; for good. */
  record Closed(int leaderEpoch) implements Role {}
}
