package io.strandline.broker.control.snapshot;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * A cluster as a snapshot of its metadata describes it.
 *
 * @param endOffset,epoch of the snapshot
 * @param partitions leader epochs of all partitions
 * @param brokers ids of the brokers that were registered
 * @param generation how often the cluster was restored before; 0 for never
 * @param counts records by type, for a report
 */
public record SavedCluster(
    long endOffset,
    int epoch,
    Map<TopicIdPartition, Integer> partitions,
    List<Integer> brokers,
    int generation,
    Map<String, Integer> counts,
    List<ApiMessageAndVersion> records) {
  /** Cluster-wide key of ours among the brokers' dynamic configuration: see {@code generation}. */
  public static final String GENERATION = "strandline.restore.generation";

  /**
   * Reads a snapshot.
   *
   * @throws org.apache.kafka.common.errors.CorruptRecordException if it is damaged or not whole
   */
  public static SavedCluster of(MetadataSnapshot snapshot) {
    List<ApiMessageAndVersion> records = SnapshotCodec.decode(snapshot);
    Map<Uuid, String> names = new HashMap<>();
    Map<TopicIdPartition, Integer> partitions = new HashMap<>();
    TreeSet<Integer> brokers = new TreeSet<>();
    TreeMap<String, Integer> counts = new TreeMap<>();
    int generation = 0;
    for (ApiMessageAndVersion record : records) {
      counts.merge(MetadataRecordType.fromId(record.message().apiKey()).name(), 1, Integer::sum);
      if (record.message() instanceof TopicRecord topic) {
        names.put(topic.topicId(), topic.name());
      } else if (record.message() instanceof PartitionRecord partition) {
        String name = names.getOrDefault(partition.topicId(), "?");
        partitions.put(
            new TopicIdPartition(partition.topicId(), partition.partitionId(), name),
            partition.leaderEpoch());
      } else if (record.message() instanceof RegisterBrokerRecord broker) {
        brokers.add(broker.brokerId());
      } else if (record.message() instanceof ConfigRecord config && isGeneration(config)) {
        generation = Integer.parseInt(config.value());
      }
    }
    return new SavedCluster(
        snapshot.endOffset(),
        snapshot.epoch(),
        Map.copyOf(partitions),
        new ArrayList<>(brokers),
        generation,
        Map.copyOf(counts),
        records);
  }

  static boolean isGeneration(ConfigRecord config) {
    return config.resourceType() == ConfigResource.Type.BROKER.id()
        && config.resourceName().isEmpty()
        && config.name().equals(GENERATION);
  }
}
