package io.strandline.tiering.scrub;

import static io.strandline.tiering.segment.TestLog.PARTITION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.scrub.AuditFinding.Kind;
import io.strandline.tiering.scrub.ScrubLedger.Position;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.VirtualScheduler;
import io.strandline.tiering.store.crypt.EncryptedObjectStore;
import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tiering.store.crypt.TestRing;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a broker finds out by itself about a partition that it leads. */
class BackgroundScrubTest {
  private static final long DAY_MS = Duration.ofDays(1).toMillis();
  private static final int SEGMENTS = 4;

  @TempDir Path dir;

  private final VirtualScheduler time = new VirtualScheduler();
  private final Instant began = Instant.parse("2026-01-01T00:00:00Z");
  private final InstantSource clock = () -> began.plusNanos(time.nanos());
  private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  private final Random random = new Random(3);
  private final Damaging store = new Damaging(new MemoryObjectStore(Runnable::run, clock));
  private final Manifests manifests =
      StoreManifests.open(
          store,
          ManifestConfig.defaults(),
          new StoreManifests.Environment(clock, random, Runnable::run, metrics));
  private final ManifestWriter writer = manifests.acquire(PARTITION, 7).join();
  private final List<SegmentEntry> entries = new ArrayList<>();
  private ScrubLedger ledger = new ScrubLedger(metrics);
  private boolean left;

  /** Reads of segments can be damaged on their way, and fail. */
  private static final class Damaging extends DecoratedObjectStore {
    final List<StoreCall> calls = new ArrayList<>();
    int damagedReads;
    boolean away;
    boolean held;
    @Nullable ObjectKey refused;
    boolean refusesHeads;

    Damaging(ObjectStore inner) {
      super(inner);
    }

    @Override
    @SuppressWarnings("unchecked")
    protected <T> CompletableFuture<T> around(
        StoreCall call, Supplier<CompletableFuture<T>> action) {
      calls.add(call);
      if (away) {
        StoreException.Unavailable last = new StoreException.Unavailable("away", null);
        return CompletableFuture.failedFuture(
            held ? StoreException.Unavailable.unasked(last) : last);
      }
      boolean get = call.operation() == StoreCall.Operation.GET;
      boolean withheld = refused != null && call.subject().equals(refused.value());
      if (withheld && (get || refusesHeads)) {
        return CompletableFuture.failedFuture(new StoreException.Refused("403", null));
      }
      boolean segment = call.subject().endsWith(".seg");
      if (segment && get && damagedReads > 0) {
        damagedReads--;
        return action.get().thenApply(bytes -> (T) flipped((ByteBuffer) bytes));
      }
      return action.get();
    }

    private static ByteBuffer flipped(ByteBuffer bytes) {
      ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
      copy.put(70, (byte) (copy.get(70) ^ 1));
      return copy;
    }
  }

  @BeforeEach
  void tier() throws IOException {
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
    ledger.open(PARTITION);
    store.calls.clear();
  }

  private ScrubConfig config(long bytesPerSecond) {
    return new ScrubConfig(DAY_MS, bytesPerSecond, 30 * DAY_MS, DAY_MS, false);
  }

  private PartitionScrub.Swept list() {
    PartitionScrub.Swept swept =
        new PartitionScrub("c", store, manifests, random, config(1))
            .sweep(PARTITION, 7, open -> false)
            .join();
    ledger.listed(writer.view(), swept.findings(), ledger.gone(writer.view()).join());
    return swept;
  }

  private FullScrub full(long bytesPerSecond) {
    return full(store, bytesPerSecond);
  }

  private FullScrub full(ObjectStore from, long bytesPerSecond) {
    ScrubTurns turns = new ScrubTurns(time);
    return new FullScrub(
        new FullScrub.Environment(
            OwnedStores.all(from), manifests, turns, ledger, Runnable::run, clock::millis),
        config(bytesPerSecond));
  }

  /** Reads so many segments, as long as it takes. */
  private void read(FullScrub scrub, int segments) {
    for (int i = 0; i < segments; i++) {
      CompletableFuture<Integer> read = scrub.readOn(writer, () -> left);
      time.advance(Duration.ofMinutes(10));
      assertThat(read).isCompletedWithValue(1);
    }
  }

  private List<Kind> kinds() {
    return ledger.findings(PARTITION).stream().map(AuditFinding::kind).toList();
  }

