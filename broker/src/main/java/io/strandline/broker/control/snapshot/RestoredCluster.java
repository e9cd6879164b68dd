package io.strandline.broker.control.snapshot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.DirectoryId;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.RegisterControllerRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.metadata.LeaderRecoveryState;
import org.apache.kafka.raft.VoterSet;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.apache.kafka.snapshot.FileRawSnapshotWriter;

/**
 * A saved cluster, changed so that one new node can begin with it.
 *
 * <ul>
 *   <li>Brokers and controllers that are gone are not registered any more.
 *   <li>Each partition has one replica, on that node, in no directory yet, as if it had led when it
 *       was lost; the controller elects it again when it comes up. Its leader epoch is above every
 *       one the lost cluster can have had.
 *   <li>Producer ids go on far above what the saved cluster had given out.
 *   <li>All else, ids, configurations, ACLs, SCRAM credentials, quotas, delegation tokens, feature
 *       levels, is as it was.
 * </ul>
 *
 * @param clusterId as before
 * @param endOffset,epoch of the snapshot to be written
 */
public record RestoredCluster(
    String clusterId, long endOffset, int epoch, List<ApiMessageAndVersion> records) {
  /** Given out since the last backup, at the very most; a block has a thousand. */
  private static final long PRODUCER_IDS_SKIPPED = 1_000_000;

  /**
   * What to change.
   *
   * @param node the one that is to hold everything
   * @param leaderEpochs of each partition
   * @param gone topics to be left out
   * @param generation of the restored cluster
   */
  public record Plan(
      int node, ToIntFunction<TopicIdPartition> leaderEpochs, Set<Uuid> gone, int generation) {}

  /** Changes a saved cluster. */
  public static RestoredCluster of(String clusterId, SavedCluster saved, Plan plan) {
    List<ApiMessageAndVersion> records = new ArrayList<>(saved.records().size());
    Map<Uuid, String> names = new HashMap<>();
    Set<String> goneNames = new java.util.HashSet<>();
    for (ApiMessageAndVersion record : saved.records()) {
      if (record.message() instanceof TopicRecord topic) {
        names.put(topic.topicId(), topic.name());
        if (plan.gone().contains(topic.topicId())) {
          goneNames.add(topic.name());
        }
      }
      change(record, plan, names, goneNames).ifPresent(records::add);
    }
    records.add(
        new ApiMessageAndVersion(
            new ConfigRecord()
                .setResourceType(ConfigResource.Type.BROKER.id())
                .setResourceName("")
                .setName(SavedCluster.GENERATION)
                .setValue(Integer.toString(plan.generation())),
            (short) 0));
    return new RestoredCluster(clusterId, saved.endOffset(), saved.epoch() + 1, records);
  }

  private static Optional<ApiMessageAndVersion> change(
      ApiMessageAndVersion record, Plan plan, Map<Uuid, String> names, Set<String> goneNames) {
    if (record.message() instanceof RegisterBrokerRecord
        || record.message() instanceof RegisterControllerRecord
        || (record.message() instanceof TopicRecord topic && plan.gone().contains(topic.topicId()))
        || (record.message() instanceof ConfigRecord config && leftOut(config, goneNames))) {
      return Optional.empty();
    }
    if (record.message() instanceof ProducerIdsRecord ids) {
      ids.setNextProducerId(ids.nextProducerId() + PRODUCER_IDS_SKIPPED);
    } else if (record.message() instanceof PartitionRecord partition) {
      if (plan.gone().contains(partition.topicId())) {
        return Optional.empty();
      }
      TopicIdPartition id =
          new TopicIdPartition(
              partition.topicId(),
              partition.partitionId(),
              names.getOrDefault(partition.topicId(), "?"));
      move(partition, plan.node(), plan.leaderEpochs().applyAsInt(id), record.version());
    }
    return Optional.of(record);
  }

  private static boolean leftOut(ConfigRecord config, Set<String> goneNames) {
    return SavedCluster.isGeneration(config)
        || (config.resourceType() == ConfigResource.Type.TOPIC.id()
            && goneNames.contains(config.resourceName()));
  }

  private static void move(PartitionRecord partition, int node, int leaderEpoch, short version) {
    partition
        .setReplicas(List.of(node))
        .setIsr(List.of(node))
        .setAddingReplicas(List.of())
        .setRemovingReplicas(List.of())
        .setEligibleLeaderReplicas(null)
        .setLastKnownElr(null)
        .setLeader(node)
        .setLeaderEpoch(leaderEpoch)
        .setLeaderRecoveryState(LeaderRecoveryState.RECOVERED.value())
        .setPartitionEpoch(partition.partitionEpoch() + 1);
    if (version > 0) {
      partition.setDirectories(List.of(DirectoryId.UNASSIGNED));
    }
  }

  /**
   * Writes the snapshot where a quorum's node finds it.
   *
   * @param metadataDirectory of the node; not formatted yet
   * @param voters the new quorum; empty where it is configured and not stored
   */
  public void write(Path metadataDirectory, Optional<VoterSet> voters, long nowMs) {
    try (FileRawSnapshotWriter out =
        FileRawSnapshotWriter.create(
            metadataDirectory.resolve("__cluster_metadata-0"),
            new OffsetAndEpoch(endOffset, epoch))) {
      SnapshotCodec.write(out, records, voters, nowMs);
    }
  }
}
