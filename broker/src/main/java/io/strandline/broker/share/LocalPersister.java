package io.strandline.broker.share;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.message.DeleteShareGroupStateRequestData;
import org.apache.kafka.common.message.InitializeShareGroupStateRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateRequestData;
import org.apache.kafka.common.message.ReadShareGroupStateSummaryRequestData;
import org.apache.kafka.common.message.WriteShareGroupStateRequestData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.coordinator.share.ShareCoordinator;
import org.apache.kafka.server.share.persister.DeleteShareGroupStateParameters;
import org.apache.kafka.server.share.persister.DeleteShareGroupStateResult;
import org.apache.kafka.server.share.persister.GroupTopicPartitionData;
import org.apache.kafka.server.share.persister.InitializeShareGroupStateParameters;
import org.apache.kafka.server.share.persister.InitializeShareGroupStateResult;
import org.apache.kafka.server.share.persister.PartitionIdData;
import org.apache.kafka.server.share.persister.Persister;
import org.apache.kafka.server.share.persister.ReadShareGroupStateParameters;
import org.apache.kafka.server.share.persister.ReadShareGroupStateResult;
import org.apache.kafka.server.share.persister.ReadShareGroupStateSummaryParameters;
import org.apache.kafka.server.share.persister.ReadShareGroupStateSummaryResult;
import org.apache.kafka.server.share.persister.WriteShareGroupStateParameters;
import org.apache.kafka.server.share.persister.WriteShareGroupStateResult;
import org.jspecify.annotations.Nullable;

/**
 * The share coordinator of this process as the persister of share groups. What is kept by another
 * broker fails with NOT_COORDINATOR.
 *
 * <p>A coordinator that is loading, or was elected only just now, is asked again for a few seconds:
 * each call may be repeated, as its effect is the same.
 */
final class LocalPersister implements Persister {
  private static final int ATTEMPTS = 50;
  private static final long RETRY_MS = 200;

  /** Nobody is at the other end of a call in the process. */
  @SuppressWarnings("NullAway")
  private static final RequestContext NO_CLIENT = null;

  private final StateHomes homes;
  private final ShareCoordinator coordinator;
  private final ScheduledExecutorService timer;

  LocalPersister(StateHomes homes, ShareCoordinator coordinator, ScheduledExecutorService timer) {
    this.homes = homes;
    this.coordinator = coordinator;
    this.timer = timer;
  }

  @Override
  public CompletableFuture<InitializeShareGroupStateResult> initializeState(
      InitializeShareGroupStateParameters asked) {
    InitializeShareGroupStateRequestData request = Messages.initialize(asked);
    return persist(
        asked.groupTopicPartitionData(),
        () -> coordinator.initializeState(NO_CLIENT, request),
        answer -> codes(answer.results(), r -> r.partitions(), p -> p.errorCode()),
        InitializeShareGroupStateResult::from);
  }

  @Override
  public CompletableFuture<ReadShareGroupStateResult> readState(
      ReadShareGroupStateParameters asked) {
    ReadShareGroupStateRequestData request = Messages.read(asked);
    return persist(
        asked.groupTopicPartitionData(),
        () -> coordinator.readState(NO_CLIENT, request),
        answer -> codes(answer.results(), r -> r.partitions(), p -> p.errorCode()),
        ReadShareGroupStateResult::from);
  }

  @Override
  public CompletableFuture<WriteShareGroupStateResult> writeState(
      WriteShareGroupStateParameters asked) {
    WriteShareGroupStateRequestData request = Messages.write(asked);
    return persist(
        asked.groupTopicPartitionData(),
        () -> coordinator.writeState(NO_CLIENT, request),
        answer -> codes(answer.results(), r -> r.partitions(), p -> p.errorCode()),
        WriteShareGroupStateResult::from);
  }

  @Override
  public CompletableFuture<DeleteShareGroupStateResult> deleteState(
      DeleteShareGroupStateParameters asked) {
    DeleteShareGroupStateRequestData request = Messages.delete(asked);
    return persist(
        asked.groupTopicPartitionData(),
        () -> coordinator.deleteState(NO_CLIENT, request),
        answer -> codes(answer.results(), r -> r.partitions(), p -> p.errorCode()),
        DeleteShareGroupStateResult::from);
  }

  @Override
  public CompletableFuture<ReadShareGroupStateSummaryResult> readSummary(
      ReadShareGroupStateSummaryParameters asked) {
    ReadShareGroupStateSummaryRequestData request = Messages.summary(asked);
    return persist(
        asked.groupTopicPartitionData(),
        () -> coordinator.readStateSummary(NO_CLIENT, request),
        answer -> codes(answer.results(), r -> r.partitions(), p -> p.errorCode()),
        ReadShareGroupStateSummaryResult::from);
  }

  @Override
  public void stop() {}

  private static <R, P> List<Errors> codes(
      List<R> results, Function<R, List<P>> partitions, ToIntFunction<P> code) {
    return results.stream()
        .flatMap(result -> partitions.apply(result).stream())
        .map(partition -> Errors.forCode((short) code.applyAsInt(partition)))
        .toList();
  }

  private <A, R> CompletableFuture<R> persist(
      GroupTopicPartitionData<? extends PartitionIdData> about,
      Supplier<CompletableFuture<A>> call,
      Function<A, List<Errors>> errors,
      Function<A, R> result) {
    return new Call<>(about, call, errors).begin().thenApply(result);
  }

  /** One call until it succeeds, fails for good, or was tried for long enough. */
  private final class Call<A> {
    private final GroupTopicPartitionData<? extends PartitionIdData> about;
    private final Supplier<CompletableFuture<A>> call;
    private final Function<A, List<Errors>> errors;
    private final CompletableFuture<A> done = new CompletableFuture<>();
    private int attempts;

    Call(
        GroupTopicPartitionData<? extends PartitionIdData> about,
        Supplier<CompletableFuture<A>> call,
        Function<A, List<Errors>> errors) {
      this.about = about;
      this.call = call;
      this.errors = errors;
    }

    CompletableFuture<A> begin() {
      attempt();
      return done;
    }

    private void attempt() {
      attempts++;
      try {
        var unused = call.get().whenComplete(this::answered);
      } catch (RuntimeException failure) {
        done.completeExceptionally(failure);
      }
    }

    private void answered(@Nullable A answer, @Nullable Throwable failure) {
      if (answer == null) {
        done.completeExceptionally(
            failure == null ? new IllegalStateException("no answer") : failure);
      } else if (attempts < ATTEMPTS && errors.apply(answer).stream().anyMatch(this::passes)) {
        var unused = timer.schedule(this::attempt, RETRY_MS, TimeUnit.MILLISECONDS);
      } else {
        done.complete(answer);
      }
    }

    private boolean passes(Errors error) {
      return error == Errors.COORDINATOR_LOAD_IN_PROGRESS
          || error == Errors.COORDINATOR_NOT_AVAILABLE
          || (error == Errors.NOT_COORDINATOR && homes.of(about) == StateHomes.Home.HERE);
    }
  }
}