  @Test
  void aSoundPartitionCostsOneListAndTwoReadsOfTheManifest() {
    PartitionScrub.Swept swept = list();
    assertThat(swept.findings()).isEmpty();
    assertThat(ledger.summary()).isEmpty();
    long lists =
        store.calls.stream().filter(c -> c.operation() == StoreCall.Operation.LIST).count();
    // the objects, the uploads in parts, and the newest version of the manifest twice at most
    assertThat(lists).isLessThanOrEqualTo(4);
    assertThat(store.calls).noneMatch(c -> c.subject().endsWith(".seg"));
  }

  @Test
  void whatIsMissingIsToldWithItsOffsetsAndForgottenOnceItIsBack() {
    SegmentEntry victim = entries.get(1);
    ByteBuffer bytes = store.get(victim.object(), 1 << 20).join();
    store.delete(List.of(victim.object())).join();
    list();
    AuditFinding finding = ledger.findings(PARTITION).get(0);
    assertThat(finding.kind()).isEqualTo(Kind.MISSING);
    assertThat(finding.offset()).isEqualTo(victim.baseOffset());
    assertThat(finding.endOffset()).isEqualTo(victim.endOffset());
    assertThat(ledger.summary())
        .contains(PARTITION.topic())
        .contains("offsets " + victim.baseOffset() + " to " + (victim.endOffset() - 1));
    assertThat(metrics.get("strandline.scrub.findings").tag("kind", "missing").gauge().value())
        .isEqualTo(1);
    list();
    assertThat(kinds()).containsExactly(Kind.MISSING);

    store.put(victim.object(), Payload.of(bytes)).join();
    list();
    assertThat(kinds()).isEmpty();
    assertThat(ledger.summary()).isEmpty();
  }

  @Test
  void anObjectOfAnotherLengthIsTold() {
    SegmentEntry victim = entries.get(2);
    store.put(victim.object(), Payload.of(ByteBuffer.allocate(7))).join();
    list();
    assertThat(kinds()).containsExactly(Kind.LENGTH);
  }

  @Test
  void anOrphanGoesAfterTheGraceAndNothingElseDoes() {
    ObjectKey orphan = SegmentId.of(PARTITION, 130, 99).key();
    ObjectKey others = ObjectKey.of(SegmentId.prefix(PARTITION.topicId(), 0) + "notes");
    store.put(orphan, Payload.of(ByteBuffer.allocate(5))).join();
    store.put(others, Payload.of(ByteBuffer.allocate(5))).join();
    assertThat(list().young()).isEqualTo(1);
    time.advance(Duration.ofHours(25));
    assertThat(list().deleted()).isEqualTo(1);
    assertThat(store.head(orphan).join()).isEmpty();
    assertThat(store.head(others).join()).isPresent();
    for (SegmentEntry entry : entries) {
      assertThat(store.head(entry.object()).join()).isPresent();
    }
    assertThat(list().young()).isZero();
  }

  @Test
  void bytesThatRottedAreFoundByReading() {
    SegmentEntry victim = entries.get(2);
    ByteBuffer bytes = store.get(victim.object(), 1 << 20).join();
    bytes.put(300, (byte) (bytes.get(300) ^ 4));
    store.put(victim.object(), Payload.of(bytes)).join();
    read(full(1 << 20), SEGMENTS);
    assertThat(kinds()).contains(Kind.CHECKSUM);
    assertThat(ledger.findings(PARTITION))
        .allMatch(f -> f.offset() == victim.baseOffset() && f.endOffset() == victim.endOffset());
    list(); // a listing cannot know better
    assertThat(kinds()).contains(Kind.CHECKSUM);
    writer.advanceStart(victim.endOffset()).join();
    list(); // retention took it
    assertThat(kinds()).isEmpty();
  }

  @Test
  void whatWasDamagedOnItsWayIsNotCalledDamaged() {
    store.damagedReads = 1;
    read(full(1 << 20), SEGMENTS);
    assertThat(kinds()).isEmpty();
  }

  @Test
  void aStoreThatIsAwayIsNotCalledDamagedAndReadingGoesOnThere() {
    FullScrub scrub = full(1 << 20);
    read(scrub, 2);
    store.away = true;
    CompletableFuture<Integer> read = scrub.readOn(writer, () -> false);
    time.advance(Duration.ofMinutes(10));
    assertThat(read).isCompletedExceptionally();
    assertThat(kinds()).isEmpty();
    assertThat(ledger.position(PARTITION).nextOffset()).isEqualTo(entries.get(1).endOffset());
    store.away = false;
    read(scrub, 2);
  }

