package io.strandline.tests.fuzz;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.disk.NioDisk;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/** A log of a few segments with producers, an aborted transaction and two leader epochs. */
final class SmallLog {
  static final TopicIdPartition PARTITION = new TopicIdPartition(new Uuid(7, 9), 0, "orders");
  static final long NOW_MS = 1_700_000_000_000L;

  private SmallLog() {}

  static LogConfig config() {
    return new LogConfig(
        Map.of(
            TopicConfig.INDEX_INTERVAL_BYTES_CONFIG, "100",
            LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, "700"));
  }

  static LogDirectory directory(Path path) {
    return LogDirectory.open(
        path,
        new LogRuntime(
            unforced(Disk.class, new NioDisk()),
            InstantSource.fixed(Instant.ofEpochMilli(NOW_MS)),
            new Random(1),
            Runnable::run,
            atOnceOrNever(),
            new SimpleMeterRegistry(),
            LogSettings.defaults()));
  }

  static void write(Path path, boolean clean) throws IOException {
    Files.createDirectories(path);
    LogDirectory directory = directory(path);
    PartitionLog log = directory.create(PARTITION, config());
    for (int i = 0; i < 12; i++) {
      log.assignEpoch(1 + i / 6, log.logEndOffset());
      append(log, i);
      if (i % 4 == 1) {
        transaction(log, i % 8 == 1);
      }
    }
    log.flush();
    if (clean) {
      directory.close(3);
    } else {
      directory.close();
    }
  }

  /** A batch of three records. */
  static void append(PartitionLog log, long what) {
    SimpleRecord[] records = new SimpleRecord[3];
    for (int i = 0; i < records.length; i++) {
      records[i] =
          new SimpleRecord(
              NOW_MS + what, ("value-" + what + "-" + i).getBytes(StandardCharsets.UTF_8));
    }
    log.appendAsLeader(
        MemoryRecords.withRecords(Compression.NONE, records),
        log.latestEpoch().orElse(1),
        AppendOrigin.CLIENT,
        NOW_MS);
  }

  private static void transaction(PartitionLog log, boolean abort) {
    int epoch = log.latestEpoch().orElse(1);
    long producer = log.logEndOffset();
    VerificationGuard guard = log.beginVerification(producer, 0, (short) 0, false);
    log.appendAsLeader(
        MemoryRecords.withTransactionalRecords(
            Compression.NONE,
            producer,
            (short) 0,
            0,
            new SimpleRecord(NOW_MS, "in doubt".getBytes(StandardCharsets.UTF_8))),
        new PartitionLog.AppendTerms(epoch, AppendOrigin.CLIENT, guard, (short) -1),
        NOW_MS);
    log.appendAsLeader(
        MemoryRecords.withEndTransactionMarker(
            NOW_MS,
            producer,
            (short) 0,
            new EndTransactionMarker(
                abort ? ControlRecordType.ABORT : ControlRecordType.COMMIT, 0)),
        new PartitionLog.AppendTerms(
            epoch, AppendOrigin.COORDINATOR, VerificationGuard.SENTINEL, (short) 0),
        NOW_MS);
  }

  /** Nothing here ends with the power, and forcing is what takes the time. */
  private static <T> T unforced(Class<T> port, T behind) {
    return port.cast(
        Proxy.newProxyInstance(
            port.getClassLoader(),
            new Class<?>[] {port},
            (proxy, method, arguments) -> {
              if (method.getName().startsWith("force")) {
                return null;
              }
              try {
                Object result = method.invoke(behind, arguments);
                return result instanceof Disk.File file ? unforced(Disk.File.class, file) : result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  /** Runs what is due at once, forgets what is due later. */
  private static ScheduledExecutorService atOnceOrNever() {
    return (ScheduledExecutorService)
        Proxy.newProxyInstance(
            SmallLog.class.getClassLoader(),
            new Class<?>[] {ScheduledExecutorService.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("schedule")
                  && arguments[0] instanceof Runnable task
                  && arguments[1].equals(0L)) {
                task.run();
              }
              return null;
            });
  }
}
