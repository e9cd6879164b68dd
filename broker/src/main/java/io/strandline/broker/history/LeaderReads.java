package io.strandline.broker.history;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.PeerRequests;
import io.strandline.broker.history.LeaderLane.Wanted;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopicCollection;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochRequest;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochResponse;
import org.jspecify.annotations.Nullable;

/**
 * Asks leaders for what this broker can not tell by itself, as a client of theirs: what is asked of
 * one leader while a request is under way goes with the next. No answer waits for new records.
 *
 * <p>A leader answers with nothing though there is something where an answer is full, or its disk
 * or the store is slow. Who asks it again does so on a way of its own, on which it is given time
 * and those who were left out most often come first: the room of an answer is theirs.
 *
 * <p>A leader that does not answer is told of as NOT_LEADER_OR_FOLLOWER: perhaps another leads by
 * now, and clients look. A fetch of a partition that nobody leads is answered so too: the consumer
 * takes LEADER_NOT_AVAILABLE there for a fault. Threads: any; what follows a future must not block.
 */
final class LeaderReads implements AutoCloseable {
  /** How long a leader is given for what it had, and did not answer with. */
  private static final int AGAIN_WAIT_MS = 250;

  /** Until such are asked for once more after an answer that brought nobody anything. */
  private static final int REST_MS = 50;

  /** Requests of one kind, which one request to a leader can carry together. */
  private record Lane(int leader, Object kind) {}

  /**
   * @param offset from which on, with at least one batch if there is any
   * @param leftOut how often the leader had some and answered with none
   */
  record FetchFrom(long offset, int maxBytes, int leftOut) {}

  /** What one fetch asks for. */
  private record Kind(IsolationLevel isolation, boolean again) {}

  private record Time(long timestampMs, OptionalInt leaderEpoch) {}

  private record Epoch(int epoch, OptionalInt leaderEpoch) {}

  private final ControlPlane control;
  private final ScheduledExecutorService timer;
  private final PeerRequests fetches;
  private final PeerRequests again;
  private final PeerRequests lookups;
  private final int maxBytes;
  private final Map<Lane, LeaderLane<FetchFrom, PartitionData>> fetching =
      new ConcurrentHashMap<>();
  private final Map<Lane, LeaderLane<Time, ListOffsetsPartitionResponse>> looking =
      new ConcurrentHashMap<>();
  private final Map<Lane, LeaderLane<Epoch, EpochEndOffset>> ending = new ConcurrentHashMap<>();

  /**
   * @param maxBytes of one answer to a fetch
   */
  LeaderReads(ControlPlane control, ScheduledExecutorService timer, int maxBytes) {
    this.control = control;
    this.timer = timer;
    this.maxBytes = maxBytes;
    this.fetches = control.peers().requests("history-fetches");
    this.again = control.peers().requests("history-fetches-again");
    this.lookups = control.peers().requests("history-lookups");
  }

  /**
   * Records, or none if there are none yet, the tier has them, or the leader leaves them out for
   * now; fails with the leader's error.
   *
   * @param gone whether the reader has stopped to wait: then the leader need not be asked
   */
  CompletableFuture<PartitionData> fetch(
      PartitionState state, FetchFrom from, IsolationLevel isolation, BooleanSupplier gone) {
    if (state.leader() < 0) {
      return CompletableFuture.failedFuture(
          new NotLeaderOrFollowerException("nobody leads " + state.id()));
    }
    Kind kind = new Kind(isolation, from.leftOut() > 0);
    return fetching
        .computeIfAbsent(
            new Lane(state.leader(), kind),
            lane ->
                new LeaderLane<>(
                    batch ->
                        kind.again()
                            ? fetchAgain(lane.leader(), kind, batch)
                            : fetch(lane.leader(), kind, batch)))
        .ask(state, from, gone);
  }

  /** See {@code Source.offsetFor}; fails with the leader's error. */
  CompletableFuture<ListOffsetsPartitionResponse> offsetFor(
      PartitionState state, long timestampMs, IsolationLevel isolation, OptionalInt leaderEpoch) {
    if (state.leader() < 0) {
      return nobody();
    }
    return looking
        .computeIfAbsent(
            new Lane(state.leader(), isolation),
            lane -> new LeaderLane<>(batch -> lookUp(lane.leader(), isolation, batch)))
        .ask(state, new Time(timestampMs, leaderEpoch), () -> false);
  }

