package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.log.Appended;
import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog.AppendTerms;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many threads at one partition: who is acknowledged is in the log, once, in order, densely. */
class AppendStressTest {
  private static final int WRITERS = 6;
  private static final int APPENDS = 400;

  @TempDir Path dir;
  private final Rig rig = new Rig();
  private final ExecutorService clients = Executors.newCachedThreadPool();
  private final ExecutorService writes = Executors.newFixedThreadPool(2);

  @AfterEach
  void stop() throws InterruptedException {
    clients.shutdownNow();
    writes.shutdown();
    assertThat(writes.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
    rig.close();
  }

  @Test
  @Timeout(60)
  void offsetsAreDenseAndEachWritersRecordsKeepTheirOrder() throws Exception {
    rig.writes = writes;
    rig.config.put(LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, "20000"); // rolls leave the inline path
    rig.start(dir);
    Partition partition = rig.lead(0);
    while (!partition.leads()) { // it takes its role on a thread of the pool
      Thread.onSpinWait();
    }
    Map<Long, String> acknowledged = new ConcurrentHashMap<>();
    List<Long> marks = new ArrayList<>();
    assertThat(partition.listen(marks::add)).isTrue();

    List<Future<?>> all = new ArrayList<>();
    for (int writer = 0; writer < WRITERS; writer++) {
      String name = "w" + writer;
      boolean coordinator = writer == 0;
      all.add(clients.submit(() -> write(partition, name, coordinator, acknowledged)));
    }
    List<Future<List<String>>> readers =
        List.of(clients.submit(() -> readAll(partition)), clients.submit(() -> readAll(partition)));
    for (Future<?> one : all) {
      one.get();
    }

    assertThat(partition.logEndOffset()).isEqualTo(WRITERS * APPENDS);
    assertThat(acknowledged).hasSize(WRITERS * APPENDS);
    for (Future<List<String>> reader : readers) {
      List<String> read = reader.get();
      for (int i = 0; i < read.size(); i++) {
        assertThat(read.get(i)).as("offset %s", i).isEqualTo(acknowledged.get((long) i));
      }
      for (int writer = 0; writer < WRITERS; writer++) {
        String name = "w" + writer + ":";
        assertThat(read.stream().filter(v -> v.startsWith(name))).hasSize(APPENDS).isSorted();
      }
    }
    assertThat(marks).isSorted().doesNotHaveDuplicates().endsWith((long) WRITERS * APPENDS);
  }

  private void write(
      Partition partition, String name, boolean coordinator, Map<Long, String> acknowledged) {
    for (int i = 0; i < APPENDS; i++) {
      String value = String.format("%s:%05d", name, i);
      Appended appended =
          coordinator
              ? partition.appendNow(
                  rig.records(value), AppendTerms.of(-1, AppendOrigin.COORDINATOR))
              : partition.append(rig.records(value), (short) -1).acknowledged().join();
      acknowledged.put(appended.firstOffset(), value);
    }
  }

  /** Reads as consumers do, each record as soon as it is below the high watermark. */
  private List<String> readAll(Partition partition) {
    List<String> values = new ArrayList<>();
    while (values.size() < WRITERS * APPENDS && !Thread.currentThread().isInterrupted()) {
      long mark = partition.highWatermark();
      try (LogRead read = partition.log().read(values.size(), 4096, mark, true)) {
        assertThat(read.nextOffset()).isLessThanOrEqualTo(mark);
        for (RecordBatch batch : read.toMemory().batches()) {
          for (Record record : batch) {
            assertThat(record.offset()).isEqualTo(values.size());
            values.add(StandardCharsets.UTF_8.decode(record.value()).toString());
          }
        }
      }
      Thread.onSpinWait();
    }
    return values;
  }
}
