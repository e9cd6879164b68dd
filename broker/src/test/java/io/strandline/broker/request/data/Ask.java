package io.strandline.broker.request.data;

import io.strandline.broker.replica.TierMark;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.requests.FetchMetadata;
import org.apache.kafka.common.requests.FetchRequest;

/** A fetch in the making. */
final class Ask {
  private final Map<TopicPartition, FetchRequest.PartitionData> partitions = new LinkedHashMap<>();
  private final List<TopicIdPartition> forgotten = new ArrayList<>();
  private int waitMs = 500;
  private int minBytes = 1;
  private int maxBytes = 1 << 20;
  private FetchMetadata metadata = FetchMetadata.LEGACY;
  private IsolationLevel isolation = IsolationLevel.READ_UNCOMMITTED;
  private boolean wishes;
  private Optional<Integer> leaderEpoch = Optional.empty();
  private int replica = 2;
  private Optional<Integer> lastFetchedEpoch = Optional.empty();
  private short version = 17;

  /** As of an older client. */
  Ask version(int version) {
    this.version = (short) version;
    return this;
  }

  /** Of the partitions named after this. */
  Ask believing(int epoch) {
    leaderEpoch = Optional.of(epoch);
    return this;
  }

  /** With this number for a replica's, instead of the other one's. */
  Ask as(int replica) {
    this.replica = replica;
    return this;
  }

  /** As the other replica, whose newest batch is of this epoch, of the partitions named after. */
  Ask following(int epoch) {
    lastFetchedEpoch = Optional.of(epoch);
    return this;
  }

  Ask from(int partition, long offset) {
    return from(partition, offset, 1 << 20);
  }

  Ask from(int partition, long offset, int maxBytes) {
    partitions.put(
        new TopicPartition(DataRig.NAME, partition),
        new FetchRequest.PartitionData(
            DataRig.TOPIC, offset, -1, maxBytes, leaderEpoch, lastFetchedEpoch));
    return this;
  }

  Ask forget(int partition) {
    forgotten.add(new TopicIdPartition(DataRig.TOPIC, partition, DataRig.NAME));
    return this;
  }

  Ask waitMs(int ms) {
    waitMs = ms;
    return this;
  }

  Ask minBytes(int bytes) {
    minBytes = bytes;
    return this;
  }

  Ask maxBytes(int bytes) {
    maxBytes = bytes;
    return this;
  }

  Ask session(int id, int epoch) {
    metadata = new FetchMetadata(id, epoch);
    return this;
  }

  Ask committed() {
    isolation = IsolationLevel.READ_COMMITTED;
    return this;
  }

  /** As replay brokers do. */
  Ask wishingForTheTiersEnd() {
    wishes = true;
    return this;
  }

  FetchRequest build() {
    FetchRequest made =
        (lastFetchedEpoch.isPresent()
                ? FetchRequest.Builder.forReplica(version, replica, 1, waitMs, minBytes, partitions)
                : FetchRequest.Builder.forConsumer(version, waitMs, minBytes, partitions))
            .setMaxBytes(maxBytes)
            .metadata(metadata)
            .isolationLevel(isolation)
            .removed(forgotten)
            .build(version);
    if (wishes) {
      made.data().unknownTaggedFields().add(TierMark.wish());
    }
    return FetchRequest.parse(made.serialize(), version);
  }
}
