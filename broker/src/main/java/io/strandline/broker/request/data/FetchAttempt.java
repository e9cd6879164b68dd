package io.strandline.broker.request.data;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.log.LogRead;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.partition.ReadRequest;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayRead;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.jspecify.annotations.Nullable;

/**
 * One fetch under way: takes dirty partitions until there is enough, waits for more until its time
 * is over, answers once.
 *
 * <p>One thread at a time works on it: whoever wants work done raises {@link #wanted}, and the one
 * who raises it from 0 does the work until it is 0 again. Wake-ups come from appends, from replay
 * and from the timer; none of them blocks here.
 */
final class FetchAttempt {
  /** What all attempts share. */
  record Services(
      DataConfig config,
      ControlPlane control,
      Partitions partitions,
      ScheduledExecutorService timer) {}

  private final Services services;
  private final Request<FetchRequest> request;
  private final FetchSessions.Turn turn;
  private final ClusterView view;
  private final FetchIsolation isolation;
  private final CompletableFuture<Reply> reply = new CompletableFuture<>();
  private final AtomicInteger wanted = new AtomicInteger();
  private final List<Interest> touched = new ArrayList<>();
  private final List<Interest> unread = new ArrayList<>();
  private final int maxBytes;
  private int bytes;
  private int coldPending;
  private boolean failed;
  private boolean answered;
  private volatile boolean timeOver;
  private @Nullable ScheduledFuture<?> timeout;

  FetchAttempt(Services services, Request<FetchRequest> request, FetchSessions.Turn turn) {
    this.services = services;
    this.request = request;
    this.turn = turn;
    this.view = services.control().view();
    FetchRequest body = request.body();
    this.maxBytes = Math.min(body.maxBytes(), services.config().fetchMaxBytes());
    this.isolation =
        body.isFromFollower()
            ? FetchIsolation.LOG_END
            : body.isolationLevel() == IsolationLevel.READ_COMMITTED
                ? FetchIsolation.TXN_COMMITTED
                : FetchIsolation.HIGH_WATERMARK;
  }

  CompletableFuture<Reply> begin() {
    turn.set().onDirt(this::work);
    work();
    return reply;
  }

  /** Does what there is to do, unless another thread is at it, which then does. */
  private void work() {
    if (wanted.getAndIncrement() != 0) {
      return;
    }
    int seen = 1;
    do {
      try {
        step();
      } catch (RuntimeException | Error failure) {
        answered = true;
        reply.completeExceptionally(failure);
      }
      seen = wanted.addAndGet(-seen);
    } while (seen != 0);
  }

  private void step() {
    if (answered) {
      return;
    }
    takeColdAnswers();
    while (bytes < maxBytes) {
      Interest next = turn.set().next();
      if (next == null) {
        break;
      }
      read(next);
    }
    boolean enough = failed || bytes >= request.body().minBytes() || bytes >= maxBytes;
    if (timeOver || request.body().maxWait() <= 0 || (enough && coldPending == 0)) {
      answer();
    } else if (timeout == null) {
      long waitMs = enough ? services.config().slowReadGraceMs() : request.body().maxWait();
      timeout =
          services
              .timer()
              .schedule(
                  () -> {
                    timeOver = true;
                    work();
                  },
                  waitMs,
                  TimeUnit.MILLISECONDS);
    }
  }

  // ---- reading

  private void read(Interest interest) {
    if (interest.part() == null) {
      touched.add(interest);
    } else if (interest.part().slow() || interest.part().sizeBytes() > 0) {
      unread.add(interest); // already under way, or already in the response
      return;
    }
    try {
      TopicIdPartition id = id(interest.key());
      Partition partition = services.partitions().leaderOrThrow(id);
      interest.watch(partition);
      take(interest, partition.read(readRequest(interest)), partition);
    } catch (RuntimeException failure) {
      failed = true;
      interest.part(FetchPart.failed(Dispatcher.error(failure), null));
    }
  }

  private ReadRequest readRequest(Interest interest) {
    int left = Math.max(0, Math.min(interest.maxBytes(), maxBytes - bytes));
    return new ReadRequest(
        interest.fetchOffset(),
        left,
        bytes == 0,
        interest.leaderEpoch(),
        isolation,
        request.context().connectionId);
  }

  private void take(Interest interest, PartitionRead read, Partition partition) {
    boolean committedOnly = isolation == FetchIsolation.TXN_COMMITTED;
    if (read instanceof PartitionRead.Hot hot) {
      var aborted = committedOnly ? aborted(partition, interest.fetchOffset(), hot.read()) : null;
      FetchPart part =
          FetchPart.of(hot.marks(), hot.read(), aborted, services.config().copyBytes());
      bytes += part.sizeBytes();
      interest.part(part);
    } else if (read instanceof PartitionRead.Cold cold) {
      coldPending++;
      interest.part(FetchPart.slow(cold.marks()));
      var unused =
          cold.read()
              .whenComplete(
                  (got, failure) -> {
                    cold(new ColdAnswer(interest, cold.marks(), got, failure));
                    work();
                  });
    }
  }

