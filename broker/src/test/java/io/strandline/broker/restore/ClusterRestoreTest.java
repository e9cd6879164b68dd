package io.strandline.broker.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.control.snapshot.RestoredCluster;
import io.strandline.broker.restore.RestoredPartition.Known;
import io.strandline.tiering.manifest.FencedException;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.restore.RestoredEpochs;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a restore takes from nodes of the lost cluster that still run, and what it goes past. */
class ClusterRestoreTest {
  private static final Uuid TOPIC = new Uuid(1, 2);
  private static final TopicIdPartition TIERED = new TopicIdPartition(TOPIC, 0, "orders");
  private static final TopicIdPartition NEVER = new TopicIdPartition(TOPIC, 1, "orders");
  private static final TopicIdPartition OTHER = new TopicIdPartition(TOPIC, 2, "orders");
  private static final int SAVED_EPOCH = 3;

  @TempDir Path dir;

  private final ObjectStore store = new MemoryObjectStore(Runnable::run, InstantSource.system());
  private final Random random = new Random(1);
  private final Manifests manifests = manifests();
  private final List<String> warnings = new ArrayList<>();
  private final Map<ObjectKey, StoreException> failures = new HashMap<>();

  private Manifests manifests() {
    return StoreManifests.open(
        store,
        ManifestConfig.defaults(),
        new StoreManifests.Environment(
            InstantSource.system(), random, Runnable::run, new SimpleMeterRegistry()));
  }

  @Test
  void nobodyOfTheLostClusterTiersIntoAnyPartitionAnyMoreHadItBeenTieredOrNot() throws Exception {
    lose();
    ManifestWriter old = manifests.acquire(TIERED, SAVED_EPOCH + 2).join();
    ClusterRestore.Found found = restore().take();
    for (TopicIdPartition partition : List.of(TIERED, NEVER)) {
      assertThatThrownBy(() -> manifests().acquire(partition, SAVED_EPOCH + 2).join())
          .as("%s", partition)
          .hasCauseInstanceOf(FencedException.class);
    }
    assertThatThrownBy(() -> old.advanceStart(7).join()).hasCauseInstanceOf(FencedException.class);
    ClusterRestore.plan(found, 7).records().stream()
        .map(ApiMessageAndVersion::message)
        .filter(PartitionRecord.class::isInstance)
        .map(PartitionRecord.class::cast)
        .forEach(
            p -> {
              TopicIdPartition id = new TopicIdPartition(TOPIC, p.partitionId(), "orders");
              assertThat(p.leaderEpoch())
                  .as("%s goes on above the claim", id)
                  .isEqualTo(manifests.read(id).join().leaderEpoch() + 1);
              manifests.acquire(id, p.leaderEpoch()).join();
            });
  }

  @Test
  void aLookClaimsNothing() throws Exception {
    lose();
    ClusterRestore.Found found = restore().look();
    assertThat(found.partitions())
        .extracting(RestoredPartition::id)
        .containsExactlyInAnyOrder(TIERED, NEVER, OTHER);
    assertThat(manifests.read(NEVER).join().version()).isZero();
    assertThat(new MetadataBackups(store).generation().join()).isZero();
  }

  @Test
  void oneMissingSegmentHoldsUpNoOtherPartitionAndIsTold() throws Exception {
    ObjectKey lost = segment(TIERED, TIERED.topicId());
    segment(OTHER, OTHER.topicId());
    lose();
    store.delete(List.of(lost)).join();
    ClusterRestore.Found found = restore().take();
    assertThat(found.partitions())
        .filteredOn(p -> !p.id().equals(NEVER))
        .extracting(RestoredPartition::id, RestoredPartition::endOffset, RestoredPartition::known)
        .containsExactly(tuple(TIERED, 2L, Known.BOUNDS), tuple(OTHER, 2L, Known.ALL));
    assertThat(warnings)
        .singleElement()
        .asString()
        .contains("the last segment of orders-0", lost.value());
    assertThat(report(found))
        .contains("orders-0: offsets 0 to 1, goes on at 2 when its last segment can be read")
        .contains("orders-2: offsets 0 to 1, goes on at 2");
  }

  @Test
  void norDoesAManifestThatIsDamagedWhosePartitionGoesOnAboveWhateverItSays() throws Exception {
    lose();
    manifests.acquire(TIERED, SAVED_EPOCH + 2 * RestoredEpochs.SKIPPED).join();
    List<ObjectInfo> versions =
        store.list("", "", 1000).join().objects().stream()
            .filter(object -> object.key().value().contains("manifest"))
            .toList();
    assertThat(versions).isNotEmpty();
    Map<ObjectKey, ByteBuffer> whole = new HashMap<>();
    for (ObjectInfo version : versions) {
      whole.put(version.key(), store.get(version.key(), 1 << 20).join());
      store.put(version.key(), Payload.of(ByteBuffer.allocate(40))).join();
    }
    ClusterRestore.Found found = restore().take();
    assertThat(found.partitions())
        .filteredOn(p -> p.known() != Known.ALL)
        .singleElement()
        .satisfies(p -> assertThat(p.id()).isEqualTo(TIERED))
        .satisfies(p -> assertThat(p.known()).isEqualTo(Known.NOTHING));
    assertThat(warnings).singleElement().asString().contains("the manifest of orders-0");
    assertThat(report(found))
        .contains("orders-0: its manifest cannot be read, comes back when it can");
    whole.forEach((key, bytes) -> store.put(key, Payload.of(bytes)).join());
    int epoch =
        ClusterRestore.plan(found, 7).records().stream()
            .map(ApiMessageAndVersion::message)
            .filter(PartitionRecord.class::isInstance)
            .map(PartitionRecord.class::cast)
            .filter(p -> p.partitionId() == TIERED.partition())
            .findFirst()
            .orElseThrow()
            .leaderEpoch();
    assertThat(manifests().acquire(TIERED, epoch).join().view().leaderEpoch()).isEqualTo(epoch);
  }

