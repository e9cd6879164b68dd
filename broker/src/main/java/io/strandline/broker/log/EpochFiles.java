package io.strandline.broker.log;

import io.strandline.broker.log.disk.DirectoryHealth;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.checkpoint.LeaderEpochCheckpointFile;
import org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;

/** Opens Kafka's {@code leader-epoch-checkpoint} of a log on our executors. */
final class EpochFiles {
  private final Scheduler scheduler;

  /** Failures reach us as exceptions; what Kafka's channel would tell is not listened to. */
  private final LogDirFailureChannel unheard = new LogDirFailureChannel(1);

  EpochFiles(LogRuntime runtime, DirectoryHealth health) {
    this.scheduler = new Later(runtime, health);
  }

  LeaderEpochFileCache open(TopicPartition partition, Path logPath) throws IOException {
    try {
      return new LeaderEpochFileCache(
          partition,
          new LeaderEpochCheckpointFile(
              LeaderEpochCheckpointFile.newFile(logPath.toFile()), unheard),
          scheduler);
    } catch (IllegalArgumentException e) {
      throw new KafkaStorageException("malformed leader epochs in " + logPath, e);
    }
  }

  /** Kafka's cache writes after a truncation by a task of its own. */
  private record Later(LogRuntime runtime, DirectoryHealth health) implements Scheduler {
    @Override
    public void startup() {}

    @Override
    public void shutdown() {}

    @Override
    public ScheduledFuture<?> schedule(String name, Runnable task, long delayMs, long periodMs) {
      return runtime
          .scheduler()
          .schedule(
              () -> runtime.executor().execute(() -> write(name, task)),
              delayMs,
              TimeUnit.MILLISECONDS);
    }

    private void write(String name, Runnable task) {
      try {
        task.run();
      } catch (KafkaStorageException e) {
        health.failed(name, e);
      }
    }

    @Override
    public void resizeThreadPool(int newSize) {}
  }
}
