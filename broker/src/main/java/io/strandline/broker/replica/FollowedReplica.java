package io.strandline.broker.replica;

import io.strandline.broker.log.PartitionLog.EpochEnd;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A replica that follows, as a fetcher sees it. What changes it names the position that was asked
 * for: when the replica follows in another epoch by now, or ends elsewhere, nothing happens.
 *
 * <p>Threads: one fetcher at a time; methods wait for the replica's owner and its disk. They fail
 * with {@code KafkaStorageException} once the log directory failed.
 */
public interface FollowedReplica {
  TopicIdPartition id();

  /** Where it goes on; empty when it does not follow in this epoch any more. */
  Optional<FetchPosition> position(int leaderEpoch);

  /** Whether it has to wait, if it is not in sync: more was fetched of late than is allowed. */
  default boolean throttled() {
    return false;
  }

  /** Whether it follows, and has neither grown nor been cut since it stood there. */
  default boolean standsAt(FetchPosition position) {
    return position(position.leaderEpoch()).filter(position::equals).isPresent();
  }

  /**
   * Appends what the leader sent, and takes over its high watermark and log start.
   *
   * @throws org.apache.kafka.common.errors.CorruptRecordException damaged on the way; nothing of it
   *     is kept
   */
  void take(FetchPosition asked, FetchAnswer answer);

  /**
   * Cuts off what the leader does not have.
   *
   * @param leader its largest epoch that is not above ours, and where that ends
   */
  void diverged(FetchPosition asked, EpochEnd leader);

  /**
   * The leader does not have the offset asked for, though the histories do not part: its log ends
   * below after an unclean election, or begins above.
   */
  void outOfRange(FetchPosition asked, long leaderStartOffset, long leaderEndOffset);
}
