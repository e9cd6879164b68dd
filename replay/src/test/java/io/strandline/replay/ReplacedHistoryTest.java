package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.replay.TestTier.Origin;
import io.strandline.tiering.segment.SegmentEntry;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Readers while compaction puts segments in the place of those that they are reading. */
class ReplacedHistoryTest {
  private static final int CHUNK = TestTier.CHUNK;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  @SuppressWarnings("NullAway.Init")
  private TestTier tier;

  @BeforeEach
  void open() {
    tier = new TestTier(dir, 11, new SerialExecutor(), TestTier.small(96L * CHUNK), 192L * CHUNK);
  }

  @AfterEach
  void accountsBalance() {
    tier.close();
  }

  private ReplayRead read(long offset) {
    return tier.replay.read(tier.request(offset, 2 * CHUNK, "r")).join();
  }

  /** Batches of a read by their base offsets, each as it was first written. */
  private static List<Long> batches(ReplayRead read, Map<Long, Origin> written) {
    ByteBuffer bytes = ByteBuffer.wrap(TestTier.bytesOf(read));
    List<Long> offsets = new ArrayList<>();
    while (bytes.hasRemaining()) {
      Origin batch = written.get(bytes.getLong(bytes.position()));
      assertThat(bytes.slice(bytes.position(), batch.sizeBytes())).isEqualTo(batch.bytes());
      bytes.position(bytes.position() + batch.sizeBytes());
      offsets.add(batch.baseOffset());
    }
    return offsets;
  }

  /** A reader that stands within the second of four segments when they are replaced. */
  private void readOn(Runnable replacing, Runnable meanwhile) {
    for (int i = 0; i < 4; i++) {
      tier.segment(12 * CHUNK, 2000);
    }
    Map<Long, Origin> written = written();
    long offset = 0;
    while (offset <= tier.segments.get(1).baseOffset() + 20) {
      try (ReplayRead read = read(offset)) {
        offset = read.nextOffset();
      }
    }
    long from = offset;
    replacing.run();
    Set<Long> seen = new HashSet<>();
    while (offset < tier.endOffset()) {
      try (ReplayRead read = read(offset)) {
        List<Long> batches = batches(read, written);
        assertThat(batches).allMatch(base -> base >= from).noneMatch(seen::contains);
        seen.addAll(batches);
        assertThat(read.nextOffset()).isGreaterThan(offset);
        offset = read.nextOffset();
      }
      meanwhile.run();
    }
    assertThat(seen)
        .containsAll(
            tier.origin.stream().map(Origin::baseOffset).filter(base -> base >= from).toList());
  }

  /** Every third batch stays. */
  private void compact() {
    tier.replace(List.copyOf(tier.segments.subList(0, 3)), batch -> batch.baseOffset() % 3 == 0);
  }

  @Test
  void aReaderInTheMiddleGoesOnInTheOldObject() {
    readOn(this::compact, () -> {});
  }

  @Test
  void aReaderWhoseViewIsReadAfreshGoesOnAtItsOffsetInTheNewOne() {
    readOn(this::compact, () -> tier.nanos.addAndGet(TimeUnit.SECONDS.toNanos(3)));
  }

  @Test
  void aReaderWhoseOldObjectIsGoneGoesOnAtItsOffsetInTheNewOne() {
    readOn(
        () -> {
          List<SegmentEntry> old = List.copyOf(tier.segments.subList(0, 3));
          compact();
          tier.store.delete(old.stream().map(SegmentEntry::object).toList()).join();
        },
        () -> {});
  }

  @Test
  void aReaderPassesOverASegmentWithoutBatches() {
    for (int i = 0; i < 4; i++) {
      tier.segment(4 * CHUNK, 2000);
    }
    tier.replace(List.of(tier.segments.get(1)), batch -> false);
    tier.replace(List.of(tier.segments.get(2)), batch -> false);
    long empty = tier.segments.get(1).baseOffset();
    long after = tier.segments.get(3).baseOffset();
    for (long offset : new long[] {empty, empty + 1, after - 1, after}) {
      try (ReplayRead read = tier.replay.read(tier.request(offset, CHUNK, "r" + offset)).join()) {
        tier.check(offset, read);
        assertThat(read.sizeBytes()).isPositive();
      }
    }
    long offset = 0;
    while (offset < tier.endOffset()) {
      try (ReplayRead read = read(offset)) {
        tier.check(offset, read);
        assertThat(read.nextOffset()).isGreaterThan(offset);
        offset = read.nextOffset();
      }
    }
  }

  @Test
  void whoeverAsksWithinAnEmptyEndIsToldWhereItEnds() {
    tier.segment(4 * CHUNK, 2000);
    SegmentEntry last = tier.segment(4 * CHUNK, 2000);
    tier.replace(List.of(last), batch -> false);
    try (ReplayRead read = read(last.baseOffset() + 3)) {
      assertThat(read.sizeBytes()).isZero();
      assertThat(read.nextOffset()).isEqualTo(tier.endOffset());
    }
  }

  /** It stood in an old segment's empty end, and the new one began long before. */
  @Test
  void aTryThatIsRepeatedGoesOnWithinTheNewSegmentAndNotAtItsFirstByte() {
    for (int i = 0; i < 4; i++) {
      tier.segment(12 * CHUNK, 2000);
    }
    SegmentEntry second = tier.segments.get(1);
    long hole = tier.origin.get(tier.batchAt(second.endOffset() - 1)).baseOffset();
    SegmentEntry old = tier.replace(List.of(second), batch -> batch.baseOffset() != hole);
    tier.replay.read(tier.request(hole, CHUNK, "other")).join().close(); // its index is known
    tier.cache.forget(old.object().value());
    tier.store.down(true);
    assertThat(tier.replay.read(tier.request(hole, CHUNK, "r"))).isCompletedExceptionally();
    tier.store.down(false);
    SegmentEntry merged = tier.replace(List.copyOf(tier.segments.subList(0, 3)), batch -> true);
    tier.nanos.addAndGet(TimeUnit.SECONDS.toNanos(6)); // and the view is read afresh
    tier.store.gets.clear();
    try (ReplayRead read = tier.replay.read(tier.request(hole, CHUNK, "r")).join()) {
      List<Long> offsets = batches(read, written());
      assertThat(offsets).isNotEmpty().allMatch(base -> base >= old.endOffset());
    }
    assertThat(tier.store.gets)
        .filteredOn(get -> get.key().equals(merged.object()))
        .isNotEmpty()
        .allMatch(get -> get.positionBytes() >= 20 * CHUNK);
  }

  private Map<Long, Origin> written() {
    return tier.origin.stream().collect(Collectors.toMap(Origin::baseOffset, Function.identity()));
  }
}
