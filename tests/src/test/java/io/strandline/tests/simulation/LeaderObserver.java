package io.strandline.tests.simulation;

import io.strandline.broker.partition.HighWatermarkListener;
import io.strandline.broker.partition.Partition;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Watches one life of a broker: what it commits while it leads, and what it holds now and then. */
final class LeaderObserver {
  private final BrokerLife life;
  private final ReplicationWorld world;
  private @Nullable Partition last;
  private long highWatermark;
  private long logStart;
  private int leaderEpoch;
  private long stableOffset;

  LeaderObserver(BrokerLife life, ReplicationWorld world) {
    this.life = life;
    this.world = world;
  }

  void begin() {
    again();
  }

  private void again() {
    var unused =
        life.process.schedule(
            () -> {
              world.guard(life.disk, this::look);
              again();
            },
            world.slowly(300 + world.random.nextInt(1_500)),
            TimeUnit.MILLISECONDS);
  }

  /** It leads in a new epoch: what it commits from now on is known at the instant it does. */
  void leads(Partition partition) {
    HighWatermarkListener listener = mark -> committed(partition);
    if (partition.listen(listener)) {
      committed(partition);
    }
  }

  private void committed(Partition partition) {
    world.guard(life.disk, () -> world.checks.committed(partition));
  }

  /** Everything its replica holds. */
  void look() {
    life.partition()
        .ifPresent(
            partition -> {
              notBack(partition);
              world.checks.replica(life, partition);
            });
  }

  /** Offsets that only rise while one process has one replica. */
  void notBack(Partition partition) {
    if (leaderEpoch != partition.leaderEpoch() || !partition.leads()) {
      leaderEpoch = partition.leaderEpoch();
      stableOffset = 0; // who follows may cut a marker off
    }
    if (last != partition) {
      last = partition;
      highWatermark = 0;
      logStart = 0;
      stableOffset = 0;
    }
    if (partition.highWatermark() < highWatermark) {
      throw new AssertionError(
          "NeverBack: the high watermark of "
              + life.id
              + " fell from "
              + highWatermark
              + " to "
              + partition.highWatermark());
    }
    if (partition.logStartOffset() < logStart) {
      throw new AssertionError(
          "NeverBack: the log start of "
              + life.id
              + " fell from "
              + logStart
              + " to "
              + partition.logStartOffset());
    }
    long stable = partition.lastStableOffset();
    if (stable < stableOffset) {
      throw new AssertionError(
          "NeverBack: the last stable offset of "
              + life.id
              + " fell from "
              + stableOffset
              + " to "
              + stable);
    }
    stableOffset = stable;
    highWatermark = partition.highWatermark();
    logStart = partition.logStartOffset();
  }
}
