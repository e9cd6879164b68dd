package io.strandline.tiering.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Replacement;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.reclaim.RetiredObjects;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class AdoptionTest {
  private static final TopicIdPartition THERE = new TopicIdPartition(new Uuid(1, 2), 0, "trips");
  private static final TopicIdPartition HERE = new TopicIdPartition(new Uuid(3, 4), 0, "again");
  private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_800_000));

  private final ObjectStore theirs = new MemoryObjectStore(Runnable::run, CLOCK);
  private final ObjectStore ours = new MemoryObjectStore(Runnable::run, CLOCK);
  private final StoreManifests theirManifests = manifests(theirs, 1);
  private final StoreManifests ourManifests = manifests(ours, 2);

  private static StoreManifests manifests(ObjectStore store, long seed) {
    ManifestConfig defaults = ManifestConfig.defaults();
    ManifestConfig config =
        new ManifestConfig(
            defaults.keptMs(),
            defaults.keptVersions(),
            0,
            defaults.pageCacheBytes(),
            defaults.hintDirectory(),
            defaults.fencing(),
            defaults.paging());
    return StoreManifests.open(
        store,
        config,
        new StoreManifests.Environment(
            CLOCK, new Random(seed), Runnable::run, new SimpleMeterRegistry()));
  }

  private static SegmentEntry entry(String owner, TopicIdPartition of, long base) {
    return entry(owner, of, base, base + 10, base + 7);
  }

  private static SegmentEntry entry(
      String owner, TopicIdPartition of, long base, long end, long name) {
    return new SegmentEntry(
        owner, of, SegmentId.of(of, base, name).key(), 0, 500, 300, 136, 1, base, end, 5, 9, false);
  }

  private ManifestWriter theirHistory(int from, int to) {
    ManifestWriter writer = theirManifests.acquire(THERE, 9).join();
    List<UploadedSegment> segments = new ArrayList<>();
    for (int i = from; i < to; i++) {
      segments.add(new UploadedSegment(entry("theirs", THERE, 10L * i)));
    }
    writer.add(segments).join();
    return writer;
  }

  private ManifestView adopt() {
    ManifestWriter writer = ourManifests.acquire(HERE, 0).join();
    return Adoption.adopt(writer, theirManifests.read(THERE).join()).join();
  }

  private List<SegmentEntry> all(ManifestView view) {
    return view.from(0, 10_000).join();
  }

  @Test
  void allThatIsHeldIsNamedAsItIs() {
    ManifestWriter writer = theirHistory(0, 250);
    writer.advanceStart(35).join();
    ManifestView adopted = adopt();
    assertThat(all(adopted)).isEqualTo(all(theirManifests.read(THERE).join()));
    assertThat(adopted.startOffset()).isEqualTo(35);
    assertThat(adopted.endOffset()).isEqualTo(2_500);
    assertThat(adopted.partition()).isEqualTo(HERE);
  }

  @Test
  void itGoesOnWhereItStoppedAndEndsForGoodWithTheFirstSegmentOfItsOwn() {
    theirHistory(0, 20);
    adopt();
    theirHistory(20, 30);
    assertThat(adopt().endOffset()).isEqualTo(300);
    ManifestWriter writer = ourManifests.acquire(HERE, 1).join();
    writer.add(List.of(new UploadedSegment(entry("ours", HERE, 300)))).join();
    theirHistory(30, 40);
    assertThat(Adoption.adopt(writer, theirManifests.read(THERE).join()).join().endOffset())
        .isEqualTo(310);
  }

  @Test
  void whatRetentionEmptiedIsNotAdoptedAgain() {
    theirHistory(0, 3);
    adopt();
    ManifestWriter writer = ourManifests.acquire(HERE, 1).join();
    writer.advanceStart(30).join();
    theirHistory(3, 6);
    ManifestView after = Adoption.adopt(writer, theirManifests.read(THERE).join()).join();
    assertThat(after.segmentCount()).isZero();
    assertThat(after.endOffset()).isEqualTo(30);
  }

  @Test
  void whatRetentionEmptiedThereBeginsWhereItEnded() {
    theirHistory(0, 3).advanceStart(45).join();
    ManifestView adopted = adopt();
    assertThat(adopted.segmentCount()).isZero();
    assertThat(adopted.startOffset()).isEqualTo(45);
    assertThat(adopted.endOffset()).isEqualTo(45);
    assertThat(Adoption.done(adopted).join()).isTrue();
  }

  @Test
  void whatIsEmptiedThereOnTheWayIsNotNamedAnyMore() {
    ManifestWriter there = theirHistory(0, 3);
    adopt();
    there.advanceStart(45).join();
    ManifestView adopted = adopt();
    assertThat(adopted.segmentCount()).isZero();
    assertThat(adopted.endOffset()).isEqualTo(45);
  }

  @Test
  void whatNeverHeldAnythingBeginsAnew() {
    theirManifests.acquire(THERE, 9).join();
    assertThat(adopt().endOffset()).isZero();
  }

  /** Puts one segment into the place of some, as a merge does. */
  private static void merge(ManifestWriter writer, int from, int to) {
    List<SegmentEntry> small = writer.view().from(10L * from, to - from).join();
    SegmentEntry one = entry("theirs", THERE, 10L * from, 10L * to, 77);
    Replacement merge =
        new Replacement(small, List.of(new UploadedSegment(one)), writer.view().compaction());
    writer.replace(merge).join();
  }

  @Test
  void whatWasMergedThereAcrossThePlaceWhereItStoppedIsTakenOverAnew() {
    theirHistory(0, 100);
    adopt();
    merge(theirHistory(100, 130), 95, 105);
    ManifestView adopted = adopt();
    assertThat(all(adopted)).isEqualTo(all(theirManifests.read(THERE).join()));
    assertThat(adopted.endOffset()).isEqualTo(1_300);
  }

  @Test
  void whatWasMergedThereBelowThePlaceWhereItStoppedIsTakenOverAnew() {
    ManifestWriter there = theirHistory(0, 100);
    there.advanceStart(35).join();
    adopt();
    merge(theirHistory(100, 130), 50, 60);
    ManifestView adopted = adopt();
    assertThat(all(adopted)).isEqualTo(all(theirManifests.read(THERE).join()));
    assertThat(adopted.startOffset()).isEqualTo(35);
  }

  @Test
  void whatExpiredThereBeyondThePlaceWhereItStoppedIsNoHole() {
    theirHistory(0, 20);
    adopt();
    theirHistory(20, 40).advanceStart(305).join();
    ManifestView adopted = adopt();
    assertThat(all(adopted)).isEqualTo(all(theirManifests.read(THERE).join()));
    assertThat(adopted.startOffset()).isEqualTo(305);
  }

  @Test
  void copiesAndDeletedRecordsOfATopicThatServedStayWhateverIsMergedThere() {
    theirHistory(0, 20);
    adopt();
    ManifestWriter writer = ourManifests.acquire(HERE, 1).join();
    SegmentEntry copied = writer.view().from(50, 1).join().get(0);
    SegmentEntry copy = entry("ours", HERE, 50, 60, 78);
    UploadedSegment uploaded = new UploadedSegment(copy);
    writer
        .replace(new Replacement(List.of(copied), List.of(uploaded), writer.view().compaction()))
        .join();
    merge(theirHistory(20, 30), 15, 25);
    ManifestView source = theirManifests.read(THERE).join();
    assertThat(all(Adoption.adopt(writer, source).join())).contains(copy).hasSize(20);
    writer.advanceStart(65).join();
    ManifestView adopted = Adoption.adopt(writer, source).join();
    assertThat(adopted.startOffset()).isEqualTo(65);
    assertThat(adopted.endOffset()).isEqualTo(200);
  }

  @Test
  void aRetiredForeignSegmentIsForgottenAndAnObjectOfItsNameStays() {
    theirHistory(0, 2);
    adopt();
    ManifestWriter writer = ourManifests.acquire(HERE, 1).join();
    writer.add(List.of(new UploadedSegment(entry("ours", HERE, 20)))).join();
    List<SegmentEntry> named = all(writer.view());
    for (SegmentEntry entry : named) {
      ours.put(entry.object(), Payload.of(ByteBuffer.allocate(1))).join();
    }
    writer.delete().join();
    RetiredObjects retired = new RetiredObjects("ours", ours);
    assertThat(retired.delete(writer, 100).join()).isEqualTo(3);
    assertThat(ours.head(named.get(0).object()).join()).isPresent();
    assertThat(ours.head(named.get(1).object()).join()).isPresent();
    assertThat(ours.head(named.get(2).object()).join()).isEmpty();
  }
}
