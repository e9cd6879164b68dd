package io.strandline.broker.partition.keep;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicIdPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replicas that could not be hosted, or not be given their role, for whatever reason: tried again
 * now and then. Threads: any.
 */
public final class Unfinished {
  private static final Logger LOG = LoggerFactory.getLogger(Unfinished.class);

  private final Set<TopicIdPartition> replicas = ConcurrentHashMap.newKeySet();

  /** Carries the step out; if it fails that is logged, and costs nobody else their change. */
  public static void carefully(TopicIdPartition id, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | Error failure) {
      LOG.atError().addKeyValue("partition", id).setCause(failure).log("a step failed");
    }
  }

  public void add(TopicIdPartition id, Throwable failure) {
    LOG.atError().addKeyValue("partition", id).setCause(failure).log("cannot be hosted");
    replicas.add(id);
  }

  /**
   * Has all of them tried again.
   *
   * @param changes carries that out
   * @param take a replica, as the metadata has it by then; may add it again
   */
  public void again(Executor changes, Consumer<TopicIdPartition> take) {
    if (!replicas.isEmpty()) {
      changes.execute(
          () -> {
            for (TopicIdPartition id : List.copyOf(replicas)) {
              replicas.remove(id);
              take.accept(id);
            }
          });
    }
  }
}
