package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.replay.Replay.TimestampedOffset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Invariant 7 over hot log and tier as one: timestamps in no order, segments of all sizes, seam and
 * log start anywhere, the tier reaching beyond the seam.
 */
class LookupPropertyTest {
  @TempDir Path dir;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void theFirstRecordIsFoundWhereverItLies(long seed) {
    Random random = new Random(seed);
    List<TimestampedOffset> all = new ArrayList<>();
    try (Rig rig = new Rig()) {
      rig.config.put(
          LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, Integer.toString(200 + random.nextInt(900)));
      Partition partition = rig.start(dir).lead(0);
      append(partition, rig, all, random, 300);
      // What is older than the seam lies in the tier alone, and some of what is younger too.
      long seam = random.nextInt(300);
      long tierEnd = seam + random.nextInt(300 - (int) seam);
      List<TimestampedOffset> young = all.stream().filter(r -> r.offset() >= seam).toList();
      partition.log().truncateFullyAndStartAt(seam, 0);
      young.forEach(r -> write(partition, r.timestampMs()));
      long start = random.nextInt((int) seam + 1);
      partition.log().advanceLogStart(start);
      rig.history.oracle = all.stream().filter(r -> r.offset() < tierEnd).toList();
      for (int i = 0; i < 200; i++) {
        long asked = rig.nowMs + random.nextInt(1_100);
        Optional<TimestampedOffset> expected =
            all.stream().filter(r -> r.offset() >= start && r.timestampMs() >= asked).findFirst();
        assertThat(find(partition, asked))
            .as("%s, start %s, seam %s", asked, start, seam)
            .isEqualTo(expected.map(r -> found(partition, r)).orElse(FoundOffset.NONE));
      }
      TimestampedOffset latest =
          all.stream()
              .filter(r -> r.offset() >= start)
              .max(
                  Comparator.comparingLong(TimestampedOffset::timestampMs)
                      .thenComparing(
                          Comparator.comparingLong(TimestampedOffset::offset).reversed()))
              .orElseThrow();
      assertThat(find(partition, ListOffsetsRequest.MAX_TIMESTAMP))
          .isEqualTo(found(partition, latest));
    }
  }

  private static void append(
      Partition partition, Rig rig, List<TimestampedOffset> all, Random random, int records) {
    for (int offset = 0; offset < records; offset++) {
      long timestamp = rig.nowMs + random.nextInt(1_000);
      all.add(new TimestampedOffset(offset, timestamp, partition.leaderEpoch()));
      write(partition, timestamp);
    }
  }

  private static void write(Partition partition, long timestampMs) {
    MemoryRecords records =
        MemoryRecords.withRecords(
            Compression.NONE, new SimpleRecord(timestampMs, null, new byte[10]));
    partition.append(records, (short) 1).written().join();
  }

  private static FoundOffset find(Partition partition, long asked) {
    return partition.offsetFor(asked, FetchIsolation.HIGH_WATERMARK, OptionalInt.empty()).join();
  }

  private static FoundOffset found(Partition partition, TimestampedOffset record) {
    return new FoundOffset(
        record.offset(), record.timestampMs(), OptionalInt.of(partition.leaderEpoch()));
  }
}
