package io.strandline.broker.request.data;

import static org.apache.kafka.server.log.remote.storage.RemoteLogManagerConfig.REMOTE_LIST_OFFSETS_REQUEST_TIMEOUT_MS_PROP;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.guard.quota.Quotas;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.transaction.PartitionVerification;
import java.time.InstantSource;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.DeleteRecordsRequest;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochRequest;

/** The handlers of records and offsets. */
public final class DataHandlers {
  /**
   * What they need of the process.
   *
   * @param timer ends waits; its tasks are short
   * @param random draws session ids
   * @param verification of transactions
   */
  public record Environment(
      ScheduledExecutorService timer,
      InstantSource clock,
      RandomGenerator random,
      MeterRegistry meters,
      Quotas quotas,
      Guard guard,
      PartitionVerification verification) {}

  private final Partitions partitions;
  private final ProduceHandler produce;
  private final FetchHandler fetch;
  private final OffsetHandlers offsets;

  public DataHandlers(
      DataConfig config, ControlPlane control, Partitions partitions, Environment environment) {
    this.partitions = partitions;
    FetchSessions sessions =
        new FetchSessions(config, environment.clock(), environment.random(), environment.meters());
    Guard guard = environment.guard();
    this.produce =
        new ProduceHandler(
            control, partitions, guard, environment.verification(), environment.timer());
    this.fetch =
        new FetchHandler(
            new FetchAttempt.Services(
                config,
                control,
                partitions,
                guard,
                environment.timer(),
                environment.quotas(),
                ClosestReplica.of(control)),
            sessions);
    this.offsets =
        new OffsetHandlers(
            partitions,
            guard,
            () -> control.view().brokerNumber(REMOTE_LIST_OFFSETS_REQUEST_TIMEOUT_MS_PROP),
            environment.timer());
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.PRODUCE, settled(produce))
        .add(ApiKeys.FETCH, settled(fetch))
        .add(ApiKeys.LIST_OFFSETS, settled((Handler<ListOffsetsRequest>) offsets::list))
        .add(ApiKeys.DELETE_RECORDS, settled((Handler<DeleteRecordsRequest>) offsets::delete))
        .add(
            ApiKeys.OFFSET_FOR_LEADER_EPOCH,
            settled((Handler<OffsetsForLeaderEpochRequest>) offsets::epochs));
  }

  /** Waits for changes of the metadata that are being carried out, as after a topic's creation. */
  private <T extends AbstractRequest> Handler<T> settled(Handler<T> handler) {
    return new InOrder<>(handler, partitions::settled);
  }
}
