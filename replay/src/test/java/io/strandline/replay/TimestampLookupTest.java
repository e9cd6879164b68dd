package io.strandline.replay;

import static io.strandline.replay.TestTier.CHUNK;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.replay.Replay.TimestampedOffset;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Invariant 7 in the tier: timestamps in no order, offsets that compaction took out, a start within
 * a segment.
 */
class TimestampLookupTest {
  @TempDir Path dir;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void whatIsFoundIsWhatAWalkOverAllRecordsFinds(long seed) {
    Random random = new Random(seed);
    try (TestTier tier =
        new TestTier(dir, seed, Runnable::run, TestTier.small(8 << 20), 4L << 20)) {
      tier.gaps((int) (seed % 3) * 5);
      tier.disorder(seed % 2 == 0 ? 5_000 : 20);
      for (int i = 0; i < 7; i++) {
        tier.segment((1 + random.nextInt(3)) * CHUNK, 600);
      }
      long end = tier.endOffset();
      tier.writer.advanceStart(random.nextInt((int) end / 2)).join();
      Replay replay = tier.newReplay();
      for (int i = 0; i < 150; i++) {
        long from = Math.max(tier.writer.view().startOffset(), random.nextInt((int) end));
        long timestamp = 999_990L + random.nextInt((int) end / 2 + 5_500);
        List<TimestampedOffset> there = records(tier, from).toList();
        assertThat(replay.firstReaching(tier.partition, from, end, timestamp).join())
            .as("at %s from %s", timestamp, from)
            .isEqualTo(there.stream().filter(r -> r.timestampMs() >= timestamp).findFirst());
        assertThat(replay.latest(tier.partition, from, end, timestamp).join())
            .as("latest from %s, %s or more", from, timestamp)
            .isEqualTo(latest(there).filter(r -> r.timestampMs() >= timestamp));
      }
      replay.close();
    }
  }

  @Test
  void theLargestTimestampThereCanBeIsFound() {
    try (TestTier tier = new TestTier(dir, 1, Runnable::run, TestTier.small(8 << 20), 4L << 20)) {
      tier.segment(2 * CHUNK, 600);
      tier.stamp(Long.MAX_VALUE);
      tier.segment(2 * CHUNK, 600);
      long end = tier.endOffset();
      Optional<TimestampedOffset> largest = latest(records(tier, 0).toList());
      assertThat(largest).hasValueSatisfying(r -> assertThat(r.timestampMs()).isPositive());
      for (long wanted : new long[] {0, 1_000_000, Long.MAX_VALUE}) {
        assertThat(tier.replay.latest(tier.partition, 0, end, wanted).join()).isEqualTo(largest);
      }
      assertThat(tier.replay.firstReaching(tier.partition, 0, end, Long.MAX_VALUE).join())
          .isEqualTo(largest);
    }
  }

  private static Stream<TimestampedOffset> records(TestTier tier, long from) {
    return tier.origin.stream()
        .flatMap(
            batch ->
                IntStream.range(0, batch.timestamps().size())
                    .mapToObj(
                        i ->
                            new TimestampedOffset(
                                batch.baseOffset() + i, batch.timestamps().get(i), 7)))
        .filter(record -> record.offset() >= from);
  }

  private static Optional<TimestampedOffset> latest(List<TimestampedOffset> records) {
    return records.stream()
        .max(
            Comparator.comparingLong(TimestampedOffset::timestampMs)
                .thenComparing(Comparator.comparingLong(TimestampedOffset::offset).reversed()));
  }
}
