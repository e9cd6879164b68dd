package io.strandline.broker.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.control.snapshot.RestoredCluster;
import io.strandline.tiering.manifest.FencedException;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a restore takes from nodes of the lost cluster that still run. */
class ClusterRestoreTest {
  private static final Uuid TOPIC = new Uuid(1, 2);
  private static final TopicIdPartition TIERED = new TopicIdPartition(TOPIC, 0, "orders");
  private static final TopicIdPartition NEVER = new TopicIdPartition(TOPIC, 1, "orders");
  private static final int SAVED_EPOCH = 3;

  @TempDir Path dir;

  private final ObjectStore store = new MemoryObjectStore(Runnable::run, InstantSource.system());
  private final Random random = new Random(1);
  private final Manifests manifests = manifests();

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
        .containsExactlyInAnyOrder(TIERED, NEVER);
    assertThat(manifests.read(NEVER).join().version()).isZero();
    assertThat(new MetadataBackups(store).generation().join()).isZero();
  }

  private ClusterRestore restore() {
    return new ClusterRestore(store, manifests(), warning -> {});
  }

  /** What a cluster leaves in its bucket: a topic of two partitions, the first of them tiered. */
  private void lose() throws IOException {
    StoreOwner.claim(store, "cluster", new SplittableRandom(1)).join();
    manifests.acquire(TIERED, SAVED_EPOCH).join();
    List<ApiMessageAndVersion> records = new ArrayList<>();
    records.add(
        new ApiMessageAndVersion(new TopicRecord().setName("orders").setTopicId(TOPIC), (short) 0));
    for (TopicIdPartition partition : List.of(TIERED, NEVER)) {
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
