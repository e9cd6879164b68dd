package io.strandline.broker.partition.keep;

import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PartitionRuntime;
import io.strandline.broker.partition.Tier;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has to be done now and then: flush, roll by age, checkpoints, retention of what is local.
 * One round at a time, on the executor of writes.
 */
public final class Housekeeping implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Housekeeping.class);

  /** A smaller active segment is not worth an object, however full the disk is. */
  private static final long CLOSED_BYTES_MIN = 1 << 20;

  /** How often followers free what local retention does not want. */
  private static final long RELEASE_MS = 5_000;

  private final PartitionRuntime runtime;
  private final Home home;
  private final Collection<Partition> hosted;
  private final Tier tier;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final AtomicBoolean relieving = new AtomicBoolean();

  /** Held by a round, so that closing can wait for the last. */
  private final Object rounds = new Object();

  private volatile @Nullable ScheduledFuture<?> ticks;
  private volatile boolean closed;
  private long checkpointedMs = Long.MIN_VALUE / 2; // the round's
  private long retainedMs;
  private long cleanedMs;
  private long releasedMs;
  private final Cleaning cleaning;
  private final FollowedBytes followed;
  private final AtomicBoolean cleaningNow = new AtomicBoolean();

  public Housekeeping(
      PartitionRuntime runtime, Home home, Collection<Partition> hosted, Tier tier) {
    this.runtime = runtime;
    this.home = home;
    this.hosted = hosted;
    this.tier = tier;
    this.followed = new FollowedBytes(hosted, tier);
    this.cleaning =
        new Cleaning(runtime.settings().cleaner(), runtime.clock(), runtime.meters(), tier);
  }

  public void start() {
    retainedMs = runtime.clock().millis();
    cleanedMs = retainedMs;
    long every = runtime.settings().maintainMs();
    ticks =
        runtime.scheduler().scheduleWithFixedDelay(this::tick, every, every, TimeUnit.MILLISECONDS);
  }

  /** A timer drops a task that throws, as an executor does that has no room. */
  private void tick() {
    if (!closed && busy.compareAndSet(false, true)) {
      try {
        runtime.writes().execute(this::round);
      } catch (RuntimeException | Error failure) {
        busy.set(false);
        LOG.atError().setCause(failure).log("housekeeping could not begin");
      }
    }
  }

  private void round() {
    try {
      synchronized (rounds) {
        if (!closed) {
          doWork(runtime.clock().millis());
        }
      }
    } catch (RuntimeException | Error failure) {
      LOG.atError().setCause(failure).log("a round of housekeeping failed");
    } finally {
      busy.set(false);
    }
  }

  /**
   * One round.
   *
   * @return number of things done
   */
  int doWork(long nowMs) {
    int done = 0;
    for (LogDirectory directory : home.directories()) {
      if (directory.online()) {
        done += carefully(() -> relieve(directory));
        done += carefully(() -> directory.maintain(nowMs));
      }
    }
    done += backUpInternal(nowMs);
    if (LogRuntime.passed(checkpointedMs, nowMs, runtime.settings().highWatermarkMs())) {
      checkpointedMs = nowMs;
      done +=
          carefully(
              () -> {
                home.checkpoint(hosted);
                return 1;
              });
    }
    if (LogRuntime.passed(retainedMs, nowMs, runtime.settings().retentionMs())) {
      retainedMs = nowMs;
      done += retain(nowMs);
    }
    if (LogRuntime.passed(releasedMs, nowMs, RELEASE_MS)) {
      releasedMs = nowMs;
      done +=
          carefully(
              () -> {
                followed.retain(nowMs);
                return 1;
              });
    }
    if (LogRuntime.passed(cleanedMs, nowMs, runtime.settings().cleanMs().getAsLong())
        && cleaningNow.compareAndSet(false, true)) {
      cleanedMs = nowMs;
      clean();
    }
    return done;
  }

  /**
   * What is mostly read elsewhere goes first, then the tier frees what it has of the others; where
   * nothing is left to upload either, segments are closed.
   */
  private int relieve(LogDirectory directory) {
    long wanted = runtime.space().look(directory);
    long bytes = wanted - (wanted > 0 ? followed.relieve(directory, wanted) : 0);
    if (bytes <= 0 || !relieving.compareAndSet(false, true)) {
      return wanted > bytes ? 1 : 0;
    }
    Set<TopicIdPartition> there =
        hosted.stream()
            .filter(partition -> lies(partition, directory))
            .map(Partition::id)
            .collect(Collectors.toSet());
    var unused =
        CompletableFuture.completedFuture(bytes)
            .thenCompose(much -> tier.relieve(there::contains, much))
            .whenComplete(
                (relief, failure) -> {
                  relieving.set(false);
                  if (failure == null && relief.nothing()) {
                    closeLargest(directory, bytes);
                  }
                });
    return 1;
  }

  private static boolean lies(Partition partition, LogDirectory directory) {
    return partition.log().directory() == directory;
  }

  private void closeLargest(LogDirectory directory, long bytes) {
    List<Partition> open =
        hosted.stream()
            .filter(p -> lies(p, directory) && p.leads() && tier.holds(p))
            .filter(p -> !Topic.isInternal(p.id().topic()))
            .filter(p -> p.log().activeSegmentBytes() >= CLOSED_BYTES_MIN)
            .sorted(Comparator.comparingLong(p -> -p.log().activeSegmentBytes()))
            .toList();
    long left = bytes;
    for (Partition partition : open) {
      if (left <= 0) {
        return;
      }
      left -= partition.log().activeSegmentBytes();
      var unused = partition.step(partition.log()::roll);
    }
  }

  /**
   * Internal topics fill their segments slowly, and only what is sealed goes to the tier: a cluster
   * that has nothing else left is to know its groups' offsets.
   */
  private int backUpInternal(long nowMs) {
    long ageMs = runtime.settings().internalBackupMs();
    int asked = 0;
    for (Partition partition : hosted) {
      if (ageMs > 0
          && Topic.isInternal(partition.id().topic())
          && partition.leads()
          && tier.holds(partition)
          && partition.logEndOffset() > partition.log().activeSegmentBaseOffset()) {
        var unused = partition.step(() -> partition.log().rollIfOlder(ageMs, nowMs));
        asked++;
      }
    }
    return asked;
  }

  private void clean() {
    try {
      runtime.cleaner().execute(this::cleanNow);
    } catch (RuntimeException | Error failure) {
      cleaningNow.set(false);
      throw failure;
    }
  }

  /** Compaction takes long and never holds up a round: it has its own thread. */
  private void cleanNow() {
    try {
      cleaning.doWork(hosted);
    } finally {
      cleaningNow.set(false);
    }
  }

  private int retain(long nowMs) {
    int asked = 0;
    for (Partition partition : hosted) {
      // A directory that failed was told of once; a failed step each round would tell it for ever.
      if (partition.config().delete && partition.log().directory().online()) {
        var unused =
            partition.step(() -> partition.log().deleteExpired(nowMs, partition.highWatermark()));
        asked++;
      }
    }
    return asked;
  }

  private interface Work {
    int run();
  }

  /** A disk that fails is reported by its directory; the round goes on with the others. */
  private static int carefully(Work work) {
    try {
      return work.run();
    } catch (KafkaStorageException failure) {
      LOG.atWarn().setCause(failure).log("housekeeping failed");
    } catch (RuntimeException | Error failure) {
      LOG.atError().setCause(failure).log("housekeeping failed");
    }
    return 0;
  }

  /** Waits for a round that is under way: the directories are closed next. */
  @Override
  public void close() {
    ScheduledFuture<?> running = ticks;
    if (running != null) {
      running.cancel(false);
    }
    synchronized (rounds) {
      closed = true;
    }
  }
}
