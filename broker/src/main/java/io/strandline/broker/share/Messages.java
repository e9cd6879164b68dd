package io.strandline.broker.share;

import java.util.List;
import org.apache.kafka.common.message.DeleteShareGroupStateRequestData;
import org.apache.kafka.common.message.InitializeShareGroupStateRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateSummaryRequestData;
import org.apache.kafka.common.message.WriteShareGroupStateRequestData;
import org.apache.kafka.common.message.WriteShareGroupStateRequestData.StateBatch;
import org.apache.kafka.server.share.persister.DeleteShareGroupStateParameters;
import org.apache.kafka.server.share.persister.InitializeShareGroupStateParameters;
import org.apache.kafka.server.share.persister.PartitionStateBatchData;
import org.apache.kafka.server.share.persister.ReadShareGroupStateParameters;
import org.apache.kafka.server.share.persister.ReadShareGroupStateSummaryParameters;
import org.apache.kafka.server.share.persister.WriteShareGroupStateParameters;

/** What is asked of a persister as the requests that a share coordinator understands. */
final class Messages {
  private Messages() {}

  static InitializeShareGroupStateRequestData initialize(
      InitializeShareGroupStateParameters asked) {
    var all = asked.groupTopicPartitionData();
    return new InitializeShareGroupStateRequestData()
        .setGroupId(all.groupId())
        .setTopics(
            all.topicsData().stream()
                .map(
                    topic ->
                        new InitializeShareGroupStateRequestData.InitializeStateData()
                            .setTopicId(topic.topicId())
                            .setPartitions(
                                topic.partitions().stream()
                                    .map(
                                        p ->
                                            new InitializeShareGroupStateRequestData.PartitionData()
                                                .setPartition(p.partition())
                                                .setStateEpoch(p.stateEpoch())
                                                .setStartOffset(p.startOffset()))
                                    .toList()))
                .toList());
  }

  static ReadShareGroupStateRequestData read(ReadShareGroupStateParameters asked) {
    var all = asked.groupTopicPartitionData();
    return new ReadShareGroupStateRequestData()
        .setGroupId(all.groupId())
        .setTopics(
            all.topicsData().stream()
                .map(
                    topic ->
                        new ReadShareGroupStateRequestData.ReadStateData()
                            .setTopicId(topic.topicId())
                            .setPartitions(
                                topic.partitions().stream()
                                    .map(
                                        p ->
                                            new ReadShareGroupStateRequestData.PartitionData()
                                                .setPartition(p.partition())
                                                .setLeaderEpoch(p.leaderEpoch()))
                                    .toList()))
                .toList());
  }

  static WriteShareGroupStateRequestData write(WriteShareGroupStateParameters asked) {
    var all = asked.groupTopicPartitionData();
    return new WriteShareGroupStateRequestData()
        .setGroupId(all.groupId())
        .setTopics(
            all.topicsData().stream()
                .map(
                    topic ->
                        new WriteShareGroupStateRequestData.WriteStateData()
                            .setTopicId(topic.topicId())
                            .setPartitions(
                                topic.partitions().stream().map(Messages::written).toList()))
                .toList());
  }

  private static WriteShareGroupStateRequestData.PartitionData written(PartitionStateBatchData p) {
    List<StateBatch> batches =
        p.stateBatches().stream()
            .map(
                batch ->
                    new StateBatch()
                        .setFirstOffset(batch.firstOffset())
                        .setLastOffset(batch.lastOffset())
                        .setDeliveryState(batch.deliveryState())
                        .setDeliveryCount(batch.deliveryCount()))
            .toList();
    return new WriteShareGroupStateRequestData.PartitionData()
        .setPartition(p.partition())
        .setStateEpoch(p.stateEpoch())
        .setLeaderEpoch(p.leaderEpoch())
        .setStartOffset(p.startOffset())
        .setDeliveryCompleteCount(p.deliveryCompleteCount())
        .setStateBatches(batches);
  }

  static DeleteShareGroupStateRequestData delete(DeleteShareGroupStateParameters asked) {
    var all = asked.groupTopicPartitionData();
    return new DeleteShareGroupStateRequestData()
        .setGroupId(all.groupId())
        .setTopics(
            all.topicsData().stream()
                .map(
                    topic ->
                        new DeleteShareGroupStateRequestData.DeleteStateData()
                            .setTopicId(topic.topicId())
                            .setPartitions(
                                topic.partitions().stream()
                                    .map(
                                        p ->
                                            new DeleteShareGroupStateRequestData.PartitionData()
                                                .setPartition(p.partition()))
                                    .toList()))
                .toList());
  }

  static ReadShareGroupStateSummaryRequestData summary(ReadShareGroupStateSummaryParameters asked) {
    var all = asked.groupTopicPartitionData();
    return new ReadShareGroupStateSummaryRequestData()
        .setGroupId(all.groupId())
        .setTopics(
            all.topicsData().stream()
                .map(
                    topic ->
                        new ReadShareGroupStateSummaryRequestData.ReadStateSummaryData()
                            .setTopicId(topic.topicId())
                            .setPartitions(
                                topic.partitions().stream()
                                    .map(
                                        p ->
                                            new ReadShareGroupStateSummaryRequestData
                                                    .PartitionData()
                                                .setPartition(p.partition())
                                                .setLeaderEpoch(p.leaderEpoch()))
                                    .toList()))
                .toList());
  }
}