  /** Its segments lie in another cluster's store, which a restore does not know. */
  @Test
  void ofAForeignTopicNothingIsAskedForThatIsNotHere() throws Exception {
    store.delete(List.of(segment(TIERED, new Uuid(8, 9)))).join();
    lose();
    assertThat(restore().take().partitions())
        .filteredOn(p -> p.id().equals(TIERED))
        .singleElement()
        .satisfies(p -> assertThat(p.known()).isEqualTo(Known.ALL))
        .satisfies(p -> assertThat(p.endOffset()).isEqualTo(2));
    assertThat(warnings).isEmpty();
  }

  @Test
  void aBackupThatIsForgedOrGoneIsPassedOverAndOneWhoseKeyIsMissingIsNot() throws Exception {
    lose();
    MetadataBackups backups = new MetadataBackups(store);
    backups.put(0, 8, 1, ByteBuffer.allocate(1)).join();
    backups.put(0, 9, 1, ByteBuffer.allocate(1)).join();
    List<ObjectKey> newer =
        backups.newest().join().stream().limit(2).map(MetadataBackups.Backup::key).toList();
    failures.put(newer.get(0), StoreException.Undeciphered.forged("changed"));
    failures.put(newer.get(1), new StoreException.NotFound("gone"));
    assertThat(restore().look().backup().endOffset()).isEqualTo(2);
    assertThat(warnings).hasSize(2).allMatch(line -> line.contains("is passed over"));
    failures.put(newer.get(0), StoreException.Undeciphered.lacks("k1", "is not at hand"));
    assertThatThrownBy(() -> restore().look())
        .hasCauseInstanceOf(StoreException.Undeciphered.class);
  }

  private static List<String> report(ClusterRestore.Found found) {
    List<String> lines = new ArrayList<>();
    RestoreReport.write(found, lines::add);
    return lines;
  }

  private ClusterRestore restore() {
    return new ClusterRestore(new Failing(store), manifests(), warnings::add);
  }

  /** Fails the GETs of whole objects that are to fail. */
  private final class Failing extends DecoratedObjectStore {
    Failing(ObjectStore inner) {
      super(inner);
    }

    @Override
    protected <T> CompletableFuture<T> around(
        StoreCall call, Supplier<CompletableFuture<T>> action) {
      return action.get();
    }

    @Override
    public CompletableFuture<ByteBuffer> get(ObjectKey key, int limitBytes) {
      StoreException failure = failures.get(key);
      return failure == null ? super.get(key, limitBytes) : CompletableFuture.failedFuture(failure);
    }
  }

  /** Two records, the first of an aborted transaction, written for a partition of that topic. */
  private ObjectKey segment(TopicIdPartition partition, Uuid origin) throws IOException {
    TopicIdPartition there = new TopicIdPartition(origin, partition.topicPartition());
    ByteBuffer records =
        MemoryRecords.withRecords(
                0,
                Compression.NONE,
                SAVED_EPOCH,
                new SimpleRecord("a".getBytes(StandardCharsets.UTF_8)),
                new SimpleRecord("b".getBytes(StandardCharsets.UTF_8)))
            .buffer();
    byte[] bytes = new byte[records.remaining()];
    records.get(bytes);
    Path file = Files.write(dir.resolve("segment-" + partition.partition()), bytes);
    EncodedSegment encoded =
        SegmentFormat.encode(
            new SegmentParts(
                there,
                file,
                Files.size(file),
                0,
                2,
                List.of(new AbortedTransaction(5, 0, 1, 0)),
                List.of(new EpochStart(SAVED_EPOCH, 0)),
                Optional.empty()));
    ObjectKey key = SegmentId.of(there, 0, 1).key();
    store.put(key, encoded.payload()).join();
    ManifestWriter writer = manifests.acquire(partition, SAVED_EPOCH).join();
    writer.add(List.of(new UploadedSegment(encoded.entry("cluster", key)))).join();
    return key;
  }

  /** What a cluster leaves in its bucket: a topic of three partitions, the first of them tiered. */
  private void lose() throws IOException {
    StoreOwner.claim(store, "cluster", new SplittableRandom(1)).join();
    manifests.acquire(TIERED, SAVED_EPOCH).join();
    List<ApiMessageAndVersion> records = new ArrayList<>();
    records.add(
        new ApiMessageAndVersion(new TopicRecord().setName("orders").setTopicId(TOPIC), (short) 0));
    for (TopicIdPartition partition : List.of(TIERED, NEVER, OTHER)) {
      records.add(
          new ApiMessageAndVersion(
              new PartitionRecord()
                  .setTopicId(TOPIC)
                  .setPartitionId(partition.partition())
                  .setReplicas(List.of(1))
                  .setIsr(List.of(1))
                  .setLeader(1)
                  .setLeaderEpoch(SAVED_EPOCH),
              (short) 0));
    }
    new RestoredCluster("cluster", 2, 1, records).write(dir, Optional.empty(), 0);
    try (Stream<Path> files = Files.walk(dir)) {
      Path snapshot =
          files.filter(f -> f.toString().endsWith(".checkpoint")).findFirst().orElseThrow();
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(snapshot));
      new MetadataBackups(store).put(0, 2, 1, bytes).join();
    }
  }
}