  private static List<AbortedTransaction> aborted(Partition partition, long from, LogRead read) {
    return partition.log().abortedTransactions(from, read.nextOffset()).stream()
        .map(
            range ->
                new AbortedTransaction()
                    .setProducerId(range.producerId())
                    .setFirstOffset(range.firstOffset()))
        .toList();
  }

  // ---- what replay answers, on its threads

  private record ColdAnswer(
      Interest interest,
      PartitionRead.Marks marks,
      @Nullable ReplayRead read,
      @Nullable Throwable failure) {}

  private final java.util.concurrent.ConcurrentLinkedQueue<ColdAnswer> coldAnswers =
      new java.util.concurrent.ConcurrentLinkedQueue<>();

  private void cold(ColdAnswer answer) {
    coldAnswers.add(answer);
    if (reply.isDone()) {
      drainLate();
    }
  }

  /** The fetch was answered without them: the bytes wait in the cache for the next one. */
  private void drainLate() {
    for (ColdAnswer late = coldAnswers.poll(); late != null; late = coldAnswers.poll()) {
      if (late.read != null) {
        late.read.close();
      }
      late.interest.soil();
      turn.set().wake();
    }
  }

  private void takeColdAnswers() {
    for (ColdAnswer got = coldAnswers.poll(); got != null; got = coldAnswers.poll()) {
      coldPending--;
      if (got.read != null) {
        FetchPart part =
            FetchPart.of(got.marks, got.read, isolation == FetchIsolation.TXN_COMMITTED);
        bytes += part.sizeBytes();
        got.interest.part(part);
      } else {
        got.interest.part(coldFailure(got));
      }
    }
  }

  private FetchPart coldFailure(ColdAnswer got) {
    Throwable cause = Dispatcher.cause(java.util.Objects.requireNonNull(got.failure));
    if (cause instanceof ReplayException replay) {
      switch (replay.kind()) {
        case UNAVAILABLE -> {
          return FetchPart.slow(got.marks);
        }
        case OUT_OF_RANGE -> {
          failed = true;
          return FetchPart.failed(Errors.OFFSET_OUT_OF_RANGE, got.marks);
        }
        case CORRUPT -> {
          failed = true;
          return FetchPart.failed(Errors.CORRUPT_MESSAGE, got.marks);
        }
      }
    }
    failed = true;
    return FetchPart.failed(Dispatcher.error(cause), got.marks);
  }

  // ---- the answer

  private void answer() {
    answered = true;
    turn.set().onDirt(null);
    if (timeout != null) {
      timeout.cancel(false);
    }
    LinkedHashMap<TopicIdPartition, PartitionData> data = new LinkedHashMap<>();
    List<FetchPart> parts = new ArrayList<>();
    for (Interest interest : turn.full() ? turn.set().interests() : touched) {
      FetchPart part = interest.part();
      if (part == null) {
        part = FetchPart.slow(marks(interest)); // full, but not reached: nothing yet
      }
      parts.add(part);
      PartitionData one = part.data(interest.key().partition());
      boolean news = interest.news(one);
      if (turn.full() || news) {
        data.put(named(interest.key()), one);
      }
      if (part.slow() || part.failed() || part.sizeBytes() > 0) {
        interest.soil();
      }
      interest.part(null);
    }
    unread.forEach(Interest::soil);
    FetchResponse response = FetchResponse.of(Errors.NONE, 0, turn.id(), data, List.of());
    reply.complete(Reply.of(response, () -> parts.forEach(part -> part.release().run())));
    drainLate();
  }

  private PartitionRead.@Nullable Marks marks(Interest interest) {
    try {
      return services.partitions().leaderOrThrow(id(interest.key())).marks(isolation);
    } catch (RuntimeException unknown) {
      return null;
    }
  }

  private TopicIdPartition id(FetchKey key) {
    if (key.byId()) {
      String name = view.topicName(key.topicId());
      if (name == null) {
        throw new UnknownTopicIdException("there is no topic with id " + key.topicId());
      }
      return new TopicIdPartition(key.topicId(), key.partition(), name);
    }
    Uuid id = view.topicId(key.topic());
    if (id.equals(Uuid.ZERO_UUID)) {
      throw new UnknownTopicOrPartitionException("there is no topic " + key.topic());
    }
    return new TopicIdPartition(id, key.partition(), key.topic());
  }

  private static TopicIdPartition named(FetchKey key) {
    return new TopicIdPartition(key.topicId(), key.partition(), key.topic());
  }
}
