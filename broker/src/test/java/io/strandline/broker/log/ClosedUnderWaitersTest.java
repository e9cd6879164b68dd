package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.log.segment.LogFiles;
import io.strandline.broker.log.segment.LogSegment;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A log is closed while somebody waits for its lock who has found it open. */
class ClosedUnderWaitersTest {
  private final Logs logs;
  private final Logs there;
  private final FailingDisk disk = new FailingDisk();

  ClosedUnderWaitersTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d")).with(TopicConfig.SEGMENT_MS_CONFIG, 1000);
    logs.disk = disk;
    there = new Logs(temp.resolve("there"));
  }

  @Test
  void housekeepingDoesNotRollALogThatMovedAwayAndGoesOnWithTheOthers() throws Exception {
    PartitionLog log = logs.create();
    LogDirectory from = log.directory();
    logs.append(log, "a");
    List<PartitionLog> others = new ArrayList<>();
    for (int i = 1; i < 9; i++) {
      TopicIdPartition name = new TopicIdPartition(Logs.TP.topicId(), i, Logs.TP.topic());
      others.add(from.create(name, logs.logConfig()));
      logs.append(others.get(others.size() - 1), "b");
    }
    LogMove move = copied(log);
    FutureTask<?> round;
    LogState left = log.parts().state();
    synchronized (left.sealing) {
      synchronized (left.lock) {
        round = waiting(() -> from.maintain(logs.nowMs + 5000));
        assertThat(move.finish()).isTrue();
        logs.append(log, "c");
      }
    }
    round.get(30, TimeUnit.SECONDS);

    assertThat(segmentsIn(left.path)).hasSize(1);
    assertThat(log.parts().state().producers.mapEndOffset()).isEqualTo(2);
    assertThat(others).allMatch(other -> other.segmentCount() == 2);
    assertThat(from.online()).isTrue();
  }

  @Test
  void aFlushOfALogThatMovesAwayEndsWhereItLiesThen() throws Exception {
    PartitionLog log = logs.create();
    logs.append(log, "a");
    LogMove move = copied(log);
    FutureTask<?> flush;
    LogState left = log.parts().state();
    synchronized (left.sealing) {
      synchronized (left.lock) {
        flush = waiting(log::flush);
        assertThat(move.finish()).isTrue();
        logs.append(log, "b");
      }
    }
    flush.get(30, TimeUnit.SECONDS);
    assertThat(log.recoveryPoint()).isEqualTo(2);
    assertThat(disk.openFiles).as("where it lay").isEmpty();
  }

  @Test
  void noSegmentOfALogThatIsDeletedIsFreedOnceMore() throws Exception {
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, "value" + i);
    }
    LogDirectory directory = log.directory();
    LogState state = log.parts().state();
    LogSegment first = state.segments.firstEntry().getValue();
    FutureTask<?> freeing;
    synchronized (state.sealing) {
      synchronized (state.lock) {
        freeing = waiting(() -> log.releaseOldestTiered(12));
        directory.delete(log);
      }
    }
    assertThatThrownBy(() -> freeing.get(30, TimeUnit.SECONDS))
        .hasCauseInstanceOf(KafkaStorageException.class)
        .hasMessageContaining("is closed");
    assertThat(directory.goingBytes()).isZero();
    assertThat(first.retain()).isFalse();
    assertThat(directory.online()).isTrue();
  }

  private LogMove copied(PartitionLog log) {
    LogMove move = there.directory().move(log);
    long copied = 1;
    while (copied > 0) {
      copied = move.copy(Long.MAX_VALUE);
    }
    return move;
  }

  /** Under way, as far as to a lock that the caller has. */
  private static FutureTask<?> waiting(Runnable step) {
    FutureTask<?> task = new FutureTask<>(step, true);
    Thread thread = new Thread(task, "waiting");
    thread.setDaemon(true);
    thread.start();
    while (thread.getState() != Thread.State.BLOCKED) {
      assertThat(task.isDone()).as("did not wait").isFalse();
      Thread.onSpinWait();
    }
    return task;
  }

  private static List<Path> segmentsIn(Path directory) throws IOException {
    return new NioDisk()
        .list(directory).stream().filter(file -> LogFiles.is(file, LogFiles.LOG)).toList();
  }
}
