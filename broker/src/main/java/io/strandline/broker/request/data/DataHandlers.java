package io.strandline.broker.request.data;

import static org.apache.kafka.server.log.remote.storage.RemoteLogManagerConfig.REMOTE_LIST_OFFSETS_REQUEST_TIMEOUT_MS_PROP;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.guard.quota.Quotas;
import io.strandline.broker.history.HistoryPartitions;
import io.strandline.broker.history.ReplayBrokers;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.transaction.PartitionVerification;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.DeleteRecordsRequest;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochRequest;

/** The handlers of records and offsets. */
public final class DataHandlers {
  /**
   * What they need of the process.
   *
   * @param timer ends waits; its tasks are short
   * @param writes goes on with requests that waited for the metadata
   * @param random draws session ids
   * @param verification of transactions
   * @param history of a replay broker
   * @param replays which clients are to read from such
   */
  public record Environment(
      ScheduledExecutorService timer,
      Executor writes,
      InstantSource clock,
      RandomGenerator random,
      MeterRegistry meters,
      Quotas quotas,
      Guard guard,
      PartitionVerification verification,
      Optional<HistoryPartitions> history,
      ReplayBrokers replays) {}

  private final Partitions partitions;
  private final Executor writes;
  private final ProduceHandler produce;
  private final boolean replays;
  private final FetchHandler fetch;
  private final OffsetHandlers offsets;

  public DataHandlers(
      DataConfig config, ControlPlane control, Partitions partitions, Environment environment) {
    this.partitions = partitions;
    this.writes = environment.writes();
    FetchSessions sessions =
        new FetchSessions(config, environment.clock(), environment.random(), environment.meters());
    Guard guard = environment.guard();
    this.replays = environment.history().isPresent();
    Sources sources = new Sources(partitions, environment.history(), environment.replays());
    this.produce =
        new ProduceHandler(
            control, partitions, guard, environment.verification(), environment.timer());
    this.fetch =
        new FetchHandler(
            new FetchAttempt.Services(
                config,
                control,
                sources,
                guard,
                environment.timer(),
                environment.quotas(),
                ClosestReplica.of(control)),
            sessions);
    this.offsets =
        new OffsetHandlers(
            sources,
            guard,
            () -> control.view().brokerNumber(REMOTE_LIST_OFFSETS_REQUEST_TIMEOUT_MS_PROP),
            environment.timer());
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    if (replays) {
      table
          .add(ApiKeys.PRODUCE, DataHandlers::refused)
          .add(ApiKeys.DELETE_RECORDS, DataHandlers::refused);
    } else {
      table
          .add(ApiKeys.PRODUCE, settled(produce))
          .add(ApiKeys.DELETE_RECORDS, settled((Handler<DeleteRecordsRequest>) offsets::delete));
    }
    return table
        .add(ApiKeys.FETCH, settled(fetch))
        .add(ApiKeys.LIST_OFFSETS, settled((Handler<ListOffsetsRequest>) offsets::list))
        .add(
            ApiKeys.OFFSET_FOR_LEADER_EPOCH,
            settled((Handler<OffsetsForLeaderEpochRequest>) offsets::epochs));
  }

  /** Of a replay broker, which its clients take for the leader. */
  private static CompletionStage<Reply> refused(Request<? extends AbstractRequest> request) {
    AbstractResponse answer =
        request
            .body()
            .getErrorResponse(
                new PolicyViolationException(
                    "a replay broker takes no records: this address serves history"));
    return CompletableFuture.completedFuture(
        answer == null ? Reply.closeConnection() : Reply.of(answer));
  }

  /** Waits for changes of the metadata that are being carried out, as after a topic's creation. */
  private <T extends AbstractRequest> Handler<T> settled(Handler<T> handler) {
    return new InOrder<>(handler, partitions::settled, writes);
  }
}
