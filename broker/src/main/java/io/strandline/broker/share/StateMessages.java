package io.strandline.broker.share;

import io.strandline.broker.share.window.Change;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.errors.CoordinatorNotAvailableException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.share.SharePartitionKey;
import org.apache.kafka.server.share.persister.GroupTopicPartitionData;
import org.apache.kafka.server.share.persister.PartitionAllData;
import org.apache.kafka.server.share.persister.PartitionFactory;
import org.apache.kafka.server.share.persister.PartitionStateBatchData;
import org.apache.kafka.server.share.persister.PersisterStateBatch;
import org.apache.kafka.server.share.persister.ReadShareGroupStateParameters;
import org.apache.kafka.server.share.persister.ReadShareGroupStateResult;
import org.apache.kafka.server.share.persister.TopicData;
import org.apache.kafka.server.share.persister.WriteShareGroupStateParameters;
import org.apache.kafka.server.share.persister.WriteShareGroupStateResult;

/** What a share partition says to its persister, and what it makes of the answers. */
final class StateMessages {
  private StateMessages() {}

  static ReadShareGroupStateParameters read(SharePartitionKey key, int leaderEpoch) {
    return new ReadShareGroupStateParameters.Builder()
        .setGroupTopicPartitionData(
            new GroupTopicPartitionData<>(
                key.groupId(),
                List.of(
                    new TopicData<>(
                        key.topicId(),
                        List.of(
                            PartitionFactory.newPartitionIdLeaderEpochData(
                                key.partition(), leaderEpoch))))))
        .build();
  }

  static PartitionAllData only(ReadShareGroupStateResult read) {
    return read.topicsData().get(0).partitions().get(0);
  }

  static WriteShareGroupStateParameters write(
      SharePartitionKey key, PartitionStateBatchData state) {
    return new WriteShareGroupStateParameters.Builder()
        .setGroupTopicPartitionData(
            new GroupTopicPartitionData<>(
                key.groupId(), List.of(new TopicData<>(key.topicId(), List.of(state)))))
        .build();
  }

  static List<PersisterStateBatch> batches(List<Change> changes) {
    return changes.stream()
        .flatMap(change -> change.parts().stream())
        .map(
            part ->
                new PersisterStateBatch(
                    part.first(), part.last(), part.to().id(), (short) part.count()))
        .toList();
  }

  static void check(WriteShareGroupStateResult written) {
    var partition = written.topicsData().get(0).partitions().get(0);
    check(partition.errorCode(), partition.errorMessage());
  }

  /**
   * Throws what a client is told of the persister's error: whoever finds that state or leadership
   * moved on is to begin again.
   */
  static void check(short code, String message) {
    switch (Errors.forCode(code)) {
      case NONE -> {}
      case NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS ->
          throw new CoordinatorNotAvailableException(message);
      case GROUP_ID_NOT_FOUND -> throw new GroupIdNotFoundException(message);
      case UNKNOWN_TOPIC_OR_PARTITION -> throw new UnknownTopicOrPartitionException(message);
      case FENCED_LEADER_EPOCH, FENCED_STATE_EPOCH ->
          throw new NotLeaderOrFollowerException(message);
      default -> throw new UnknownServerException(message);
    }
  }

  /** Whether the state belongs to another now, or is gone. */
  static boolean fences(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause instanceof NotLeaderOrFollowerException
        || cause instanceof GroupIdNotFoundException
        || cause instanceof UnknownTopicOrPartitionException;
  }
}
