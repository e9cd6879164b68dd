package io.strandline.tests.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * In which log directories the controller has replicas (KIP-858), read from a controller's metadata
 * log: no request tells.
 */
final class AssignedDirectories {
  private final Map<Uuid, String> topics = new HashMap<>();
  private final Map<TopicPartition, Map<Integer, Uuid>> known = new HashMap<>();

  private AssignedDirectories() {}

  /** As a controller's log has it now. */
  static AssignedDirectories of(TestCluster cluster, int controller) throws IOException {
    AssignedDirectories found = new AssignedDirectories();
    Path data = cluster.directory(controller).resolve("data");
    for (Path log : KafkaPeer.logs(data, "__cluster_metadata-0")) {
      found.read(log);
    }
    return found;
  }

  /** The id of a log directory. */
  static Uuid id(Path directory) throws IOException {
    Properties meta = new Properties();
    try (var reader = Files.newBufferedReader(directory.resolve("meta.properties"))) {
      meta.load(reader);
    }
    return Uuid.fromString(meta.getProperty("directory.id"));
  }

  /** The directory of a broker's replica. */
  Uuid get(TopicPartition partition, int broker) {
    return known.getOrDefault(partition, Map.of()).getOrDefault(broker, Uuid.ZERO_UUID);
  }

  private void read(Path log) throws IOException {
    MetadataRecordSerde serde = new MetadataRecordSerde();
    FileRecords records = FileRecords.open(log.toFile(), false);
    try {
      for (RecordBatch batch : records.batches()) {
        if (batch.isControlBatch()) {
          continue;
        }
        for (Record each : batch) {
          take(serde.read(new ByteBufferAccessor(each.value()), each.valueSize()));
        }
      }
    } finally {
      records.closeHandlers(); // close would cut off what the node wrote meanwhile, or try to
    }
  }

  private void take(ApiMessageAndVersion read) {
    if (read.message() instanceof TopicRecord topic) {
      topics.put(topic.topicId(), topic.name());
    } else if (read.message() instanceof PartitionRecord made) {
      put(partition(made.topicId(), made.partitionId()), made.replicas(), made.directories());
    } else if (read.message() instanceof PartitionChangeRecord change
        && change.directories() != null) {
      TopicPartition partition = partition(change.topicId(), change.partitionId());
      List<Integer> replicas =
          change.replicas() != null
              ? change.replicas()
              : List.copyOf(known.getOrDefault(partition, Map.of()).keySet());
      put(partition, replicas, change.directories());
    }
  }

  private TopicPartition partition(Uuid topic, int partition) {
    return new TopicPartition(topics.getOrDefault(topic, topic.toString()), partition);
  }

  private void put(TopicPartition partition, List<Integer> replicas, List<Uuid> directories) {
    Map<Integer, Uuid> places = new java.util.LinkedHashMap<>();
    for (int i = 0; i < replicas.size() && i < directories.size(); i++) {
      places.put(replicas.get(i), directories.get(i));
    }
    known.put(partition, places);
  }
}
