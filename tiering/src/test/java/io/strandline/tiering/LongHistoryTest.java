package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.Retention;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.rewrite.CompactionPolicy;
import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What one step of each kind of upkeep asks of the store, by a broker that has just started: the
 * same whatever the length of the history. {@code -Dhistory.segments=1000000} for a long one.
 */
class LongHistoryTest {
  private static final int SEGMENTS = Integer.getInteger("history.segments", 20_000);
  private static final int A_COMMIT = 10_000;
  private static final long LONG_BYTES = 64L << 20;

  /** So many real segments at the beginning, small ones. */
  private static final int REAL = 200;

  private static final Compactable AS_IT_IS =
      new Compactable(() -> CompactionPolicy.never(0), Map::of);

  @TempDir Path directory;
  private TestTier tier;
  private TestHotLog log;
  private long realEnd;

  /** Segments that are there; then long ones of which only the manifest knows. */
  private void history(long restAheadMs) throws IOException {
    RewriteConfig d = RewriteConfig.defaults();
    tier =
        new TestTier(directory, 1)
            .rewriting(new RewriteConfig(d.core(), 1, 5000, 1 << 20, 15_000, 1e12));
    log = new TestHotLog(directory, 0);
    KeyedLog keyed =
        new KeyedLog(
            Files.createDirectories(directory.resolve("keyed")), 3, log, tier.time.millis());
    keyed.seal(REAL, 1);
    tier.join(log, 1, TierPolicy.keepAll(), AS_IT_IS);
    tier.time.advance(9 * 60_000);
    assertThat(tier.entries(log.partition())).hasSize(REAL);
    tier.now(tier.pipeline.leave(log.partition()));
    ManifestWriter writer = tier.now(tier.manifests.acquire(log.partition(), 2));
    Random names = new Random(1);
    for (int at = REAL; at < SEGMENTS; at += A_COMMIT) {
      List<UploadedSegment> more = new ArrayList<>();
      for (int i = 0; i < Math.min(A_COMMIT, SEGMENTS - at); i++) {
        more.add(fake(log.end() + 10L * (at - REAL + i), tier.time.millis() + restAheadMs, names));
      }
      tier.now(writer.add(more));
    }
    realEnd = log.end();
    log.goOnAt(realEnd + 10L * (SEGMENTS - REAL));
    tier.crash();
  }

  private UploadedSegment fake(long baseOffset, long timestampMs, Random names) {
    TopicIdPartition partition = log.partition();
    SegmentId id = SegmentId.of(partition, baseOffset, names.nextLong());
    return new UploadedSegment(
        new SegmentEntry(
            "cluster",
            partition,
            id.key(),
            0,
            LONG_BYTES,
            LONG_BYTES - 100,
            50,
            7,
            baseOffset,
            baseOffset + 10,
            timestampMs,
            1,
            false));
  }

  /** Calls about the manifest, and no other. */
  private static long manifestCalls(List<StoreCall> calls) {
    return calls.stream().filter(call -> call.subject().contains("/manifest/")).count();
  }

  private static long of(List<StoreCall> calls, Operation operation) {
    return calls.stream().filter(call -> call.operation() == operation).count();
  }

  private static void tell(String what, List<StoreCall> calls) {
    System.out.printf(
        "%d segments, %s: %d requests of the manifest, %d others%n",
        SEGMENTS, what, manifestCalls(calls), calls.size() - manifestCalls(calls));
  }

  private <T> T asked(String what, int most, Function<ManifestView, T> question) {
    ManifestView cold = tier.now(tier.manifests.read(log.partition()));
    List<StoreCall> calls = tier.recordCalls();
    T answer = question.apply(cold);
    tell(what, calls);
    assertThat(calls).as(what).hasSizeLessThanOrEqualTo(most);
    return answer;
  }

