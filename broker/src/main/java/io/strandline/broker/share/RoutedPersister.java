package io.strandline.broker.share;

import io.strandline.broker.control.ControlPlane;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.server.share.persister.DefaultStatePersister;
import org.apache.kafka.server.share.persister.DeleteShareGroupStateParameters;
import org.apache.kafka.server.share.persister.DeleteShareGroupStateResult;
import org.apache.kafka.server.share.persister.GroupTopicPartitionData;
import org.apache.kafka.server.share.persister.InitializeShareGroupStateParameters;
import org.apache.kafka.server.share.persister.InitializeShareGroupStateResult;
import org.apache.kafka.server.share.persister.PartitionIdData;
import org.apache.kafka.server.share.persister.Persister;
import org.apache.kafka.server.share.persister.PersisterStateManager;
import org.apache.kafka.server.share.persister.ReadShareGroupStateParameters;
import org.apache.kafka.server.share.persister.ReadShareGroupStateResult;
import org.apache.kafka.server.share.persister.ReadShareGroupStateSummaryParameters;
import org.apache.kafka.server.share.persister.ReadShareGroupStateSummaryResult;
import org.apache.kafka.server.share.persister.WriteShareGroupStateParameters;
import org.apache.kafka.server.share.persister.WriteShareGroupStateResult;
import org.apache.kafka.server.util.timer.SystemTimer;
import org.apache.kafka.server.util.timer.SystemTimerReaper;
import org.jspecify.annotations.Nullable;

/**
 * The state of share groups, wherever it is kept: what is all kept here is asked without the
 * network, the rest by Kafka's persister, which begins when it is first needed. A call for state
 * without a home, because its topic is only being created or its leader elected, waits for a few
 * seconds.
 */
final class RoutedPersister implements Persister {
  private static final int ATTEMPTS = 50;
  private static final long RETRY_MS = 200;

  private final ControlPlane control;
  private final StateHomes homes;
  private final Persister local;
  private final ScheduledExecutorService timer;
  private @Nullable Persister remote; // guarded by this
  private boolean stopped;

  RoutedPersister(
      ControlPlane control, StateHomes homes, Persister local, ScheduledExecutorService timer) {
    this.control = control;
    this.homes = homes;
    this.local = local;
    this.timer = timer;
  }

  @Override
  public CompletableFuture<InitializeShareGroupStateResult> initializeState(
      InitializeShareGroupStateParameters asked) {
    return route(asked.groupTopicPartitionData(), p -> p.initializeState(asked), 1);
  }

  @Override
  public CompletableFuture<ReadShareGroupStateResult> readState(
      ReadShareGroupStateParameters asked) {
    return route(asked.groupTopicPartitionData(), p -> p.readState(asked), 1);
  }

  @Override
  public CompletableFuture<WriteShareGroupStateResult> writeState(
      WriteShareGroupStateParameters asked) {
    return route(asked.groupTopicPartitionData(), p -> p.writeState(asked), 1);
  }

  @Override
  public CompletableFuture<DeleteShareGroupStateResult> deleteState(
      DeleteShareGroupStateParameters asked) {
    return route(asked.groupTopicPartitionData(), p -> p.deleteState(asked), 1);
  }

  @Override
  public CompletableFuture<ReadShareGroupStateSummaryResult> readSummary(
      ReadShareGroupStateSummaryParameters asked) {
    return route(asked.groupTopicPartitionData(), p -> p.readSummary(asked), 1);
  }

  private <R> CompletableFuture<R> route(
      GroupTopicPartitionData<? extends PartitionIdData> about,
      Function<Persister, CompletableFuture<R>> call,
      int attempt) {
    StateHomes.Home home = homes.of(about);
    if (home == StateHomes.Home.ELSEWHERE) {
      return call.apply(remote());
    }
    if (home == StateHomes.Home.HERE || attempt >= ATTEMPTS) {
      return call.apply(local);
    }
    if (!homes.containsTopic(Topic.SHARE_GROUP_STATE_TOPIC_NAME)) {
      var unused = control.createTopics(Set.of(Topic.SHARE_GROUP_STATE_TOPIC_NAME), null);
    }
    CompletableFuture<Void> later = new CompletableFuture<>();
    var unused = timer.schedule(() -> later.complete(null), RETRY_MS, TimeUnit.MILLISECONDS);
    return later.thenCompose(now -> route(about, call, attempt + 1));
  }

  private synchronized Persister remote() {
    if (stopped) {
      return local;
    }
    if (remote == null) {
      remote =
          new DefaultStatePersister(
              new PersisterStateManager(
                  control.peers().client("share-persister"),
                  homes,
                  control.peers().time(),
                  new SystemTimerReaper("share-persister", new SystemTimer("share-persister"))));
    }
    return remote;
  }

  @Override
  public synchronized void stop() {
    stopped = true;
    if (remote != null) {
      remote.stop();
    }
  }
}
