package io.strandline.tiering.rewrite;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class MergeRuleTest {
  private static final TopicIdPartition PARTITION =
      new TopicIdPartition(new Uuid(1, 2), 0, "trips");
  private static final long TARGET = 64L << 20;
  private static final long SMALLEST = 4 << 10;

  /** From 4 KiB to 64 MiB a byte's segment can grow eightfold so often. */
  private static final int GROWTHS =
      (int) Math.ceil(Math.log((double) TARGET / SMALLEST) / Math.log(MergeRule.GAIN));

  private final MergeRule rule = new MergeRule(TARGET, Long.MAX_VALUE, entry -> true);

  private static SegmentEntry entry(long base, long end, long bytes, long timestampMs) {
    return new SegmentEntry(
        "cluster",
        PARTITION,
        SegmentId.of(PARTITION, base, bytes).key(),
        0,
        bytes,
        bytes - 200,
        136,
        0,
        base,
        end,
        timestampMs,
        0,
        false);
  }

  /** What came of merging, and how many bytes were written for it. */
  private static final class History {
    private final MergeRule rule;
    final List<SegmentEntry> segments = new ArrayList<>();
    long bytesIn;
    long bytesWritten;

    History(MergeRule rule) {
      this.rule = rule;
    }

    void add(long bytes) {
      long base = segments.size() == 0 ? 0 : segments.get(segments.size() - 1).endOffset();
      segments.add(entry(base, base + 10, bytes, base));
      bytesIn += bytes;
      for (Optional<List<SegmentEntry>> run = rule.choose(segments);
          run.isPresent();
          run = rule.choose(segments)) {
        merge(run.get());
      }
    }

    private void merge(List<SegmentEntry> run) {
      int at = segments.indexOf(run.get(0));
      long bytes = run.stream().mapToLong(SegmentEntry::lengthBytes).sum();
      long base = run.get(0).baseOffset();
      long end = run.get(run.size() - 1).endOffset();
      assertThat(run).hasSizeGreaterThan(1);
      assertThat(bytes).isLessThanOrEqualTo(TARGET);
      segments.subList(at, at + run.size()).clear();
      segments.add(at, entry(base, end, bytes, end));
      bytesWritten += bytes;
    }
  }

  @Property(tries = 100)
  void aByteIsRewrittenOnceForEachTimeItsSegmentGrowsEightfold(
      @ForAll long seed, @ForAll @LongRange(min = SMALLEST, max = TARGET) long largest) {
    Random random = new Random(seed);
    History history = new History(rule);
    for (int i = 0; i < 1500; i++) {
      history.add(SMALLEST + random.nextLong(random.nextLong(largest) + 1));
    }
    assertThat(history.bytesWritten).isLessThanOrEqualTo((GROWTHS + 1) * history.bytesIn);
  }

  @Test
  void manySmallSegmentsBecomeFew() {
    History history = new History(rule);
    for (int i = 0; i < 100_000; i++) {
      history.add(SMALLEST);
    }
    long full = history.bytesIn / TARGET;
    assertThat(history.segments).hasSizeLessThan((int) (2 * full + 8 * GROWTHS));
    assertThat((double) history.bytesWritten / history.bytesIn).isLessThan(GROWTHS + 1);
  }

  @Test
  void whatIsLongOrNobodysBusinessIsLeftAlone() {
    List<SegmentEntry> longOnes = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      longOnes.add(entry(10 * i, 10 * i + 10, TARGET / 2, i));
    }
    assertThat(rule.choose(longOnes)).isEmpty();
    List<SegmentEntry> small = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      small.add(entry(10 * i, 10 * i + 10, SMALLEST, i));
    }
    assertThat(rule.choose(small)).isPresent();
    assertThat(new MergeRule(TARGET, Long.MAX_VALUE, e -> false).choose(small)).isEmpty();
    assertThat(new MergeRule(TARGET, 5, e -> true).choose(small)).isEmpty();
  }
}
