package io.strandline.broker.group;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.PeerRequests;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Partitions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.apache.kafka.server.util.PartitionMetadataClient;
import org.jspecify.annotations.Nullable;

/**
 * The ends of partitions as their leaders know them, here or on other brokers; asked for the lag of
 * share groups. Asked once: who wants to know asks again after an error.
 */
final class LatestOffsets implements PartitionMetadataClient {
  private final Supplier<ClusterView> view;
  private final Partitions partitions;
  private final PeerRequests peers;

  LatestOffsets(Supplier<ClusterView> view, Partitions partitions, PeerRequests peers) {
    this.view = view;
    this.partitions = partitions;
    this.peers = peers;
  }

  @Override
  public Map<TopicPartition, CompletableFuture<OffsetResponse>> listLatestOffsets(
      Set<TopicPartition> asked) {
    ClusterView now = view.get();
    Map<TopicPartition, CompletableFuture<OffsetResponse>> offsets = new HashMap<>();
    Map<Integer, Map<TopicPartition, CompletableFuture<OffsetResponse>>> elsewhere =
        new HashMap<>();
    for (TopicPartition tp : asked) {
      int leader = now.partition(tp).map(PartitionState::leader).orElse(-1);
      CompletableFuture<OffsetResponse> offset = new CompletableFuture<>();
      offsets.put(tp, offset);
      if (leader == now.nodeId()) {
        offset.complete(here(tp));
      } else if (leader < 0) {
        offset.complete(new OffsetResponse(-1, Errors.LEADER_NOT_AVAILABLE));
      } else {
        elsewhere.computeIfAbsent(leader, id -> new HashMap<>()).put(tp, offset);
      }
    }
    elsewhere.forEach(this::ask);
    return offsets;
  }

  private OffsetResponse here(TopicPartition tp) {
    Optional<Partition> led = partitions.hosted(tp).filter(Partition::leads);
    return led.isPresent()
        ? new OffsetResponse(led.get().highWatermark(), Errors.NONE)
        : new OffsetResponse(-1, Errors.NOT_LEADER_OR_FOLLOWER);
  }

  private void ask(int broker, Map<TopicPartition, CompletableFuture<OffsetResponse>> waiting) {
    List<ListOffsetsTopic> topics =
        waiting.keySet().stream()
            .collect(Collectors.groupingBy(TopicPartition::topic))
            .entrySet()
            .stream()
            .map(
                topic ->
                    new ListOffsetsTopic()
                        .setName(topic.getKey())
                        .setPartitions(
                            topic.getValue().stream().map(LatestOffsets::latest).toList()))
            .toList();
    var unused =
        peers
            .send(
                broker,
                ListOffsetsRequest.Builder.forConsumer(true, IsolationLevel.READ_UNCOMMITTED)
                    .setTargetTimes(topics))
            .whenComplete((response, failure) -> tell(waiting, response));
  }

  private static ListOffsetsPartition latest(TopicPartition tp) {
    return new ListOffsetsPartition()
        .setPartitionIndex(tp.partition())
        .setTimestamp(ListOffsetsRequest.LATEST_TIMESTAMP);
  }

  private static void tell(
      Map<TopicPartition, CompletableFuture<OffsetResponse>> waiting,
      @Nullable AbstractResponse response) {
    if (response instanceof ListOffsetsResponse answer) {
      answer
          .topics()
          .forEach(topic -> topic.partitions().forEach(p -> tell(waiting, topic.name(), p)));
    }
    waiting
        .values()
        .forEach(offset -> offset.complete(new OffsetResponse(-1, Errors.NETWORK_EXCEPTION)));
  }

  private static void tell(
      Map<TopicPartition, CompletableFuture<OffsetResponse>> waiting,
      String topic,
      ListOffsetsPartitionResponse answer) {
    CompletableFuture<OffsetResponse> offset =
        waiting.get(new TopicPartition(topic, answer.partitionIndex()));
    if (offset != null) {
      offset.complete(new OffsetResponse(answer.offset(), Errors.forCode(answer.errorCode())));
    }
  }

  @Override
  public void close() {
    peers.close();
  }
}
