package io.strandline.broker;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.group.GroupHost;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.guard.identity.DelegationTokens;
import io.strandline.broker.guard.quota.Quotas;
import io.strandline.broker.history.HistoryPartitions;
import io.strandline.broker.history.ReplayBrokers;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.admin.AccessHandlers;
import io.strandline.broker.request.admin.DescribeHandlers;
import io.strandline.broker.request.admin.ForwardHandler;
import io.strandline.broker.request.admin.LogDirMoves;
import io.strandline.broker.request.admin.LogHandlers;
import io.strandline.broker.request.admin.TelemetryHandlers;
import io.strandline.broker.request.admin.TokenHandlers;
import io.strandline.broker.request.config.ConfigHandlers;
import io.strandline.broker.request.data.DataHandlers;
import io.strandline.broker.request.group.FindCoordinatorHandler;
import io.strandline.broker.request.group.GroupHandlers;
import io.strandline.broker.request.group.MembershipHandlers;
import io.strandline.broker.request.group.OffsetHandlers;
import io.strandline.broker.request.group.StreamsGroupHandlers;
import io.strandline.broker.request.group.TransactionalOffsetsHandler;
import io.strandline.broker.request.meta.ApiVersionsHandler;
import io.strandline.broker.request.meta.LateLogins;
import io.strandline.broker.request.share.ShareHandlers;
import io.strandline.broker.request.topic.DescribeTopicPartitionsHandler;
import io.strandline.broker.request.topic.MetadataHandler;
import io.strandline.broker.request.transaction.TransactionHandlers;
import io.strandline.broker.share.ShareHost;
import io.strandline.broker.telemetry.Telemetry;
import io.strandline.broker.transaction.TransactionHost;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/** Every API that this broker serves, with who serves it. What is not here is not advertised. */
final class Apis {
  /**
   * What handlers need of the process.
   *
   * @param history of a replay broker
   */
  record Environment(
      Threads threads,
      MeterRegistry meters,
      Quotas quotas,
      Guard guard,
      DelegationTokens tokens,
      Telemetry telemetry,
      Optional<HistoryPartitions> history) {}

  /** Who coordinates. */
  record Coordinators(GroupHost groups, TransactionHost transactions, ShareHost share) {}

  private final ShareHandlers share;
  private final AtomicReference<@Nullable ApiTable> built = new AtomicReference<>();

  Apis(
      BrokerConfig config,
      ControlPlane control,
      Partitions partitions,
      Coordinators coordinators,
      Environment process) {
    Threads threads = process.threads();
    MeterRegistry meters = process.meters();
    Guard guard = process.guard();
    GroupHost groups = coordinators.groups();
    TransactionHost transactions = coordinators.transactions();
    var coordinator = groups.coordinator();
    ReplayBrokers replays = Bindings.replayBrokers(config, control);
    ApiTable.Builder table =
        ApiTable.builder(config.kafkaOn("unstable.api.versions.enable"))
            .add(ApiKeys.API_VERSIONS, new ApiVersionsHandler(control, this::table))
            .add(ApiKeys.SASL_HANDSHAKE, LateLogins::handshake)
            .add(ApiKeys.SASL_AUTHENTICATE, LateLogins::authenticate)
            .add(ApiKeys.METADATA, new MetadataHandler(control, guard, replays, threads.timer))
            .add(
                ApiKeys.DESCRIBE_TOPIC_PARTITIONS,
                new DescribeTopicPartitionsHandler(control, guard, replays))
            .add(
                ApiKeys.FIND_COORDINATOR,
                new FindCoordinatorHandler(
                    control,
                    places(coordinators),
                    Bindings.coordinatorListener(config, control),
                    guard));
    new DataHandlers(
            Bindings.dataConfig(config),
            control,
            partitions,
            new DataHandlers.Environment(
                threads.timer,
                threads.writes,
                InstantSource.system(),
                new SecureRandom(),
                meters,
                process.quotas(),
                guard,
                transactions.verification(),
                process.history(),
                replays))
        .addTo(table);
    new MembershipHandlers(coordinator, guard, groups::consumerProtocol).addTo(table);
    new GroupHandlers(coordinator, guard, groups::consumerProtocol).addTo(table);
    new StreamsGroupHandlers(groups, control, guard, InstantSource.system()).addTo(table);
    new OffsetHandlers(control, coordinator, guard).addTo(table);
    table.add(
        ApiKeys.TXN_OFFSET_COMMIT, new TransactionalOffsetsHandler(control, coordinator, guard));
    new TransactionHandlers(control, transactions, coordinator::partitionFor, guard).addTo(table);
    share = share(config, control, partitions, coordinators, process);
    share.addTo(table);
    new DescribeHandlers(control, guard).addTo(table);
    new ConfigHandlers(control, guard).addTo(table);
    new AccessHandlers(control, guard).addTo(table);
    new LogHandlers(control, partitions, guard, threads.reads).addTo(table);
    new LogDirMoves(partitions, guard, threads.reads).addTo(table);
    ForwardHandler forward = new ForwardHandler(control, threads.timer);
    forward.addTo(table);
    new TokenHandlers(forward, process.tokens(), guard).addTo(table);
    new TelemetryHandlers(process.telemetry()).addTo(table);
    built.set(table.build());
  }

  private static FindCoordinatorHandler.Places places(Coordinators coordinators) {
    return new FindCoordinatorHandler.Places(
        coordinators.groups().coordinator()::partitionFor,
        coordinators.transactions().coordinator()::partitionFor,
        coordinators.share()::partitionFor);
  }

  private static ShareHandlers share(
      BrokerConfig config,
      ControlPlane control,
      Partitions partitions,
      Coordinators coordinators,
      Environment process) {
    return new ShareHandlers(
        control,
        partitions,
        coordinators.groups(),
        coordinators.share(),
        new ShareHandlers.Environment(
            process.threads().reads,
            process.threads().timer,
            Time.SYSTEM,
            process.meters(),
            process.quotas(),
            process.guard(),
            Bindings.dataConfig(config).fetchMaxBytes()));
  }

  /** Told the id of each connection that has ended. */
  Consumer<String> gone() {
    return share::gone;
  }

  ApiTable table() {
    ApiTable table = built.get();
    if (table == null) {
      throw new IllegalStateException("asked while it was built");
    }
    return table;
  }
}
