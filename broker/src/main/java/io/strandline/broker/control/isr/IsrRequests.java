package io.strandline.broker.control.isr;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongSupplier;
import kafka.server.DefaultAlterPartitionManager;
import org.apache.kafka.common.message.AlterPartitionRequestData.BrokerState;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.metadata.LeaderAndIsr;
import org.apache.kafka.metadata.LeaderRecoveryState;
import org.apache.kafka.server.common.NodeToControllerChannelManager;
import org.apache.kafka.server.common.TopicIdPartition;
import org.apache.kafka.server.util.KafkaScheduler;

/**
 * AlterPartition requests by Kafka's own hands: many partitions in one, one on its way at a time,
 * repeated until a controller answers.
 */
public final class IsrRequests implements AutoCloseable {
  private final int node;
  private final DefaultAlterPartitionManager manager;
  private final KafkaScheduler scheduler = new KafkaScheduler(1, true, "alter-partition-");

  public IsrRequests(
      NodeToControllerChannelManager channel, Time time, int node, LongSupplier brokerEpoch) {
    this.node = node;
    scheduler.startup();
    this.manager =
        new DefaultAlterPartitionManager(
            channel, scheduler, time, node, () -> brokerEpoch.getAsLong());
    manager.start();
  }

  public CompletableFuture<IsrChange.Answer> submit(IsrChange change) {
    List<BrokerState> wanted =
        change.isr().stream()
            .map(
                member ->
                    new BrokerState()
                        .setBrokerId(member.broker())
                        .setBrokerEpoch(member.brokerEpoch()))
            .toList();
    return manager
        .submit(
            new TopicIdPartition(change.id().topicId(), change.id().partition()),
            new LeaderAndIsr(
                node,
                change.leaderEpoch(),
                // Whoever leads has recovered what an unclean election left (KIP-704).
                LeaderRecoveryState.RECOVERED,
                wanted,
                change.partitionEpoch()))
        .handle(
            (done, failure) -> {
              if (failure != null) {
                throw failure instanceof CompletionException known
                    ? known
                    : new CompletionException(failure);
              }
              return new IsrChange.Answer(
                  done.leaderEpoch(),
                  done.partitionEpoch(),
                  done.isrWithBrokerEpoch().stream().map(BrokerState::brokerId).toList());
            });
  }

  @Override
  public void close() {
    Utils.closeQuietly(manager::shutdown, "requests for the ISR");
    try {
      scheduler.shutdown();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
