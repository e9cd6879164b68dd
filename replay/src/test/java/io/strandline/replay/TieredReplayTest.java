package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.strandline.replay.Replay.TimestampedOffset;
import io.strandline.replay.ReplayException.Kind;
import io.strandline.replay.fetch.FetchConfig;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.Payload;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TieredReplayTest {
  private static final int CHUNK = TestTier.CHUNK;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  @SuppressWarnings("NullAway.Init")
  private TestTier tier;

  @BeforeEach
  void open() {
    tier = tier(20260101);
  }

  @AfterEach
  void accountsBalance() {
    tier.close();
  }

  private TestTier tier(long seed) {
    return new TestTier(dir, seed, new SerialExecutor(), TestTier.small(96L * CHUNK), 192L * CHUNK);
  }

  private ReplayRead read(long offset, int maxBytes) {
    return tier.replay.read(tier.request(offset, maxBytes, "r")).join();
  }

  private ReplayException failsWith(Kind kind, long offset) {
    CompletableFuture<ReplayRead> read = tier.replay.read(tier.request(offset, CHUNK, "r"));
    assertThat(read).isDone();
    ReplayException told =
        catchThrowableOfType(CompletionException.class, read::join).getCause()
                instanceof ReplayException known
            ? known
            : null;
    assertThat(told).isNotNull();
    assertThat(told.kind()).isEqualTo(kind);
    return told;
  }

  /** Reads to the end as a consumer does; returns the number of reads. */
  private int readAll(long from, int maxBytes) {
    long offset = from;
    int reads = 0;
    while (offset < tier.endOffset()) {
      try (ReplayRead read = read(offset, maxBytes)) {
        tier.check(offset, read);
        assertThat(read.nextOffset()).isGreaterThan(offset);
        offset = read.nextOffset();
        reads++;
      }
    }
    return reads;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void randomReadsGiveWhatWasAppended(long seed) {
    tier.close();
    tier = tier(seed);
    Random random = new Random(seed);
    for (int i = 0; i < 12; i++) {
      tier.segment(1 + random.nextInt(20 * CHUNK), 1 + random.nextInt(3000));
    }
    for (int i = 0; i < 600; i++) {
      long offset = random.nextInt((int) tier.endOffset());
      long endOffset = offset + 1 + random.nextInt(2000);
      int maxBytes = 1 + random.nextInt(10 * CHUNK);
      boolean atLeastOne = random.nextBoolean();
      ReplayRequest request =
          new ReplayRequest(
              tier.partition, offset, endOffset, maxBytes, atLeastOne, false, "r" + i % 7);
      try (ReplayRead read = tier.replay.read(request).join()) {
        tier.check(offset, read);
        TestTier.Origin first = tier.origin.get(tier.batchAt(offset));
        boolean mustGive = first.sizeBytes() <= maxBytes || atLeastOne;
        assertThat(read.sizeBytes() > 0).as("seed %s, read %s", seed, i).isEqualTo(mustGive);
        assertThat(read.sizeBytes()).isLessThanOrEqualTo(Math.max(maxBytes, first.sizeBytes()));
        if (read.sizeBytes() > first.sizeBytes()) {
          TestTier.Origin last = tier.origin.get(tier.batchAt(read.nextOffset() - 1));
          assertThat(last.baseOffset()).isLessThan(endOffset);
        }
      }
    }
    readAll(0, 2 * CHUNK);
  }

  @Test
  void aBatchLargerThanChunksAndLimitsComesWhole() {
    tier.segment(20 * CHUNK, 60_000);
    tier.segment(20 * CHUNK, 60_000);
    readAll(0, 1);
  }

  @Test
  void aSequentialReplayAsksForFewLargeRanges() {
    // As sixteen segments of 64 MiB, a GiB, with chunks of 1 MiB: everything at a 64th of the size.
    for (int i = 0; i < 16; i++) {
      tier.segment(63 * CHUNK, 500);
    }
    tier.store.gets.clear();
    readAll(0, CHUNK);
    long bytes = tier.segments.stream().mapToLong(SegmentEntry::dataBytes).sum();
    assertThat(tier.store.gets.stream().mapToLong(RecordingStore.Get::lengthBytes).sum())
        .isEqualTo(bytes);
    assertThat(tier.store.gets.size()).isLessThanOrEqualTo(40);
    assertThat(tier.metrics.get("strandline.replay.manifest.reads").counter().count()).isEqualTo(1);
  }

  @Test
  void readAheadCrossesSegmentsBeforeTheReaderDoes() {
    for (int i = 0; i < 8; i++) {
      tier.segment(4 * CHUNK, 2000);
    }
    long offset = 0;
    while (offset < tier.segments.get(1).baseOffset()) {
      try (ReplayRead read = read(offset, CHUNK)) {
        offset = read.nextOffset();
      }
    }
    assertThat(tier.store.gets).anyMatch(g -> g.key().equals(tier.segments.get(2).object()));
  }

  @Test
  void aReaderThatJumpsGetsNoReadAhead() {
    tier.segment(64 * CHUNK, 2000);
    Random random = new Random(5);
    for (int i = 0; i < 20; i++) {
      read(random.nextInt((int) tier.endOffset()), 100).close();
    }
    assertThat(tier.store.gets).allMatch(g -> g.lengthBytes() <= 2 * CHUNK || isTail(g));
  }

  private boolean isTail(RecordingStore.Get get) {
    return get.positionBytes() == tier.segments.get(0).dataBytes();
  }

  /** Of ten thousand partitions with small segments, many are read side by side. */
  @Test
  void aSmallSegmentIsNotPaidForAsAWholeChunk(@TempDir Path other) {
    FetchConfig defaults = FetchConfig.forCacheMemory(64 << 20);
    try (TestTier small = new TestTier(other, 1, new SerialExecutor(), defaults, 64 << 20)) {
      small.segment(2_000, 200);
      ReplayRead read = small.replay.read(small.request(0, 100, "reader")).join();
      assertThat(small.replay.reservedBytes()).isEqualTo(64 << 10);
      read.close();
      small.replay.left("reader");
      assertThat(small.replay.reservedBytes()).isZero();
    }
  }

  @Test
  void anIdleReaderLosesWhatIsKeptForIt() {
    tier.segment(64 * CHUNK, 2000);
    long offset = 0;
    for (int i = 0; i < 5; i++) {
      try (ReplayRead read = read(offset, CHUNK)) {
        offset = read.nextOffset();
      }
    }
    assertThat(tier.replay.reservedBytes()).isPositive();
    assertThat(tier.replay.dropIdle()).isZero();
    tier.nanos.addAndGet(31_000_000_000L);
    assertThat(tier.replay.dropIdle()).isEqualTo(1);
    assertThat(tier.replay.reservedBytes()).isZero();
    readAll(offset, CHUNK);
  }

  @Test
  void aSlowStoreBlocksNobodyAndWhatACancelledReadAskedForIsThereForTheNext() {
    tier.segment(8 * CHUNK, 200);
    tier.store.hold();
    CompletableFuture<ReplayRead> first = tier.replay.read(tier.request(0, CHUNK, "r"));
    assertThat(first).isNotDone();
    first.cancel(true);
    CompletableFuture<ReplayRead> second = tier.replay.read(tier.request(0, CHUNK, "r"));
    CompletableFuture<ReplayRead> other = tier.replay.read(tier.request(0, CHUNK, "other"));
    assertThat(second).isNotDone();
    int gets = tier.store.gets.size();
    tier.store.release();
    tier.check(0, second.join());
    tier.check(0, other.join());
    second.join().close();
    other.join().close();
    read(0, CHUNK).close();
    assertThat(tier.store.gets).hasSize(gets);
    assertThat(gets).isEqualTo(1);
  }

  @Test
  void damagedBytesAreFoundAndSomeBadAnswersAreForgiven() {
    tier.segment(8 * CHUNK, 200);
    tier.store.damageNext(3);
    readAll(0, CHUNK);
    tier.cache.forget(tier.segments.get(0).object().value());
    tier.store.damageNext(4);
    failsWith(Kind.CORRUPT, 0);
    readAll(0, CHUNK);
  }

  /** A batch's checksum begins behind its base offset: one wrong bit there lost 80 offsets. */
  @Test
  void aBaseOffsetThatIsDamagedIsNoticedThoughNoChecksumCoversIt() {
    SegmentEntry entry = tier.segment(2 * CHUNK, 200);
    tier.segment(CHUNK, 200);
    byte[] sound = new byte[(int) entry.lengthBytes()];
    tier.store.get(entry.object(), sound.length).join().get(sound);
    int at = 0;
    for (TestTier.Origin batch : tier.origin) {
      for (int bit : at < entry.dataBytes() ? new int[] {0, 1, 3, 7, 20, 45, 62} : new int[0]) {
        byte[] damaged = sound.clone();
        damaged[at + 7 - bit / 8] ^= (byte) (1 << bit % 8);
        tier.store.put(entry.object(), Payload.of(ByteBuffer.wrap(damaged))).join();
        tier.cache.forget(entry.object().value());
        tier.nanos.addAndGet(31_000_000_000L);
        tier.replay.dropIdle();
        assertThatThrownBy(() -> readAll(0, CHUNK))
            .as("bit %s of the batch at %s", bit, batch.baseOffset())
            .hasCauseInstanceOf(ReplayException.class)
            .extracting(thrown -> ((ReplayException) thrown.getCause()).kind())
            .isEqualTo(Kind.CORRUPT);
      }
      at += batch.sizeBytes();
    }
  }

  @Test
  void aMissingObjectThatTheManifestNamesIsCorruptFromItsFirstOffsetToItsLast() {
    tier.segment(8 * CHUNK, 200);
    SegmentEntry entry = tier.segment(8 * CHUNK, 200);
    tier.segment(8 * CHUNK, 200);
    tier.store.delete(List.of(entry.object())).join();
    ReplayException told = failsWith(Kind.CORRUPT, entry.baseOffset() + 1);
    assertThat(told.damage())
        .isEqualTo(new ReplayException.Damage(entry.baseOffset(), entry.endOffset()));
    assertThat(tier.damages).containsExactly(told.damage());
    readAll(entry.endOffset(), CHUNK);
  }

  @Test
  void offsetsThatNoSegmentCoversAreNotStridden() {
    for (int i = 0; i < 3; i++) {
      tier.segment(2 * CHUNK, 200);
    }
    SegmentEntry hidden = tier.segments.get(1);
    tier.hide(hidden);
    long offset = 0;
    while (offset < hidden.baseOffset()) {
      try (ReplayRead read = read(offset, CHUNK)) {
        offset = read.nextOffset();
      }
    }
    assertThat(offset).isEqualTo(hidden.baseOffset());
    for (long at : new long[] {offset, offset + 1, hidden.endOffset() - 1}) {
      assertThat(failsWith(Kind.CORRUPT, at).damage())
          .isEqualTo(new ReplayException.Damage(at, hidden.endOffset()));
    }
    readAll(hidden.endOffset(), CHUNK);
  }

  @Test
  void aManifestThatDoesNotDecodeIsCorruptAndNotWaitedFor() {
    tier.segment(2 * CHUNK, 200);
    tier.damageManifest();
    failsWith(Kind.CORRUPT, 0);
  }

  @Test
  void aSegmentDeletedWhileReadIsOutOfRangeAndWhatFollowsIsThere() {
    SegmentEntry first = tier.segment(8 * CHUNK, 200);
    tier.segment(8 * CHUNK, 200);
    long offset;
    try (ReplayRead read = read(0, CHUNK)) {
      offset = read.nextOffset();
    }
    tier.replay.read(tier.request(first.endOffset(), CHUNK, "other")).join().close();
    tier.writer.advanceStart(first.endOffset()).join();
    tier.store.delete(List.of(first.object())).join();
    tier.cache.forget(first.object().value());
    tier.nanos.addAndGet(31_000_000_000L);
    tier.replay.dropIdle();
    failsWith(Kind.OUT_OF_RANGE, offset);
    readAll(first.endOffset(), CHUNK);
  }

  @Test
  void aDeletionThatTheViewDoesNotYetShowIsOutOfRangeToo() {
    SegmentEntry first = tier.segment(8 * CHUNK, 200);
    tier.segment(8 * CHUNK, 200);
    read(first.endOffset(), CHUNK).close();
    tier.writer.advanceStart(first.endOffset()).join();
    tier.store.delete(List.of(first.object())).join();
    failsWith(Kind.OUT_OF_RANGE, 3);
  }

  @Test
  void aStoreThatIsDownIsUnavailableAndComesBack() {
    tier.segment(8 * CHUNK, 200);
    tier.store.down(true);
    failsWith(Kind.UNAVAILABLE, 0);
    tier.store.down(false);
    readAll(0, CHUNK);
  }

  @Test
  void whatIsCommittedLaterIsFoundAtOnce() {
    tier.segment(CHUNK, 2000);
    readAll(0, CHUNK);
    failsWith(Kind.OUT_OF_RANGE, tier.endOffset());
    long from = tier.endOffset();
    tier.segment(CHUNK, 2000);
    readAll(from, CHUNK);
    assertThat(tier.replay.range(tier.partition).join())
        .isEqualTo(new Replay.TierRange(0, tier.endOffset()));
  }

  @Test
  void offsetsThatCompactionRemovedAreStridden() {
    tier.gaps(50);
    for (int i = 0; i < 12; i++) {
      tier.segment(2 * CHUNK, 2000);
    }
    long offset = 0;
    for (TestTier.Origin batch : tier.origin) {
      for (long at = offset; at <= batch.lastOffset(); at += 7) {
        try (ReplayRead read = read(at, 1)) {
          tier.check(at, read);
        }
      }
      offset = batch.lastOffset() + 1;
    }
  }

  @Test
  void abortedTransactionsAreListedWhenAskedFor() {
    tier.segment(2 * CHUNK, 500);
    long base = tier.endOffset();
    tier.segment(
        4 * CHUNK,
        500,
        List.of(
            new AbortedTransaction(5, base - 3, base + 4, base + 5),
            new AbortedTransaction(6, base + 1, base + 90, base + 91)));
    ReplayRequest request =
        new ReplayRequest(tier.partition, base + 20, Long.MAX_VALUE, CHUNK, true, true, "r");
    try (ReplayRead read = tier.replay.read(request).join()) {
      assertThat(read.abortedTransactions())
          .containsExactly(new ReplayRead.AbortedRange(6, base + 1));
    }
    try (ReplayRead read = read(base, CHUNK)) {
      assertThat(read.abortedTransactions()).isEmpty();
    }
  }

  /** Retention moves the start; the objects stay for the grace. */
  @Test
  void aReplayThatStandsOnARetiredSegmentReadsOn() {
    for (int i = 0; i < 3; i++) {
      tier.segment(4 * CHUNK, 1500);
    }
    long retired = tier.segments.get(1).endOffset();
    try (ReplayRead read = read(0, CHUNK)) {
      tier.writer.advanceStart(retired).join();
      long next = read.nextOffset();
      while (next < retired) {
        try (ReplayRead more = read(next, CHUNK)) {
          assertThat(more.sizeBytes()).isPositive();
          next = more.nextOffset();
        }
      }
    }
    tier.nanos.addAndGet(java.time.Duration.ofMinutes(1).toNanos());
    assertThat(tier.replay.read(tier.request(0, CHUNK, "late")))
        .failsWithin(java.time.Duration.ofSeconds(10))
        .withThrowableThat()
        .withCauseInstanceOf(ReplayException.class)
        .withMessageContaining("the tier holds " + retired);
  }

  @Test
  void timestampsAreFoundWhereverTheyLie() {
    for (int i = 0; i < 6; i++) {
      tier.segment(6 * CHUNK, 1500);
    }
    Random random = new Random(11);
    long end = tier.endOffset();
    for (int i = 0; i < 400; i++) {
      long timestamp = 999_950L + random.nextInt((int) end / 2 + 200);
      long from = random.nextBoolean() ? 0 : random.nextInt((int) end);
      Optional<TimestampedOffset> found =
          tier.replay.firstReaching(tier.partition, from, end, timestamp).join();
      assertThat(found).as("%s from %s", timestamp, from).isEqualTo(expected(from, timestamp));
    }
  }

  @Test
  void timestampsAreFoundInWhatWasTieredAfterTheViewWasRead() {
    tier.segment(2 * CHUNK, 1500);
    long before = tier.endOffset();
    assertThat(tier.replay.firstReaching(tier.partition, 0, before, Long.MAX_VALUE).join())
        .isEmpty();
    tier.segment(2 * CHUNK, 1500);
    // The largest timestamp of what the new segment holds: only it reaches that.
    TestTier.Origin last = tier.origin.get(tier.origin.size() - 1);
    long timestamp = last.timestamps().stream().mapToLong(Long::longValue).max().orElseThrow();
    assertThat(expected(0, timestamp).orElseThrow().offset()).isGreaterThanOrEqualTo(before);
    assertThat(tier.replay.firstReaching(tier.partition, 0, tier.endOffset(), timestamp).join())
        .isEqualTo(expected(0, timestamp));
  }

  private Optional<TimestampedOffset> expected(long from, long timestamp) {
    for (TestTier.Origin batch : tier.origin) {
      for (int i = 0; i < batch.timestamps().size(); i++) {
        long offset = batch.baseOffset() + i;
        if (offset >= from && batch.timestamps().get(i) >= timestamp) {
          return Optional.of(new TimestampedOffset(offset, batch.timestamps().get(i), 7));
        }
      }
    }
    return Optional.empty();
  }
}
