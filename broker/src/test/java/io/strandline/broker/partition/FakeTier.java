package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.tiering.TierPipeline.Relief;
import io.strandline.tiering.reclaim.TierPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicIdPartition;

/** Answers when the test says so. */
final class FakeTier implements Tier {
  final List<LogNursery> nurseries = new ArrayList<>();
  final List<CompletableFuture<Void>> asked = new ArrayList<>();
  final List<Integer> epochs = new ArrayList<>();
  final List<TopicIdPartition> led = new CopyOnWriteArrayList<>();

  /** Who takes part now. */
  final Set<TopicIdPartition> joined = ConcurrentHashMap.newKeySet();

  /** What happens first when it is called. */
  volatile Runnable onLead = () -> {};

  volatile Runnable onLeave = () -> {};
  volatile Runnable onDelete = () -> {};
  volatile Runnable onMounted = () -> {};
  final List<TopicIdPartition> deleted = new ArrayList<>();
  volatile boolean holds = true;
  boolean begins;
  boolean foreign;
  boolean mounted;
  volatile Optional<TierPolicy> policy = Optional.empty();

  synchronized LogNursery nurseryOf(int partition) {
    return nurseries.get(last(partition));
  }

  synchronized long countOf(int partition) {
    return nurseries.stream().filter(n -> n.partition().partition() == partition).count();
  }

  synchronized CompletableFuture<Void> lastOf(int partition) {
    return asked.get(last(partition));
  }

  /** The store is away for the next questions, so many. */
  void refuse(int times) {
    int before = asked.size();
    for (int i = 0; i < times; i++) {
      int question = before - 1 + i;
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (asked.size() <= question) {
        assertThat(System.nanoTime()).isLessThan(deadline);
        LockSupport.parkNanos(1_000_000);
      }
      asked.get(question).completeExceptionally(new IllegalStateException("the store is away"));
    }
  }

  private int last(int partition) {
    int last = nurseries.size() - 1;
    while (nurseries.get(last).partition().partition() != partition) {
      last--;
    }
    return last;
  }

  @Override
  public void lead(Partition partition) {
    onLead.run();
    led.add(partition.id());
    joined.add(partition.id());
  }

  @Override
  public void leave(TopicIdPartition partition) {
    onLeave.run();
    joined.remove(partition);
  }

  @Override
  public CompletableFuture<Void> delete(TopicIdPartition partition, int leaderEpoch, boolean led) {
    onDelete.run();
    deleted.add(partition);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public boolean foreign(TopicIdPartition partition) {
    return foreign;
  }

  @Override
  public boolean mounted(Partition partition) {
    onMounted.run();
    return mounted;
  }

  @Override
  public boolean holds(Partition partition) {
    return holds;
  }

  @Override
  public CompletableFuture<Relief> relieve(Predicate<TopicIdPartition> which, long bytes) {
    return CompletableFuture.completedFuture(Relief.NONE);
  }

  @Override
  public boolean begins(TopicIdPartition partition) {
    return begins;
  }

  @Override
  public Optional<TierPolicy> policy(Partition partition) {
    return policy;
  }

  @Override
  public synchronized CompletableFuture<Void> fill(LogNursery nursery, OptionalInt leaderEpoch) {
    epochs.add(leaderEpoch.orElse(-1));
    nurseries.add(nursery);
    asked.add(new CompletableFuture<>());
    return asked.get(asked.size() - 1);
  }
}
