package io.strandline.broker.partition;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.partition.keep.Home;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The logs as a start finds them on the disks; each becomes a partition without a role yet. */
record Opening(Home home, Map<TopicPartition, Partition> hosted, PartitionRuntime runtime) {
  private static final Logger LOG = LoggerFactory.getLogger(Opening.class);

  /** Directories in parallel, recovering logs that need it; blocks until done. */
  void all(ClusterView view) {
    List<CompletableFuture<List<PartitionLog>>> opened = new ArrayList<>();
    for (LogDirectory directory : home.directories()) {
      // Not on the executor of writes: opening a directory waits for its logs, which are opened
      // there.
      opened.add(
          CompletableFuture.supplyAsync(() -> openUnlessItFails(directory, view), runtime.reads()));
    }
    Map<TopicPartition, PartitionLog> chosen = new HashMap<>();
    for (CompletableFuture<List<PartitionLog>> logs : opened) {
      for (PartitionLog log : logs.join()) {
        chosen.merge(
            log.partition().topicPartition(), log, (one, other) -> choose(view, one, other));
      }
    }
    chosen.forEach((partition, log) -> hosted.put(partition, partition(log)));
  }

  /**
   * A replica was moved, and the process died before its old log went; or it was begun anew while
   * the directory of an old log was away. The log of the later leader, then the longer one, is a
   * replica's newest; of equal ones the controller has chosen.
   */
  private PartitionLog choose(ClusterView view, PartitionLog one, PartitionLog other) {
    int newer =
        Comparator.comparing((PartitionLog log) -> current(view, log))
            .thenComparingInt(log -> log.latestEpoch().orElse(-1))
            .thenComparingLong(PartitionLog::logEndOffset)
            .thenComparing(log -> assigned(view, log))
            .compare(one, other);
    boolean stays = newer >= 0;
    PartitionLog stale = stays ? other : one;
    PartitionLog kept = stays ? one : other;
    boolean equal =
        stale.partition().equals(kept.partition()) && stale.logEndOffset() == kept.logEndOffset();
    LOG.atWarn()
        .addKeyValue("partition", kept.partition())
        .addKeyValue("path", stale.path())
        .addKeyValue("offset", stale.logEndOffset())
        .log(equal ? "has a second log, which is deleted" : "has a second log, which is set aside");
    try {
      if (equal) {
        stale.directory().delete(stale);
      } else {
        stale.directory().setAside(stale);
      }
    } catch (KafkaStorageException failure) {
      LOG.atWarn().addKeyValue("path", stale.path()).setCause(failure).log("stays");
    }
    return kept;
  }

  private static boolean current(ClusterView view, PartitionLog log) {
    return view.partition(log.partition().topicPartition())
        .filter(state -> state.id().equals(log.partition()))
        .isPresent();
  }

  private boolean assigned(ClusterView view, PartitionLog log) {
    Uuid here = home.id(log.directory());
    return view.partition(log.partition().topicPartition())
        .filter(state -> state.id().equals(log.partition()) && state.directory().equals(here))
        .isPresent();
  }

  private Partition partition(PartitionLog log) {
    long mark =
        home.highWatermark(log.directory(), log.partition().topicPartition())
            .orElse(log.logStartOffset());
    return new Partition(log, mark, runtime);
  }

  /** A disk that fails takes its own directory offline, not the node. */
  private List<PartitionLog> openUnlessItFails(LogDirectory directory, ClusterView view) {
    try {
      return open(directory, view);
    } catch (KafkaStorageException failure) {
      LOG.atError().addKeyValue("path", directory.path()).setCause(failure).log("cannot be opened");
      return List.of();
    }
  }

  private List<PartitionLog> open(LogDirectory directory, ClusterView view) {
    Map<TopicIdPartition, PartitionLog> logs = directory.openAll(view::logConfig);
    directory
        .unreadable()
        .forEach(
            (id, reason) ->
                LOG.atError().addKeyValue("partition", id).setCause(reason).log("unreadable"));
    LOG.atInfo()
        .addKeyValue("path", directory.path())
        .addKeyValue("count", logs.size())
        .addKeyValue("state", directory.stoppedCleanly() ? "clean" : "recovered")
        .log("opened");
    return List.copyOf(logs.values());
  }
}
