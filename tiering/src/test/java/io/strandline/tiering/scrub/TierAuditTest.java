package io.strandline.tiering.scrub;

import static io.strandline.tiering.segment.TestLog.PARTITION;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.scrub.AuditFinding.Kind;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TierAuditTest {
  private static final TopicIdPartition OTHER =
      new TopicIdPartition(new Uuid(5, 6), new TopicPartition("rides", 0));
  private static final TopicIdPartition BEHIND = behind();
  private static final int SEGMENTS = 3;

  private final ExecutorService threads = Executors.newFixedThreadPool(2);
  private final Random random = new Random(3);
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final InstantSource clock = () -> now;
  private final ObjectStore store = new MemoryObjectStore(Runnable::run, clock);
  private final Manifests manifests =
      StoreManifests.open(
          store,
          ManifestConfig.defaults(),
          new StoreManifests.Environment(clock, random, Runnable::run, new SimpleMeterRegistry()));
  private final ManifestWriter writer = manifests.acquire(PARTITION, 7).join();
  private final List<AuditFinding> findings = new ArrayList<>();
  private final List<ManifestView> seen = new ArrayList<>();
  private long bytesRead;

  @TempDir Path dir;

  @AfterEach
  void stop() {
    threads.shutdown();
  }

  @Test
  void aSoundTierHasNothingToSay() throws IOException {
    List<SegmentEntry> entries = tier();
    manifests.acquire(OTHER, 1).join();

    TierAudit.Summary summary = audit();

    assertThat(findings).isEmpty();
    assertThat(summary.wrong()).isZero();
    assertThat(summary.partitions()).isEqualTo(2);
    assertThat(summary.segments()).isEqualTo(SEGMENTS);
    assertThat(summary.bytes())
        .isEqualTo(bytesRead)
        .isEqualTo(entries.stream().mapToLong(SegmentEntry::lengthBytes).sum());
    assertThat(seen)
        .extracting(view -> view.partition().topic())
        .containsExactlyInAnyOrder("trips", "rides");
    assertThat(manifests.partitions().join())
        .extracting(TopicIdPartition::topicId)
        .containsExactlyInAnyOrder(PARTITION.topicId(), OTHER.topicId());
  }

  @Test
  void aMissingObjectIsTold() throws IOException {
    SegmentEntry victim = tier().get(1);
    store.delete(List.of(victim.object())).join();

    audit();

    assertThat(findings).hasSize(1);
    assertThat(findings.get(0).kind()).isEqualTo(Kind.MISSING);
    assertThat(findings.get(0).object()).contains(victim.object());
    assertThat(findings.get(0).offset()).isEqualTo(victim.baseOffset());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void aFlippedBitAnywhereIsTold(long seed) throws IOException {
    SegmentEntry victim = tier().get(2);
    byte[] bytes = bytes(victim);
    Random flip = new Random(seed);
    bytes[flip.nextInt(bytes.length)] ^= (byte) (1 << flip.nextInt(8));
    put(victim.object(), bytes);

    TierAudit.Summary summary = audit();

    assertThat(kinds()).contains(Kind.CHECKSUM);
    assertThat(findings).allMatch(f -> f.object().orElseThrow().equals(victim.object()));
    assertThat(summary.wrong()).isEqualTo(findings.size());
  }

  @Test
  void aDamagedBatchIsToldWithItsPlace() throws IOException {
    SegmentEntry victim = tier().get(0);
    byte[] bytes = bytes(victim);
    bytes[100] ^= 1;
    put(victim.object(), bytes);

    audit();

    assertThat(kinds()).containsExactlyInAnyOrder(Kind.CHECKSUM, Kind.CHECKSUM, Kind.CONTENT);
    assertThat(findings).anyMatch(f -> f.detail().contains("batch at 0"));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 1})
  void aWrongLengthIsTold(int difference) throws IOException {
    SegmentEntry victim = tier().get(0);
    put(victim.object(), java.util.Arrays.copyOf(bytes(victim), bytes(victim).length + difference));

    audit();

    assertThat(kinds()).containsExactly(Kind.LENGTH);
  }

  @Test
  void anotherSegmentUnderTheNameIsTold() throws IOException {
    List<SegmentEntry> entries = tier();
    byte[] other = bytes(entries.get(1));
    SegmentEntry victim = entries.get(0);
    put(victim.object(), java.util.Arrays.copyOf(other, (int) victim.lengthBytes()));

    audit();

    assertThat(kinds()).contains(Kind.CHECKSUM, Kind.CONTENT);
  }

  @Test
  void offsetsThatNoEntryNamesAreTold() throws IOException {
    tier();
    Manifests gapped = new GappedManifests(manifests, 1);

    new TierAudit(TierAudit.Tier.of(store, gapped), config(), threads, clock).run(watcher());

    assertThat(kinds()).contains(Kind.GAP, Kind.MANIFEST);
  }

  @Test
  void aSegmentNobodyNamesIsAnOrphanAfterTheGrace() throws IOException {
    tier();
    ObjectKey orphan = SegmentId.of(PARTITION, 77, 99).key();
    put(orphan, new byte[10]);

    assertThat(audit().wrong()).isZero();
    assertThat(kinds()).containsExactly(Kind.PENDING);

    now = now.plus(Duration.ofHours(25));
    assertThat(audit().wrong()).isEqualTo(1);
    assertThat(kinds()).containsExactly(Kind.ORPHAN);
    assertThat(findings.get(0).object()).contains(orphan);
  }

  @Test
  void aRetiredSegmentIsNoOrphan() throws IOException {
    List<SegmentEntry> entries = tier();
    writer.advanceStart(entries.get(0).endOffset()).join();
    now = now.plus(Duration.ofHours(25));

    assertThat(audit().segments()).isEqualTo(SEGMENTS - 1);
    assertThat(findings).isEmpty();
  }

  @Test
  void whatRetentionDeletedWhileAnotherPartitionWasReadIsNoOrphan() throws IOException {
    ObjectKey lawful = retired(BEHIND);
    ObjectKey orphan = SegmentId.of(BEHIND, 77, 99).key();
    put(orphan, new byte[10]);
    tier();
    now = now.plus(Duration.ofHours(25));
    WhileRead during = new WhileRead(store, () -> deleteRetired(BEHIND));

    findings.clear();
    new TierAudit(TierAudit.Tier.of(during, manifests), config(), threads, clock).run(watcher());

    assertThat(during.done).as("the deletion fell into the audit").isTrue();
    assertThat(store.head(lawful).join()).isEmpty();
    assertThat(findings)
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.kind()).isEqualTo(Kind.ORPHAN);
              assertThat(finding.object()).contains(orphan);
            });
  }

  /** Does something before it gives the first bytes of a segment. */
  private static final class WhileRead extends DecoratedObjectStore {
    private final Runnable work;
    volatile boolean done;

    WhileRead(ObjectStore inner, Runnable work) {
      super(inner);
      this.work = work;
    }

    @Override
    protected synchronized <T> CompletableFuture<T> around(
        StoreCall call, Supplier<CompletableFuture<T>> action) {
      boolean segment = call.subject().endsWith(".seg");
      if (segment && call.operation() == StoreCall.Operation.GET && !done) {
        done = true;
        work.run();
      }
      return action.get();
    }
  }

  /** Names a segment and retires it; its object. */
  private ObjectKey retired(TopicIdPartition partition) throws IOException {
    TestLog log = TestLog.write(dir.resolve("retired.log"), 9, 0, 40);
    EncodedSegment encoded = SegmentFormat.encode(log.parts());
    ObjectKey key = SegmentId.of(partition, 0, 1).key();
    store.put(key, encoded.payload()).join();
    ManifestWriter leader = manifests.acquire(partition, 1).join();
    leader.add(List.of(new UploadedSegment(encoded.entry("c", key)))).join();
    leader.advanceStart(log.endOffset).join();
    return key;
  }

  /** As its leader does when the grace is over. */
  private void deleteRetired(TopicIdPartition partition) {
    ManifestWriter leader = manifests.acquire(partition, 2).join();
    List<RetiredSegment> all = leader.retired(10).join();
    store.delete(all.stream().map(retired -> retired.entry().object()).toList()).join();
    leader.forget(all).join();
  }

  @Test
  void whatIsNotOursIsToldAndNotWrong() throws IOException {
    tier();
    put(ObjectKey.of("readme.txt"), new byte[1]);
    put(ObjectKey.of(SegmentId.prefix(PARTITION.topicId(), 3) + "notes"), new byte[1]);

    assertThat(audit().wrong()).isZero();
    assertThat(kinds()).containsExactly(Kind.UNKNOWN, Kind.UNKNOWN);
  }

  @Test
  void onePartitionCanBeAuditedAlone() throws IOException {
    tier();
    manifests.acquire(OTHER, 1).join();

    TierAudit.Summary summary =
        new TierAudit(TierAudit.Tier.of(store, manifests), config(), threads, clock)
            .run(OTHER, watcher());

    assertThat(summary).isEqualTo(new TierAudit.Summary(1, 0, 0, 0));
  }

  @Test
  void aDamagedManifestIsToldAndTheOthersAreAudited() throws IOException {
    tier();
    manifests.acquire(OTHER, 1).join();
    ObjectKey version =
        store.list(SegmentId.prefix(OTHER.topicId(), 0), "", 1).join().objects().get(0).key();
    put(version, new byte[40]);

    assertThat(audit().segments()).isEqualTo(SEGMENTS);
    assertThat(kinds()).containsExactly(Kind.MANIFEST);
  }

  /** Whose objects are listed behind those of {@link TestLog#PARTITION}. */
  private static TopicIdPartition behind() {
    String first = SegmentId.prefix(PARTITION.topicId(), PARTITION.partition());
    Uuid id = new Uuid(7, 8);
    return IntStream.range(0, 1000)
        .filter(partition -> SegmentId.prefix(id, partition).compareTo(first) > 0)
        .mapToObj(partition -> new TopicIdPartition(id, new TopicPartition("late", partition)))
        .findFirst()
        .orElseThrow();
  }

  private List<SegmentEntry> tier() throws IOException {
    List<SegmentEntry> entries = new ArrayList<>();
    long next = 100;
    for (int i = 0; i < SEGMENTS; i++) {
      TestLog log = TestLog.write(dir.resolve(i + ".log"), i, next, 40);
      EncodedSegment encoded = SegmentFormat.encode(log.parts());
      ObjectKey key = SegmentId.of(PARTITION, next, random.nextLong()).key();
      store.put(key, encoded.payload()).join();
      entries.add(encoded.entry("c", key));
      next = log.endOffset;
    }
    writer.add(entries.stream().map(UploadedSegment::new).toList()).join();
    return entries;
  }

  private TierAudit.Summary audit() {
    findings.clear();
    seen.clear();
    bytesRead = 0;
    return new TierAudit(TierAudit.Tier.of(store, manifests), config(), threads, clock)
        .run(watcher());
  }

  /** Pieces that cut batches and headers. */
  private static TierAudit.Config config() {
    return new TierAudit.Config(2, 1000, Duration.ofHours(24).toMillis());
  }

  private TierAudit.Watcher watcher() {
    return new TierAudit.Watcher() {
      @Override
      public void partition(ManifestView view) {
        seen.add(view);
      }

      @Override
      public void read(long bytes) {
        bytesRead += bytes;
      }

      @Override
      public void found(AuditFinding finding) {
        findings.add(finding);
      }
    };
  }

  private List<Kind> kinds() {
    return findings.stream().map(AuditFinding::kind).toList();
  }

  private byte[] bytes(SegmentEntry entry) {
    byte[] bytes = new byte[(int) entry.lengthBytes()];
    store.get(entry.object(), 0, bytes.length).join().get(bytes);
    return bytes;
  }

  private void put(ObjectKey key, byte[] bytes) {
    store.put(key, Payload.of(ByteBuffer.wrap(bytes))).join();
  }
}
