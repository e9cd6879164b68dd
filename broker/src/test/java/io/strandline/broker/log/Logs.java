package io.strandline.broker.log;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.disk.NioDisk;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;

/** One log directory with one log, its clock and executors in the test's hand. */
final class Logs {
  static final TopicIdPartition TP = new TopicIdPartition(new Uuid(7, 9), 0, "orders");

  final Path path;
  final ManualScheduler scheduler = new ManualScheduler();
  final Map<String, String> config = new HashMap<>();
  Disk disk = new NioDisk();
  Executor executor = Runnable::run;
  LogSettings settings = LogSettings.defaults();
  long nowMs = 1_700_000_000_000L;

  Logs(Path path) {
    this.path = path;
    config.put(TopicConfig.INDEX_INTERVAL_BYTES_CONFIG, "0");
  }

  Logs with(String key, Object value) {
    config.put(key, String.valueOf(value));
    return this;
  }

  Logs segmentBytes(int bytes) {
    return with(LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, bytes);
  }

  LogConfig logConfig() {
    return new LogConfig(config);
  }

  LogDirectory directory() {
    return LogDirectory.open(path, runtime());
  }

  LogRuntime runtime() {
    return new LogRuntime(
        disk,
        () -> Instant.ofEpochMilli(nowMs),
        new Random(1),
        executor,
        scheduler,
        new SimpleMeterRegistry(),
        settings);
  }

  PartitionLog create() {
    return directory().create(TP, logConfig());
  }

  PartitionLog reopen() {
    LogDirectory directory = directory();
    PartitionLog log = directory.openAll(topic -> logConfig()).get(TP);
    if (log == null) {
      throw new AssertionError("no log; refused: " + directory.unreadable());
    }
    return log;
  }

  /** The process ends without a word. */
  PartitionLog crash(PartitionLog log) {
    log.directory().close();
    return reopen();
  }

  PartitionLog restart(PartitionLog log) {
    log.directory().close(5);
    return reopen();
  }

  Appended append(PartitionLog log, String... values) {
    return append(log, Compression.NONE, 0, values);
  }

  Appended append(PartitionLog log, Compression codec, int epoch, String... values) {
    return log.appendAsLeader(records(codec, values), epoch, AppendOrigin.CLIENT, nowMs);
  }

  MemoryRecords records(Compression codec, String... values) {
    SimpleRecord[] records = new SimpleRecord[values.length];
    for (int i = 0; i < values.length; i++) {
      records[i] = new SimpleRecord(nowMs + i, bytes("k" + values[i]), bytes(values[i]));
    }
    return MemoryRecords.withRecords(codec, records);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Offset and value of every record that can be read from the offset on. */
  static List<String> read(PartitionLog log, long from) {
    List<String> read = new ArrayList<>();
    long offset = from;
    while (offset < log.logEndOffset()) {
      try (LogRead region = log.read(offset, 1 << 20, log.logEndOffset(), true)) {
        if (region.isEmpty()) {
          break;
        }
        for (Record record : region.toMemory().records()) {
          if (record.offset() >= from) {
            read.add(record.offset() + "=" + text(record.value()));
          }
        }
        offset = region.nextOffset();
      }
    }
    return read;
  }

  static String text(ByteBuffer value) {
    return StandardCharsets.UTF_8.decode(value.duplicate()).toString();
  }
}