  @Test
  void aReaderOpensAndFindsInAFewRequests() throws IOException {
    history(TestTier.HOUR_MS);
    List<StoreCall> opening = tier.recordCalls();
    ManifestView view = tier.now(tier.manifests.read(log.partition()));
    tell("opening", opening);
    assertThat(opening).hasSizeLessThanOrEqualTo(2);
    assertThat(view.segmentCount()).isEqualTo(SEGMENTS);
    long middle = view.endOffset() / 2;
    boolean found = asked("finding an offset", 3, v -> tier.now(v.find(middle)).isPresent());
    assertThat(found).isTrue();
    tier.crash();
    asked(
        "finding a time",
        3,
        v -> tier.now(v.firstReaching(tier.time.millis() + TestTier.HOUR_MS / 2)));
    tier.crash();
    found = asked("the newest time", 4, v -> tier.now(v.maxTimestampSegment()).isPresent());
    assertThat(found).isTrue();
    tier.crash();
    long bytes = asked("bytes behind an offset", 3, v -> tier.now(v.bytesFrom(middle)));
    long segments = bytes / LONG_BYTES;
    assertThat(segments).isBetween(SEGMENTS / 2 - (long) REAL, SEGMENTS / 2 + 1L);
  }

  @Test
  void retentionTakesALongHistoryInSteps() throws IOException {
    history(-2 * TestTier.HOUR_MS);
    tier.time.advance(2 * TestTier.HOUR_MS);
    List<StoreCall> calls = tier.recordCalls();
    tier.join(log, 3, new TierPolicy(TestTier.HOUR_MS, -1, -1, -1, false), AS_IT_IS);
    int before = SEGMENTS;
    long most = 0;
    int steps = 0;
    while (tier.view(log.partition()).segmentCount() > 0) {
      calls.clear();
      tier.time.advance(10_000);
      int now = tier.view(log.partition()).segmentCount();
      assertThat(before - now).isLessThanOrEqualTo(Retention.SEGMENTS_MAX);
      most = steps == 0 ? 0 : Math.max(most, manifestCalls(calls));
      before = now;
      assertThat(++steps).isLessThan(SEGMENTS / Retention.SEGMENTS_MAX + 10);
    }
    System.out.printf(
        "%d segments expired in %d steps of at most %d requests%n", SEGMENTS, steps, most);
    assertThat(most).isLessThan(30);
  }

  @Test
  void mergingTheBeginningDoesNotLookAtTheRest() throws IOException {
    history(0);
    List<StoreCall> calls = tier.recordCalls();
    tier.join(
        log,
        3,
        TierPolicy.keepAll(),
        new Compactable(() -> CompactionPolicy.never(1 << 20), Map::of));
    tier.time.advance(20_000);
    tell("merging " + REAL + " and opening", calls);
    assertThat(tier.view(log.partition()).segmentCount()).isLessThan(SEGMENTS - REAL / 2);
    assertThat(manifestCalls(calls)).isLessThan(30);
    calls.clear();
    tier.time.advance(9 * 60_000);
    tell("looking for more", calls);
    assertThat(manifestCalls(calls))
        .as("a walk along the rest, once")
        .isLessThan(20 + SEGMENTS / 200);
  }

  @Test
  void compactingTheBeginningDoesNotLookAtTheRest() throws IOException {
    CompactionPolicy policy =
        new CompactionPolicy(
            true, 1e-9, TestTier.HOUR_MS, Long.MAX_VALUE, TestTier.HOUR_MS, 1 << 20, false);
    history(2 * TestTier.HOUR_MS);
    tier.time.advance(2 * TestTier.HOUR_MS);
    List<StoreCall> calls = tier.recordCalls();
    tier.join(log, 3, TierPolicy.keepAll(), new Compactable(() -> policy, Map::of));
    tier.time.advance(20_000);
    tell("compacting " + REAL + " and opening", calls);
    ManifestView view = tier.view(log.partition());
    assertThat(view.compaction().cleanedOffset()).isEqualTo(realEnd);
    assertThat(view.segmentCount()).isLessThan(SEGMENTS - REAL / 2);
    assertThat(manifestCalls(calls)).isLessThan(30);
    assertThat(of(calls, Operation.PUT)).isLessThan(16);
  }

  @Test
  void aStepOfReadingDoesNotLookAtTheRest() throws IOException {
    history(0);
    List<StoreCall> calls = tier.recordCalls();
    tier.join(log, 3, TierPolicy.keepAll(), AS_IT_IS);
    tier.time.advance(12 * 60_000);
    double read = tier.metrics.counter("strandline.scrub.segments").count();
    tell("reading " + read + " and opening", calls);
    assertThat(read).isPositive();
    assertThat(manifestCalls(calls)).isLessThan(30);
  }
}
