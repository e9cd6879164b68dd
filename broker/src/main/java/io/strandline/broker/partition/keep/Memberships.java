package io.strandline.broker.partition.keep;

import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Tier;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which of the hosted partitions take part in the tier: those that this broker leads.
 *
 * <p>Roles are taken in order, and told of here by whichever thread was the partition's owner then.
 * So what a partition is is looked at and told to the tier in one step: word that comes late does
 * not undo what has been told since. Threads: any; may wait for the tier to start.
 */
public final class Memberships implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Memberships.class);

  private final Map<TopicPartition, Partition> hosted;
  private final Tier tier;
  private final Predicate<Partition> readOnly;

  /** Who takes part, and since which leader epoch; written under the lock. */
  private final Map<Partition, Integer> joined = new ConcurrentHashMap<>();

  private boolean closed;

  /**
   * @param hosted all replicas, a live view
   * @param readOnly whether a replica shows another cluster's history, and so whoever leads it
   */
  public Memberships(
      Map<TopicPartition, Partition> hosted, Tier tier, Predicate<Partition> readOnly) {
    this.hosted = hosted;
    this.tier = tier;
    this.readOnly = readOnly;
  }

  /**
   * The replica has another role, or its topic another configuration. What the tier fails to take
   * up is logged, and told again by {@link #review}.
   */
  public void took(Partition partition) {
    try {
      tell(partition);
    } catch (RuntimeException | Error failure) {
      LOG.atError()
          .addKeyValue("partition", partition.id())
          .setCause(failure)
          .log("the tier could not be told of its role; told again");
    }
  }

  private synchronized void tell(Partition partition) {
    if (closed || hosted.get(partition.id().topicPartition()) != partition) {
      return; // and has left
    }
    int epoch = partition.leaderEpoch();
    if (partition.leads()) {
      joined.remove(partition);
      tier.lead(partition);
      joined.put(partition, epoch);
    } else if (!readOnly.test(partition)) {
      tier.leave(partition.id());
      joined.remove(partition);
    }
  }

  /** The replica is not hosted any more, or its disk failed. */
  public synchronized void left(Partition partition) {
    joined.remove(partition);
    Unfinished.carefully(partition.id(), () -> tier.leave(partition.id()));
  }

  /** Looks whether the tier knows what each partition is. */
  public void review() {
    for (Partition partition : hosted.values()) {
      int epoch = partition.leaderEpoch();
      Integer since = joined.get(partition);
      if (partition.leads() ? since == null || since < epoch : since != null) {
        took(partition);
      }
    }
  }

  /** None takes part any more. */
  @Override
  public synchronized void close() {
    closed = true;
    hosted.values().forEach(this::left);
  }
}
