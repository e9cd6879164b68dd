package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A follower copies a log in which compaction left holes that are wider than what a segment tells
 * offsets in. Its topic need not be a compacted one any more.
 */
class WideHolesTest {
  private static final long FAR = 3_000_000_000L;

  private final Logs logs;

  WideHolesTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d"));
  }

  @Test
  void theFirstBatchBeginsFarAboveTheLogsEnd() {
    PartitionLog log = logs.create();
    List<String> expected = expected();
    log.appendAsFollower(joined(batches()), 0);
    assertThat(Logs.read(log, 0)).isEqualTo(expected);
    assertThat(log.logStartOffset()).isZero();
    log = logs.crash(log);
    assertAllThere(log, expected);
    log = logs.restart(log);
    assertAllThere(log, expected);
    logs.append(log, Compression.NONE, 1, "more");
    assertThat(Logs.read(log, FAR + 8)).containsExactly(FAR + 8 + "=more");
  }

  @Test
  void aRecordAtTheBeginningIsFarBelowTheNext() {
    PartitionLog log = logs.create();
    List<String> expected = new ArrayList<>(List.of("0=first"));
    expected.addAll(expected());
    log.appendAsFollower(batch(0, "first"), 0);
    log.appendAsFollower(joined(batches()), 0);
    assertAllThere(log, expected);
    log = logs.crash(log);
    assertAllThere(log, expected);
    assertAllThere(logs.restart(log), expected);
  }

  /** What no segment can hold beside the first batch is left to be asked for again. */
  @Test
  void oneAnswerHasBatchesOnEitherSideOfTheHole() {
    PartitionLog log = logs.create();
    List<MemoryRecords> all = new ArrayList<>(List.of(batch(0, "first")));
    all.addAll(batches());
    assertThat(log.appendAsFollower(joined(all), 0).lastOffset()).isZero();
    assertThat(log.logEndOffset()).isEqualTo(1);
    log.appendAsFollower(joined(all.subList(1, all.size())), 0);
    List<String> expected = new ArrayList<>(List.of("0=first"));
    expected.addAll(expected());
    assertAllThere(logs.crash(log), expected);
  }

  @Test
  void aCutWithinTheHoleIsFilledAnew() {
    logs.with(TopicConfig.CLEANUP_POLICY_CONFIG, "compact");
    PartitionLog log = logs.create();
    log.appendAsFollower(batch(0, "first"), 0);
    log.appendAsFollower(joined(batches()), 0);
    log.truncateTo(FAR / 2);
    assertThat(Logs.read(log, 0)).containsExactly("0=first");
    log.appendAsFollower(joined(batches()), 0);
    List<String> expected = new ArrayList<>(List.of("0=first"));
    expected.addAll(expected());
    assertAllThere(logs.crash(log), expected);
  }

  private void assertAllThere(PartitionLog log, List<String> expected) {
    assertThat(log.logEndOffset()).isEqualTo(FAR + 8);
    assertThat(Logs.read(log, 0)).isEqualTo(expected);
    assertThat(Logs.read(log, FAR)).isEqualTo(expected());
    assertThat(Logs.read(log, FAR + 5)).isEqualTo(expected().subList(5, 8));
    assertThat(log.firstReaching(logs.nowMs + 3, Long.MAX_VALUE))
        .hasValueSatisfying(found -> assertThat(found.offset()).isEqualTo(FAR + 3));
  }

  /** Of 1 KiB, each a millisecond later. */
  private List<MemoryRecords> batches() {
    List<MemoryRecords> batches = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      batches.add(batch(FAR + i, value(i)));
    }
    return batches;
  }

  private static List<String> expected() {
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      expected.add(FAR + i + "=" + value(i));
    }
    return expected;
  }

  private static String value(int i) {
    return i + "x".repeat(1000);
  }

  private MemoryRecords batch(long offset, String value) {
    long timeMs = logs.nowMs + Math.max(0, offset - FAR);
    return MemoryRecords.withRecords(
        offset, Compression.NONE, 0, new SimpleRecord(timeMs, null, Logs.bytes(value)));
  }

  private static MemoryRecords joined(List<MemoryRecords> batches) {
    int size = batches.stream().mapToInt(MemoryRecords::sizeInBytes).sum();
    ByteBuffer bytes = ByteBuffer.allocate(size);
    batches.forEach(batch -> bytes.put(batch.buffer().duplicate()));
    return MemoryRecords.readableRecords(bytes.flip());
  }
}