  /** See {@code Source.epochEnd}; fails with the leader's error. */
  CompletableFuture<EpochEndOffset> epochEnd(
      PartitionState state, OptionalInt leaderEpoch, int epoch) {
    if (state.leader() < 0) {
      return nobody();
    }
    return ending
        .computeIfAbsent(
            new Lane(state.leader(), Epoch.class),
            lane -> new LeaderLane<>(batch -> ends(lane.leader(), batch)))
        .ask(state, new Epoch(epoch, leaderEpoch), () -> false);
  }

  /** To a look-up. */
  private static <T> CompletableFuture<T> nobody() {
    return CompletableFuture.failedFuture(Errors.LEADER_NOT_AVAILABLE.exception());
  }

  // ---- requests

  private CompletableFuture<?> fetchAgain(
      int leader, Kind kind, List<Wanted<FetchFrom, PartitionData>> batch) {
    List<Wanted<FetchFrom, PartitionData>> turns = new ArrayList<>(batch);
    turns.sort(Comparator.comparingInt(one -> -one.asked().leftOut()));
    return fetch(leader, kind, turns)
        .thenCompose(
            told ->
                turns.stream().anyMatch(LeaderReads::brought)
                    ? CompletableFuture.completedFuture(null)
                    : rest());
  }

  private static boolean brought(Wanted<FetchFrom, PartitionData> told) {
    CompletableFuture<PartitionData> answer = told.answer();
    return !answer.isCompletedExceptionally() && FetchResponse.recordsSize(answer.join()) > 0;
  }

  private CompletableFuture<?> rest() {
    CompletableFuture<Void> rested = new CompletableFuture<>();
    var unused = timer.schedule(() -> rested.complete(null), REST_MS, TimeUnit.MILLISECONDS);
    return rested;
  }

  private CompletableFuture<?> fetch(
      int leader, Kind kind, List<Wanted<FetchFrom, PartitionData>> batch) {
    Map<TopicPartition, FetchRequest.PartitionData> parts = new LinkedHashMap<>();
    long bytes = 0;
    for (Wanted<FetchFrom, PartitionData> one : batch) {
      bytes += one.asked().maxBytes();
      parts.put(
          one.partition(),
          new FetchRequest.PartitionData(
              one.state().id().topicId(),
              one.asked().offset(),
              -1,
              one.asked().maxBytes(),
              Optional.of(one.state().leaderEpoch())));
    }
    HistoryFetch request =
        new HistoryFetch(
            parts,
            kind.isolation(),
            kind.again() ? AGAIN_WAIT_MS : 0,
            (int) Math.min(maxBytes, Math.max(1, bytes)));
    return send(
        kind.again() ? again : fetches,
        leader,
        request,
        batch,
        new Parts<>(
            (response, answers) -> {
              FetchResponse fetched = (FetchResponse) response;
              Errors.forCode(fetched.data().errorCode()).maybeThrow();
              // Brokers of any metadata level that is spoken here name topics by their ids.
              fetched
                  .responseData(control.view().topicNames(), ApiKeys.FETCH.latestVersion())
                  .forEach((name, part) -> answers.accept(name, detached(part)));
            },
            PartitionData::errorCode));
  }

  /**
   * With records of its own where they are less than half of the answer that brought them, all of
   * which they would keep in the heap as long as their reader takes to read them.
   */
  static PartitionData detached(PartitionData part) {
    MemoryRecords records = (MemoryRecords) FetchResponse.recordsOrFail(part);
    ByteBuffer slice = records.buffer();
    if (slice.hasArray() && slice.remaining() < others(slice)) {
      ByteBuffer copy = ByteBuffer.allocate(slice.remaining()).put(slice).flip();
      part.setRecords(MemoryRecords.readableRecords(copy));
    }
    return part;
  }

  /** Bytes before and behind it. */
  private static int others(ByteBuffer slice) {
    int before = slice.arrayOffset() + slice.position();
    return before + (slice.array().length - before - slice.remaining());
  }

