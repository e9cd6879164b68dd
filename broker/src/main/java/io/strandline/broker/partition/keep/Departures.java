package io.strandline.broker.partition.keep;

import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Tier;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replicas on their way out: closing, their files still in the way of a new replica of the same
 * name. Each is over at some time, whatever fails on the way. Threads: any.
 */
public final class Departures {
  private static final Logger LOG = LoggerFactory.getLogger(Departures.class);

  private final Tier tier;
  private final BiFunction<Partition, Runnable, CompletableFuture<Void>> close;
  private final Map<TopicPartition, CompletableFuture<Void>> underWay = new ConcurrentHashMap<>();

  /** Closed; their topic is deleted, which could not be written down yet. */
  private final Set<Partition> unwritten = ConcurrentHashMap.newKeySet();

  /**
   * @param close closes a partition for good and carries the step out as its owner's last
   */
  public Departures(Tier tier, BiFunction<Partition, Runnable, CompletableFuture<Void>> close) {
    this.tier = tier;
    this.close = close;
  }

  /** Completes, and never fails, when nothing of that name is on its way out any more. */
  public Optional<CompletableFuture<Void>> of(TopicPartition name) {
    return Optional.ofNullable(underWay.get(name));
  }

  /**
   * Closes the replica and deletes its log. A log whose topic's deletion can not be written down
   * stays until {@link #review} can, or the next start finds it.
   *
   * @param everywhere the topic was deleted, rather than the replica moved
   */
  public void begin(Partition partition, boolean everywhere) {
    TopicPartition name = partition.id().topicPartition();
    PartitionLog log = partition.log();
    CompletableFuture<Void> gone = new CompletableFuture<>();
    underWay.put(name, gone);
    var unused =
        CompletableFuture.completedFuture(everywhere)
            .thenCompose(
                all -> all ? tier.delete(partition) : CompletableFuture.completedFuture(true))
            .exceptionally(
                failure -> {
                  LOG.atError()
                      .addKeyValue("partition", partition.id())
                      .setCause(failure)
                      .log("the tier could not be told of its deletion; the local log stays");
                  return false;
                })
            .thenCompose(
                mayGo ->
                    close
                        .apply(partition, mayGo ? () -> log.directory().delete(log) : () -> {})
                        .thenRun(
                            () -> {
                              if (!mayGo) {
                                unwritten.add(partition);
                              }
                            }))
            .whenComplete(
                (done, failure) -> {
                  underWay.remove(name, gone);
                  gone.complete(null);
                });
  }

  /** Now and then: what could not be written down is tried again, and its log goes then. */
  public void review(Executor changes) {
    if (!unwritten.isEmpty()) {
      changes.execute(() -> Set.copyOf(unwritten).forEach(this::again));
    }
  }

  private void again(Partition partition) {
    if (unwritten.remove(partition)) {
      begin(partition, true);
    }
  }
}
