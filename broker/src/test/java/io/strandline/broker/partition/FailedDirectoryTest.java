package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.strandline.broker.log.LogDirectory;
import io.strandline.tiering.compact.CompactionConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** A directory that failed stays so until the next start: nobody has to read of it for ever. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class FailedDirectoryTest {
  private static final int ROUNDS = 20;
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private final List<RuntimeException> thrown = new CopyOnWriteArrayList<>();

  @Test
  void itIsToldOnceAndNotEveryRound(@TempDir Path dir) throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger("io.strandline.broker");
    lines.start();
    try (Rig rig = new Rig()) {
      rig.settings =
          new PartitionSettings(
              1 << 20,
              1,
              0,
              0,
              () -> 0,
              0,
              CompactionConfig::defaults,
              1,
              () -> Long.MAX_VALUE,
              true);
      rig.writes =
          task -> {
            try {
              task.run();
            } catch (RuntimeException e) {
              thrown.add(e);
            }
          };
      CountDownLatch atRest = new CountDownLatch(1);
      rig.start(dir.resolve("a"), dir.resolve("b"));
      Partition partition = rig.lead(0);
      LogDirectory directory = partition.log().directory();
      assertThat(partition.append(rig.records("a"), (short) 1).written()).succeedsWithin(LIMIT);
      logger.addAppender(lines);
      Files.move(directory.path(), dir.resolve("gone"));
      assertThat(partition.step(partition.log()::roll)).failsWithin(LIMIT);
      assertThat(directory.online()).isFalse();
      int[] rounds = {0};
      rig.onLook =
          () -> {
            // Only of what is online is the room looked at, once a round.
            if (++rounds[0] == ROUNDS) {
              atRest.countDown();
            }
          };
      atRest.await();
      assertThat(rig.failed).as("the controller knows").containsExactly(Rig.directoryId(0));
      logger.detachAppender(lines);
    } finally {
      logger.detachAppender(lines);
    }
    assertThat(thrown).isEmpty();
    // A step or two may have been under way.
    assertThat(told()).containsOnlyOnce("log directory failed").hasSizeLessThan(ROUNDS / 2);
  }

  /** Messages an operator sees. */
  private List<String> told() {
    return List.copyOf(lines.list).stream()
        .filter(line -> line.getLevel().isGreaterOrEqual(Level.WARN))
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }
}
