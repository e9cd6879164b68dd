package io.strandline.broker.partition.keep;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Replicas that could not be hosted, or not be given their role, for whatever reason: tried again
 * now and then. Threads: any.
 */
public final class Unfinished {
  private static final Logger LOG = LoggerFactory.getLogger(Unfinished.class);

  /** Looks that pass at most until the next try. */
  private static final int REST_MAX = 32;

  /**
   * @param times how often it failed
   * @param rest looks until it is tried again
   */
  private record Failed(int times, int rest) {
    static Failed again(@Nullable Failed before) {
      int times = before == null ? 1 : before.times + 1;
      return new Failed(times, Math.min(REST_MAX, (1 << Math.min(times - 1, 30)) - 1));
    }
  }

  private final Map<TopicIdPartition, Failed> replicas = new ConcurrentHashMap<>();

  /** Carries the step out; if it fails that is logged, and costs nobody else their change. */
  public static void carefully(TopicIdPartition id, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | Error failure) {
      LOG.atError().addKeyValue("partition", id).setCause(failure).log("a step failed");
    }
  }

  /** Said aloud the first time: what cannot succeed is tried for ever. */
  public void add(TopicIdPartition id, Throwable failure) {
    Failed now = replicas.compute(id, (same, before) -> Failed.again(before));
    LOG.atLevel(now.times == 1 ? Level.ERROR : Level.DEBUG)
        .addKeyValue("partition", id)
        .addKeyValue("times", now.times)
        .setCause(failure)
        .log("cannot be hosted, or not be given its role; tried again");
  }

  /** Adds the replica should the step to its role fail. */
  public CompletableFuture<Void> unless(TopicIdPartition id, CompletableFuture<Void> taken) {
    return taken.whenComplete(
        (done, failure) -> {
          if (failure != null) {
            add(id, failure);
          }
        });
  }

  /**
   * A look at them: has those tried again whose turn it is, the less often the more they failed.
   *
   * @param changes carries that out
   * @param take a replica, as the metadata has it by then; may add it again
   */
  public void again(Executor changes, Function<TopicIdPartition, CompletableFuture<Void>> take) {
    if (!replicas.isEmpty()) {
      changes.execute(() -> Map.copyOf(replicas).forEach((id, failed) -> look(id, failed, take)));
    }
  }

  private void look(
      TopicIdPartition id,
      Failed failed,
      Function<TopicIdPartition, CompletableFuture<Void>> take) {
    if (failed.rest > 0) {
      replicas.replace(id, failed, new Failed(failed.times, failed.rest - 1));
      return;
    }
    Failed tried = new Failed(failed.times, REST_MAX); // not meanwhile, if it takes long
    replicas.replace(id, failed, tried);
    var unused = take.apply(id).whenComplete((done, failure) -> replicas.remove(id, tried));
  }
}
