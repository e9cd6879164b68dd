package io.strandline.bench.jmh;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.Appended;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.disk.NioDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A leader's append of one client batch, checked and written to the page cache. A log a second, so
 * that the disk does not fill; the batch is not of an idempotent producer.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class AppendPath {
  private static final TopicIdPartition PARTITION =
      new TopicIdPartition(new Uuid(1, 2), 0, "bench");

  /** Length of the batch. */
  @Param({"1024", "65536"})
  public int batchBytes;

  private @Nullable Open open;

  /** What one iteration appends to. */
  private record Open(
      Path dir,
      LogDirectory directory,
      PartitionLog log,
      ExecutorService executor,
      ScheduledExecutorService timer,
      MemoryRecords batch) {}

  @Setup(Level.Iteration)
  public void openLog() throws IOException {
    Path dir = Files.createTempDirectory("append");
    ExecutorService executor = Executors.newSingleThreadExecutor();
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    LogDirectory directory =
        LogDirectory.open(
            dir,
            new LogRuntime(
                new NioDisk(),
                InstantSource.system(),
                RandomGeneratorFactory.of("L64X128MixRandom").create(1),
                executor,
                timer,
                new SimpleMeterRegistry(),
                LogSettings.defaults()));
    PartitionLog log = directory.create(PARTITION, new LogConfig(Map.of()));
    open = new Open(dir, directory, log, executor, timer, ClientBatch.of(0, batchBytes));
  }

  @TearDown(Level.Iteration)
  public void removeLog() throws IOException {
    Open last = opened();
    last.directory().close();
    last.executor().shutdownNow();
    last.timer().shutdownNow();
    try (Stream<Path> files = Files.walk(last.dir())) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  @Benchmark
  public Appended append() {
    Open to = opened();
    to.batch().buffer().putLong(0, 0); // the last append wrote its offset there
    return to.log().appendAsLeader(to.batch(), 0, AppendOrigin.CLIENT, System.currentTimeMillis());
  }

  private Open opened() {
    Open now = open;
    if (now == null) {
      throw new IllegalStateException("no log is open");
    }
    return now;
  }
}