  /** Who is told knows then that the outage was told already, once for all. */
  @Test
  void aStoreThatWasNotEvenAskedIsNotMistakenForOneThatFailed() {
    store.away = true;
    store.held = true;
    CompletableFuture<Integer> read = full(1 << 20).readOn(writer, () -> false);
    time.advance(Duration.ofMinutes(10));
    assertThatThrownBy(read::join)
        .cause()
        .isInstanceOfSatisfying(
            StoreException.Unavailable.class, away -> assertThat(away.unasked()).isTrue());
  }

  @Test
  void anObjectWhoseBytesAreRefusedIsToldAndReadingGoesOnBehindIt() {
    SegmentEntry refused = entries.get(1);
    SegmentEntry rotten = entries.get(2);
    ByteBuffer bytes = store.get(rotten.object(), 1 << 20).join();
    bytes.put(300, (byte) (bytes.get(300) ^ 4));
    store.put(rotten.object(), Payload.of(bytes)).join();
    store.refused = refused.object();
    FullScrub scrub = full(1 << 20);
    read(scrub, SEGMENTS);
    assertThat(kinds()).contains(Kind.UNREAD, Kind.CHECKSUM);
    assertThat(ledger.findings(PARTITION))
        .filteredOn(f -> f.kind() == Kind.UNREAD)
        .singleElement()
        .satisfies(f -> assertThat(f.offset()).isEqualTo(refused.baseOffset()));
    assertThat(metrics.get("strandline.scrub.findings").tag("kind", "unread").gauge().value())
        .isEqualTo(1);
    list(); // a listing cannot know better
    assertThat(kinds()).contains(Kind.UNREAD);

    store.refused = null;
    assertThat(scrub.readOn(writer, () -> false)).isCompletedWithValue(0); // the end
    time.advance(Duration.ofDays(30));
    read(scrub, SEGMENTS);
    assertThat(kinds()).contains(Kind.CHECKSUM).doesNotContain(Kind.UNREAD);
  }

  @Test
  void aStoreThatRefusesEvenToTellOfAnObjectIsNotCalledDamaged() {
    store.refused = entries.get(1).object();
    store.refusesHeads = true;
    FullScrub scrub = full(1 << 20);
    read(scrub, 1);
    CompletableFuture<Integer> read = scrub.readOn(writer, () -> false);
    time.advance(Duration.ofMinutes(10));
    assertThat(read).isCompletedExceptionally();
    assertThat(kinds()).isEmpty();
    assertThat(ledger.position(PARTITION).nextOffset()).isEqualTo(entries.get(0).endOffset());
  }

  @Test
  void noMoreIsReadThanTheRateAllowsAndOnePartitionAtATime() {
    long second = Duration.ofSeconds(1).toNanos();
    FullScrub scrub = full(100 << 10); // ten seconds a GET, which counts as a MiB
    CompletableFuture<Integer> first = scrub.readOn(writer, () -> false);
    CompletableFuture<Integer> other = scrub.readOn(writer, () -> false);
    long before = time.nanos();
    while (!first.isDone()) {
      time.advance(Duration.ofSeconds(1));
      assertThat(other).isNotDone();
    }
    // batches and tail: two GETs
    assertThat(time.nanos() - before).isBetween(20 * second, 23 * second);
    time.advance(Duration.ofMinutes(1));
    assertThat(other).isCompletedWithValue(1);
  }

