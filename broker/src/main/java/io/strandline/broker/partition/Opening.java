package io.strandline.broker.partition;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.partition.keep.Home;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The logs as a start finds them on the disks; each becomes a partition without a role yet. */
record Opening(Home home, Map<TopicPartition, Partition> hosted, PartitionRuntime runtime) {
  private static final Logger LOG = LoggerFactory.getLogger(Opening.class);

  /** Directories in parallel, recovering logs that need it; blocks until done. */
  void all(ClusterView view) {
    List<CompletableFuture<Void>> opened = new ArrayList<>();
    for (LogDirectory directory : home.directories()) {
      // Not on the executor of writes: opening a directory waits for its logs, which are opened
      // there.
      opened.add(
          CompletableFuture.runAsync(() -> openUnlessItFails(directory, view), runtime.reads()));
    }
    opened.forEach(CompletableFuture::join);
  }

  /** A disk that fails takes its own directory offline, not the node. */
  private void openUnlessItFails(LogDirectory directory, ClusterView view) {
    try {
      open(directory, view);
    } catch (KafkaStorageException failure) {
      LOG.atError().addKeyValue("path", directory.path()).setCause(failure).log("cannot be opened");
    }
  }

  private void open(LogDirectory directory, ClusterView view) {
    Map<TopicIdPartition, PartitionLog> logs = directory.openAll(view::logConfig);
    logs.forEach(
        (id, log) -> {
          long mark =
              home.highWatermark(directory, id.topicPartition()).orElse(log.logStartOffset());
          Partition partition = new Partition(log, mark, runtime);
          Partition other = hosted.putIfAbsent(id.topicPartition(), partition);
          if (other != null) {
            LOG.atError()
                .addKeyValue("partition", id)
                .addKeyValue("path", log.path())
                .log("has a second log, which is left alone");
          }
        });
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
  }
}
