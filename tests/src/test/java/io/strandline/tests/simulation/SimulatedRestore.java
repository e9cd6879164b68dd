package io.strandline.tests.simulation;

import io.strandline.broker.control.snapshot.RestoredCluster;
import io.strandline.broker.restore.ClusterRestore;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.store.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/** The metadata's backup, and the real restore of a cluster from it. */
final class SimulatedRestore {
  private final ObjectStore store;
  private final Manifests manifests;
  private final Path scratch;

  /**
   * @param store without faults, answered at once
   */
  SimulatedRestore(ObjectStore store, Manifests manifests, Path scratch) {
    this.store = store;
    this.manifests = manifests;
    this.scratch = scratch;
  }

  /** The metadata says at this moment that the partition is led in this epoch. */
  void backUp(int leaderEpoch) throws IOException {
    List<ApiMessageAndVersion> records =
        List.of(
            new ApiMessageAndVersion(
                new TopicRecord()
                    .setName(SimulatedCluster.PARTITION.topic())
                    .setTopicId(SimulatedCluster.PARTITION.topicId()),
                (short) 0),
            new ApiMessageAndVersion(
                new PartitionRecord()
                    .setTopicId(SimulatedCluster.PARTITION.topicId())
                    .setPartitionId(0)
                    .setReplicas(List.of(0, 1))
                    .setIsr(List.of(0, 1))
                    .setLeader(0)
                    .setLeaderEpoch(leaderEpoch),
                (short) 0));
    Path directory = scratch.resolve("metadata");
    new RestoredCluster(SimulatedCluster.CLUSTER, 2, 1, records)
        .write(directory, Optional.empty(), 0);
    try (Stream<Path> files = Files.walk(directory)) {
      Path snapshot =
          files.filter(f -> f.toString().endsWith(".checkpoint")).findFirst().orElseThrow();
      new MetadataBackups(store).put(0, 2, 1, ByteBuffer.wrap(Files.readAllBytes(snapshot))).join();
    }
  }

  /**
   * Restores the cluster around one node.
   *
   * @return the partition's leader epoch there
   */
  int restore(int node) {
    ClusterRestore.Found found = new ClusterRestore(store, manifests, warning -> {}).take();
    return ClusterRestore.plan(found, node).records().stream()
        .map(ApiMessageAndVersion::message)
        .filter(PartitionRecord.class::isInstance)
        .mapToInt(message -> ((PartitionRecord) message).leaderEpoch())
        .findFirst()
        .orElseThrow();
  }
}
