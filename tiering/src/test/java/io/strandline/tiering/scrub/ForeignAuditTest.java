package io.strandline.tiering.scrub;

import static io.strandline.tiering.segment.TestLog.PARTITION;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.mount.MountedStores;
import io.strandline.tiering.scrub.AuditFinding.Kind;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.VirtualScheduler;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks of a partition whose manifest names another cluster's segments and one of its own. */
class ForeignAuditTest {
  private static final TopicIdPartition HERE =
      new TopicIdPartition(new Uuid(5, 6), new TopicPartition("again", 0));
  private static final int THEIRS = 3;

  private final VirtualScheduler time = new VirtualScheduler();
  private final InstantSource clock =
      () -> Instant.parse("2026-01-01T00:00:00Z").plusNanos(time.nanos());
  private final Random random = new Random(3);
  private final ObjectStore own = new MemoryObjectStore(Runnable::run, clock);
  private final ObjectStore others = new MemoryObjectStore(Runnable::run, clock);
  private final Manifests manifests =
      StoreManifests.open(
          own,
          ManifestConfig.defaults(),
          new StoreManifests.Environment(clock, random, Runnable::run, new SimpleMeterRegistry()));
  private final ManifestWriter writer = manifests.acquire(HERE, 7).join();
  private final MountedStores stores = new MountedStores(own, List.of(others));
  private final List<SegmentEntry> entries = new ArrayList<>();
  private final List<AuditFinding> findings = new ArrayList<>();

  @TempDir Path dir;

  @BeforeEach
  void tier() throws IOException {
    long next = 100;
    for (int i = 0; i <= THEIRS; i++) {
      boolean ours = i == THEIRS;
      TestLog log = TestLog.write(dir.resolve(i + ".log"), i, next, 40);
      EncodedSegment encoded = SegmentFormat.encode(log.parts());
      ObjectKey key = SegmentId.of(ours ? HERE : PARTITION, next, random.nextLong()).key();
      (ours ? own : others).put(key, encoded.payload()).join();
      entries.add(encoded.entry(ours ? "here" : "there", key));
      next = log.endOffset;
    }
    writer.add(entries.stream().map(UploadedSegment::new).toList()).join();
    stores.ownedBy("here");
  }

  private void identify() {
    StoreOwner.claim(others, "there", new SplittableRandom(1)).join();
    assertThat(stores.identify().join()).isTrue();
  }

  private TierAudit.Summary audit() {
    findings.clear();
    return new TierAudit(
            new TierAudit.Tier(own, stores, manifests),
            new TierAudit.Config(2, 1000, Duration.ofHours(24).toMillis()),
            Runnable::run,
            clock)
        .run(
            new TierAudit.Watcher() {
              @Override
              public void partition(ManifestView view) {}

              @Override
              public void read(long bytes) {}

              @Override
              public void found(AuditFinding finding) {
                findings.add(finding);
              }
            });
  }

  private List<Kind> kinds() {
    return findings.stream().map(AuditFinding::kind).toList();
  }

  @Test
  void theirSegmentsAreReadInTheirStoreAndCalledForeign() {
    identify();
    TierAudit.Summary summary = audit();

    assertThat(summary.wrong()).isZero();
    assertThat(summary.segments()).isEqualTo(THEIRS + 1);
    assertThat(summary.bytes())
        .isEqualTo(entries.stream().mapToLong(SegmentEntry::lengthBytes).sum());
    assertThat(kinds()).containsExactly(Kind.FOREIGN);
    assertThat(findings.get(0).offset()).isEqualTo(entries.get(0).baseOffset());
    assertThat(findings.get(0).endOffset()).isEqualTo(entries.get(THEIRS - 1).endOffset());
    assertThat(findings.get(0).detail()).contains("3 segments", "there", "read in");
  }

  @Test
  void withoutTheirStoreTheyAreForeignAndNotMissing() {
    TierAudit.Summary summary = audit();

    assertThat(summary.wrong()).isZero();
    assertThat(summary.segments()).isEqualTo(1);
    assertThat(kinds()).containsExactly(Kind.FOREIGN);
    assertThat(findings.get(0).detail()).contains("not read");
  }

  @Test
  void whatIsMissingThereIsToldWithItsOffsets() {
    identify();
    SegmentEntry victim = entries.get(1);
    others.delete(List.of(victim.object())).join();

    assertThat(audit().wrong()).isEqualTo(1);
    assertThat(kinds()).containsExactlyInAnyOrder(Kind.FOREIGN, Kind.MISSING);
    assertThat(findings)
        .anyMatch(f -> f.kind() == Kind.MISSING && f.offset() == victim.baseOffset());
  }

  @Test
  void theBackgroundReadsThemTooAndAListingDoesNotTakeItsFindingBack() {
    identify();
    SegmentEntry victim = entries.get(1);
    others.delete(List.of(victim.object())).join();
    ScrubLedger ledger = new ScrubLedger(new SimpleMeterRegistry());
    ledger.open(HERE);
    FullScrub scrub = background(ledger);
    for (int i = 0; i < entries.size(); i++) {
      assertThat(readOn(scrub)).isCompletedWithValue(1);
    }
    PartitionScrub.Swept swept =
        new PartitionScrub("here", own, manifests, random, config())
            .sweep(HERE, 7, open -> false)
            .join();
    assertThat(swept.findings()).isEmpty();
    assertThat(swept.young() + swept.deleted()).isZero();
    ledger.listed(writer.view(), swept.findings(), ledger.gone(writer.view()).join());
    assertThat(ledger.findings(HERE))
        .singleElement()
        .satisfies(f -> assertThat(f.kind()).isEqualTo(Kind.MISSING))
        .satisfies(f -> assertThat(f.offset()).isEqualTo(victim.baseOffset()));
  }

  @Test
  void theBackgroundPassesOverWhatLiesInAStoreThatIsNotKnown() {
    ScrubLedger ledger = new ScrubLedger(new SimpleMeterRegistry());
    ledger.open(HERE);
    FullScrub scrub = background(ledger);
    for (int i = 0; i < entries.size(); i++) {
      assertThat(readOn(scrub)).isCompletedWithValue(1);
    }
    assertThat(ledger.findings(HERE)).isEmpty();
  }

  private CompletableFuture<Integer> readOn(FullScrub scrub) {
    CompletableFuture<Integer> read = scrub.readOn(writer, () -> false);
    time.advance(Duration.ofMinutes(1));
    return read;
  }

  private static ScrubConfig config() {
    long day = Duration.ofDays(1).toMillis();
    return new ScrubConfig(day, 1 << 20, 30 * day, day, false);
  }

  private FullScrub background(ScrubLedger ledger) {
    ScrubTurns turns = new ScrubTurns(time);
    return new FullScrub(
        new FullScrub.Environment(stores, manifests, turns, ledger, Runnable::run, clock::millis),
        config());
  }
}
