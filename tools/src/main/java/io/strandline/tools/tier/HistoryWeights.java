package io.strandline.tools.tier;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;

/**
 * What all of the history of topics weighs: what a replica that can not begin at the tier's end,
 * Apache Kafka's, is sent and keeps.
 */
public final class HistoryWeights {
  private static final int SEGMENTS = 512;

  private final Admin admin;
  private final Manifests manifests;

  public HistoryWeights(Admin admin, Manifests manifests) {
    this.admin = admin;
    this.manifests = manifests;
  }

  /**
   * A partition's history.
   *
   * @param tierBytes what the leader has in the tier alone
   * @param localBytes what it has on its disk
   */
  public record Weight(long tierBytes, long localBytes) {
    Weight and(Weight other) {
      return new Weight(tierBytes + other.tierBytes, localBytes + other.localBytes);
    }

    public long bytes() {
      return tierBytes + localBytes;
    }
  }

  /**
   * By topic.
   *
   * @param topics all of the cluster's if there are none
   * @throws IllegalStateException a partition has no leader
   */
  public Map<String, Weight> of(Collection<String> topics)
      throws ExecutionException, InterruptedException {
    Set<String> names = topics.isEmpty() ? admin.listTopics().names().get() : new TreeSet<>(topics);
    Map<TopicPartition, Integer> leaders = new HashMap<>();
    Map<TopicPartition, TopicIdPartition> ids = new HashMap<>();
    for (TopicDescription topic : admin.describeTopics(names).allTopicNames().get().values()) {
      for (TopicPartitionInfo info : topic.partitions()) {
        TopicPartition partition = new TopicPartition(topic.name(), info.partition());
        if (info.leader() == null) {
          throw new IllegalStateException("nobody leads " + partition);
        }
        leaders.put(partition, info.leader().id());
        ids.put(partition, new TopicIdPartition(topic.topicId(), partition));
      }
    }
    Map<TopicPartition, Long> starts = offsets(leaders.keySet(), OffsetSpec.earliest());
    Map<TopicPartition, Long> locals = offsets(leaders.keySet(), OffsetSpec.earliestLocal());
    Map<TopicPartition, Long> onDisk = onDisk(leaders);
    Map<String, Weight> weights = new TreeMap<>();
    for (Map.Entry<TopicPartition, TopicIdPartition> id : ids.entrySet()) {
      TopicPartition partition = id.getKey();
      long tierBytes =
          tierBytes(
              manifests.read(id.getValue()).join(),
              starts.getOrDefault(partition, 0L),
              locals.getOrDefault(partition, 0L));
      weights.merge(
          partition.topic(),
          new Weight(tierBytes, onDisk.getOrDefault(partition, 0L)),
          Weight::and);
    }
    return weights;
  }

  private Map<TopicPartition, Long> offsets(Set<TopicPartition> partitions, OffsetSpec which)
      throws ExecutionException, InterruptedException {
    return admin
        .listOffsets(partitions.stream().collect(Collectors.toMap(p -> p, p -> which)))
        .all()
        .get()
        .entrySet()
        .stream()
        .collect(Collectors.toMap(Map.Entry::getKey, found -> found.getValue().offset()));
  }

  /** What each leader has of its partitions. */
  private Map<TopicPartition, Long> onDisk(Map<TopicPartition, Integer> leaders)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, Long> bytes = new HashMap<>();
    admin
        .describeLogDirs(new TreeSet<>(leaders.values()))
        .allDescriptions()
        .get()
        .forEach(
            (broker, directories) ->
                directories
                    .values()
                    .forEach(
                        directory ->
                            directory
                                .replicaInfos()
                                .forEach(
                                    (partition, replica) -> {
                                      if (broker.equals(leaders.get(partition))) {
                                        bytes.merge(partition, replica.size(), Long::sum);
                                      }
                                    })));
    return bytes;
  }

  /** Segments below the leader's own, without those that the log has left behind. */
  private static long tierBytes(ManifestView view, long start, long localStart) {
    long bytes = 0;
    long next = Math.max(start, view.startOffset());
    List<SegmentEntry> entries = new ArrayList<>(view.from(next, SEGMENTS).join());
    while (!entries.isEmpty()) {
      for (SegmentEntry entry : entries) {
        if (entry.endOffset() > localStart) {
          return bytes;
        }
        bytes += entry.dataBytes();
        next = entry.endOffset();
      }
      entries = view.from(next, SEGMENTS).join();
    }
    return bytes;
  }
}