  private CompletableFuture<?> lookUp(
      int leader,
      IsolationLevel isolation,
      List<Wanted<Time, ListOffsetsPartitionResponse>> batch) {
    Map<String, ListOffsetsTopic> topics = new LinkedHashMap<>();
    for (Wanted<Time, ListOffsetsPartitionResponse> one : batch) {
      topics
          .computeIfAbsent(one.state().id().topic(), name -> new ListOffsetsTopic().setName(name))
          .partitions()
          .add(
              new ListOffsetsPartition()
                  .setPartitionIndex(one.state().id().partition())
                  .setTimestamp(one.asked().timestampMs())
                  .setCurrentLeaderEpoch(one.asked().leaderEpoch().orElse(-1)));
    }
    ListOffsetsRequest.Builder request =
        ListOffsetsRequest.Builder.forConsumer(true, isolation)
            .setTargetTimes(new ArrayList<>(topics.values()))
            .setTimeoutMs(control.peers().requestTimeoutMs());
    return send(
        lookups,
        leader,
        request,
        batch,
        new Parts<>(
            (response, answers) -> {
              for (ListOffsetsTopicResponse topic : ((ListOffsetsResponse) response).topics()) {
                topic
                    .partitions()
                    .forEach(
                        p ->
                            answers.accept(
                                new TopicPartition(topic.name(), p.partitionIndex()), p));
              }
            },
            ListOffsetsPartitionResponse::errorCode));
  }

  private CompletableFuture<?> ends(int leader, List<Wanted<Epoch, EpochEndOffset>> batch) {
    OffsetForLeaderTopicCollection topics = new OffsetForLeaderTopicCollection();
    for (Wanted<Epoch, EpochEndOffset> one : batch) {
      OffsetForLeaderTopic topic = topics.find(one.state().id().topic());
      if (topic == null) {
        topic = new OffsetForLeaderTopic().setTopic(one.state().id().topic());
        topics.add(topic);
      }
      topic
          .partitions()
          .add(
              new OffsetForLeaderPartition()
                  .setPartition(one.state().id().partition())
                  .setLeaderEpoch(one.asked().epoch())
                  .setCurrentLeaderEpoch(one.asked().leaderEpoch().orElse(-1)));
    }
    return send(
        lookups,
        leader,
        OffsetsForLeaderEpochRequest.Builder.forConsumer(topics),
        batch,
        new Parts<>(
            (response, answers) -> {
              for (OffsetForLeaderTopicResult topic :
                  ((OffsetsForLeaderEpochResponse) response).data().topics()) {
                topic
                    .partitions()
                    .forEach(
                        p -> answers.accept(new TopicPartition(topic.topic(), p.partition()), p));
              }
            },
            EpochEndOffset::errorCode));
  }

  /**
   * Takes an answer apart.
   *
   * @param by partition
   * @param code the error of a part
   */
  private record Parts<T>(
      BiConsumer<AbstractResponse, BiConsumer<TopicPartition, T>> by, ToIntFunction<T> code) {}

  private static <A, T> CompletableFuture<?> send(
      PeerRequests by,
      int leader,
      AbstractRequest.Builder<? extends AbstractRequest> request,
      List<Wanted<A, T>> batch,
      Parts<T> parts) {
    return by.send(leader, request)
        .handle(
            (response, failure) -> {
              Map<TopicPartition, T> answers = new HashMap<>();
              Throwable why = failure;
              if (response != null) {
                try {
                  parts.by().accept(response, answers::put);
                } catch (RuntimeException refused) {
                  why = refused;
                }
              }
              for (Wanted<A, T> one : batch) {
                tell(one, leader, answers.get(one.partition()), parts, why);
              }
              return leader;
            });
  }

  private static <A, T> void tell(
      Wanted<A, T> one,
      int leader,
      @Nullable T answer,
      Parts<T> parts,
      @Nullable Throwable failure) {
    if (answer == null) {
      one.answer()
          .completeExceptionally(
              new NotLeaderOrFollowerException(
                  "broker " + leader + ", which led " + one.state().id() + ", does not answer",
                  failure));
    } else if (parts.code().applyAsInt(answer) != Errors.NONE.code()) {
      one.answer()
          .completeExceptionally(
              Errors.forCode((short) parts.code().applyAsInt(answer)).exception());
    } else {
      one.answer().complete(answer);
    }
  }

  @Override
  public void close() {
    fetches.close();
    again.close();
    lookups.close();
  }
}