  @Test
  void whatIsReadWithoutItsKeyIsReadNoFasterThanTheRateAllows() throws IOException {
    KeyRing ring = new TestRing(dir.resolve("ring")).rotate("k").open();
    SegmentEntry last = entries.get(entries.size() - 1);
    TestLog log = TestLog.write(dir.resolve("locked.log"), 9, last.endOffset(), 40);
    EncodedSegment encoded = SegmentFormat.encode(log.parts());
    ObjectKey key = SegmentId.of(PARTITION, last.endOffset(), 9).encrypted(true).key();
    new EncryptedObjectStore(store, ring, Runnable::run).put(key, encoded.payload()).join();
    writer.add(List.of(new UploadedSegment(encoded.entry("c", key)))).join();
    ledger.position(PARTITION, new Position(last.endOffset(), clock.millis()));
    ObjectStore keyless = new EncryptedObjectStore(store, KeyRing.none(), Runnable::run);
    FullScrub scrub = full(keyless, 100 << 10); // ten seconds a GET, which counts as a MiB

    CompletableFuture<Integer> read = scrub.readOn(writer, () -> left);
    long begun = time.nanos();
    while (!read.isDone()) {
      time.advance(Duration.ofSeconds(1));
    }
    assertThat(read).isCompletedWithValue(1);
    assertThat(kinds()).isEmpty();
    // what lacks the key, then the header and the frames
    assertThat(Duration.ofNanos(time.nanos() - begun).toSeconds()).isBetween(30L, 34L);
    assertThat(metrics.get("strandline.scrub.read").counter().count())
        .isEqualTo(store.head(key).join().orElseThrow().lengthBytes());

    ledger.position(PARTITION, new Position(last.endOffset(), clock.millis()));
    read = scrub.readOn(writer, () -> left);
    time.advance(Duration.ofSeconds(15)); // the header is awaited
    assertThat(read).isNotDone();
    left = true;
    time.advance(Duration.ofSeconds(10));
    assertThat(read).isCompletedWithValue(0);
  }

  @Test
  void whoLosesLeadershipIsNotWaitedFor() {
    ScrubTurns turns = new ScrubTurns(time);
    FullScrub scrub =
        new FullScrub(
            new FullScrub.Environment(
                OwnedStores.all(store), manifests, turns, ledger, Runnable::run, clock::millis),
            config(1));
    CompletableFuture<Integer> reading = scrub.readOn(writer, () -> left);
    CompletableFuture<Integer> queued = scrub.readOn(writer, () -> left);
    assertThat(reading).isNotDone();
    left = true;
    turns.look();
    assertThat(reading).isCompletedWithValue(0);
    assertThat(queued).isCompletedWithValue(0);
  }

  @Test
  void aRestartGoesOnWhereReadingStoppedAndKnowsWhatWasFound() throws IOException {
    Path file = dir.resolve("scrub");
    ScrubFile first = ScrubFile.open(file, ledger);
    read(full(1 << 20), 2);
    store.delete(List.of(entries.get(3).object())).join();
    list();
    first.save();
    Position position = ledger.position(PARTITION);
    assertThat(position.nextOffset()).isEqualTo(entries.get(1).endOffset());

    ledger = new ScrubLedger(new SimpleMeterRegistry());
    ScrubFile second = ScrubFile.open(file, ledger);
    assertThat(ledger.summary()).as("of what it does not lead").isEmpty();
    ledger.open(PARTITION);
    assertThat(ledger.position(PARTITION)).isEqualTo(position);
    assertThat(kinds()).containsExactly(Kind.MISSING);
    second.save();

    List<String> lines = new ArrayList<>(Files.readAllLines(file));
    lines.replaceAll(line -> line.startsWith("at ") ? line.replace("at ", "at x") : line);
    Files.write(file, lines);
    ledger = new ScrubLedger(new SimpleMeterRegistry());
    ScrubFile.open(file, ledger);
    ledger.open(PARTITION);
    assertThat(ledger.position(PARTITION)).as("a damaged line").isEqualTo(Position.NONE);
    assertThat(kinds()).containsExactly(Kind.MISSING);
  }

  @Test
  void aRoundEndsAndTheNextBeginsWhenItIsTime() {
    FullScrub scrub = full(1 << 20);
    read(scrub, SEGMENTS);
    assertThat(scrub.readOn(writer, () -> false)).isCompletedWithValue(0); // the end
    assertThat(scrub.pauseMs(PARTITION, 0)).isBetween(29 * DAY_MS, 30 * DAY_MS);
    assertThat(scrub.readOn(writer, () -> false)).isCompletedWithValue(0);
    time.advance(Duration.ofDays(30));
    read(scrub, SEGMENTS);
  }

  @Test
  void whatAReaderMetIsToldUntilItReadsWell() {
    SegmentEntry entry = entries.get(0);
    ledger.met(PARTITION, entry.baseOffset(), entry.endOffset());
    ledger.met(PARTITION, entry.baseOffset(), entry.endOffset());
    assertThat(kinds()).containsExactly(Kind.CONTENT);
    list();
    assertThat(kinds()).containsExactly(Kind.CONTENT);
    read(full(1 << 20), 1);
    assertThat(kinds()).isEmpty();
  }
}
