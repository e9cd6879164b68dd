package io.strandline.broker.request.data;

import static java.util.Objects.requireNonNull;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.guard.quota.Quotas;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.ReadRequest;
import io.strandline.broker.partition.meter.TopicMeters.Kind;
import io.strandline.broker.replica.TierMark;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.NewLeaders;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayRead;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
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
  /** The first version that names new leaders (KIP-951). */
  private static final short LEADERS_SINCE = 16;

  /** What all attempts share. */
  record Services(
      DataConfig config,
      ControlPlane control,
      Sources sources,
      Guard guard,
      ScheduledExecutorService timer,
      Quotas quotas,
      ClosestReplica closest) {

    int bytesMax(Request<FetchRequest> request) {
      FetchRequest body = request.body();
      int asked = Math.min(body.maxBytes(), config.fetchMaxBytes());
      return body.isFromFollower()
          ? asked
          : Math.min(asked, quotas.fetchBytesMax(request.context()));
    }
  }

  private final Services services;
  private final Request<FetchRequest> request;
  private final FetchSessions.Turn turn;
  private final FetchReader reader;
  private final CompletableFuture<Reply> reply = new CompletableFuture<>();
  private final AtomicInteger wanted = new AtomicInteger();
  private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
  private final List<Interest> touched = new ArrayList<>();

  /** Had something for which there was no room, or that is read elsewhere: next in turn. */
  private final Set<Interest> waiting = new LinkedHashSet<>();

  /** Changed while being read: what the read brings may be older than that. */
  private final Set<Interest> overtaken = new HashSet<>();

  private final int maxBytes;
  private int bytes;
  private int promisedBytes; // at most what reads under way add
  private int pending;
  private boolean full; // a part that brings no more, though more is there: it must not wait
  private boolean cramped; // something was there and did not fit
  private boolean failed;
  private boolean answered;
  private boolean owes; // above its quota: nothing is read for it
  private final Runnable atOnce = this::answerNow;
  private volatile boolean timeOver;
  private boolean graceRuns;
  private boolean follows;
  private long arrivedMs; // of a follower's
  private @Nullable ScheduledFuture<?> timeout;

  FetchAttempt(Services services, Request<FetchRequest> request, FetchSessions.Turn turn) {
    this.services = services;
    this.request = request;
    this.turn = turn;
    this.maxBytes = services.bytesMax(request);
    this.reader = FetchReader.of(services, request);
  }

  CompletableFuture<Reply> begin() {
    follows = reader.follows();
    if (follows) {
      arrivedMs = services.sources().hosted().followerFetched(request.body().replicaId());
      services.sources().hosted().newcomers().waits(request.body().replicaId(), atOnce);
    }
    owes = !reader.admits(0);
    timeOver = owes;
    turn.set().onDirt(this::work);
    work();
    if (!reply.isDone()) {
      request.whenGone(atOnce); // its time may be as long as the client likes
    }
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
        fail(failure);
      }
      seen = wanted.addAndGet(-seen);
    } while (seen != 0);
  }

  private void step() {
    if (answered) {
      return;
    }
    takeAnswers();
    while (!owes && room()) {
      Interest next = turn.set().next();
      if (next == null) {
        break;
      }
      read(next);
    }
    if (follows && !room()) {
      reader.locate(turn.set().takeNamed(), arrivedMs);
    }
    boolean enough =
        failed
            || cramped
            || full
            || bytes >= Math.min(request.body().minBytes(), Math.max(1, maxBytes));
    boolean hurry = enough || request.body().maxWait() <= 0 || turn.set().isEmpty();
    if (timeOver || (hurry && pending == 0)) {
      answer();
    } else {
      await(hurry);
    }
  }

  /**
   * Whether another partition may be read: the first is, however little the client has room for.
   */
  private boolean room() {
    return bytes + promisedBytes < maxBytes || first();
  }

  /** The first records of a response may be more than fits, so that a fetch gets on (KIP-74). */
  private boolean first() {
    return bytes == 0 && pending == 0;
  }

  /**
   * @param hurry only what is under way is waited for, and not for long
   */
  private void await(boolean hurry) {
    if (timeout != null && (graceRuns || !hurry)) {
      return;
    }
    if (timeout != null) {
      timeout.cancel(false);
    }
    graceRuns = hurry;
    long waitMs = hurry ? services.config().slowReadGraceMs() : waitMs();
    timeout = services.timer().schedule(atOnce, waitMs, TimeUnit.MILLISECONDS);
  }

  private long waitMs() {
    FetchRequest body = request.body();
    return follows
        ? services
            .sources()
            .hosted()
            .newcomers()
            .waitMs(body.replicaId(), body.maxWait(), arrivedMs)
        : body.maxWait();
  }

  /** Answers with what there is. */
  private void answerNow() {
    timeOver = true;
    work();
  }

  // ---- reading

  private void read(Interest interest) {
    FetchPart before = interest.part();
    if (before == null) {
      touched.add(interest);
    } else if (before.slow()) {
      overtaken.add(interest);
      return;
    } else if (before.sizeBytes() > 0) {
      return; // in the response, and so dirty again at the end
    } else if (before.settled()) {
      // A follower whose history parts from ours must not be given records in its stead: whether
      // they fit behind its own was looked at once, when it was told that they do not.
      waiting.add(interest);
      return;
    }
    try {
      if (!reader.mayRead(interest.key())) {
        refuse(interest, Errors.TOPIC_AUTHORIZATION_FAILED, null);
        return;
      }
      PartitionRead.Source partition = reader.source(interest.key());
      interest.watch(partition);
      interest.mark(Kind.TOTAL_FETCH, 1);
      OptionalInt nearer = reader.nearer(partition, interest);
      if (nearer.isPresent()) {
        full = true;
        waiting.add(interest); // who cannot read there asks here again, and does not name it
        interest.part(FetchPart.elsewhere(partition.marks(reader.isolation()), nearer.getAsInt()));
        return;
      }
      int room = Math.max(0, Math.min(interest.maxBytes(), maxBytes - bytes - promisedBytes));
      long offset = interest.fetchOffset();
      ReadRequest wanted = wanted(interest, offset, room);
      boolean tells = request.body().isFromFollower() && before == null;
      PartitionRead read =
          tells
              ? reader
                  .leader(interest.key())
                  .readAsFollower(
                      wanted, reader.follower(interest, arrivedMs), interest.lastFetchedEpoch())
              : reader.read(partition, wanted);
      take(interest, read, offset, room);
    } catch (RuntimeException failure) {
      refuse(interest, Dispatcher.error(failure), null);
    }
  }

  private ReadRequest wanted(Interest interest, long offset, int room) {
    return reader.wanted(interest, offset, room, first(), reply::isDone);
  }

  private void take(Interest interest, PartitionRead read, long offset, int room) {
    if (read instanceof PartitionRead.Hot hot) {
      full |= hot.read().sizeBytes() > 0 && hot.read().nextOffset() < hot.marks().upperBound();
      add(
          interest,
          FetchPart.of(hot.marks(), hot.read(), hot.aborted(), services.config().copyBytes()));
    } else if (read instanceof PartitionRead.Diverging diverging) {
      full = true;
      interest.part(FetchPart.diverging(diverging.marks(), diverging.end()));
    } else if (read instanceof PartitionRead.Left left) {
      full = true; // it is told so at once
      interest.part(FetchPart.left(left.marks()));
    } else if (read instanceof PartitionRead.Throttled throttled) {
      interest.part(FetchPart.slow(throttled.marks()));
    } else if (read instanceof PartitionRead.Passed passed) {
      full |= passed.records().sizeInBytes() > 0;
      add(interest, FetchPart.of(passed, reader.refusesZstd(interest)));
    } else if (read instanceof PartitionRead.Old old) {
      await(new Asked(interest, old.marks(), offset, room), old.read());
    } else if (read instanceof PartitionRead.Cold cold) {
      interest.mark(Kind.REMOTE_FETCH, 1);
      await(new Asked(interest, cold.marks(), offset, room), cold.read());
    }
  }

  private void add(Interest interest, FetchPart part) {
    bytes += part.sizeBytes();
    interest.part(part);
    PartitionRead.Marks marks = part.marks();
    if (part.sizeBytes() == 0 && marks != null && interest.fetchOffset() < marks.upperBound()) {
      waiting.add(interest);
      cramped |= bytes > 0;
    }
  }

  private void refuse(Interest interest, Errors error, PartitionRead.@Nullable Marks marks) {
    failed = true;
    if (error == Errors.UNKNOWN_SERVER_ERROR || error == Errors.CORRUPT_MESSAGE) {
      interest.mark(Kind.FAILED_FETCH, 1);
    }
    interest.part(FetchPart.failed(error, marks));
  }

  // ---- reads under way, which answer on threads of disk and replay

  /**
   * @param offset from which it is read
   * @param room as many bytes of the response are kept for it
   */
  private record Asked(Interest interest, PartitionRead.Marks marks, long offset, int room) {}

  /**
   * @param got a {@link PartitionRead} or a {@link ReplayRead}
   */
  private record Answer(Asked asked, @Nullable Object got, @Nullable Throwable failure) {}

  private void await(Asked asked, CompletableFuture<?> read) {
    pending++;
    promisedBytes += asked.room;
    asked.interest.part(FetchPart.slow(asked.marks));
    var unused =
        read.whenComplete(
            (got, failure) -> {
              answers.add(new Answer(asked, got, failure));
              if (reply.isDone()) {
                dropLate();
              }
              work();
            });
  }

  private void takeAnswers() {
    for (Answer answer = answers.poll(); answer != null; answer = answers.poll()) {
      pending--;
      promisedBytes -= answer.asked.room;
      Interest interest = answer.asked.interest;
      try {
        if (answer.got instanceof ReplayRead read) {
          interest.mark(Kind.REMOTE_FETCH_BYTES, read.sizeBytes());
          if (!goesOn(answer.asked, read)) {
            full |= read.sizeBytes() > 0;
            add(interest, reader.history(interest, answer.asked.marks, read));
          }
        } else if (answer.got instanceof PartitionRead read) {
          take(interest, read, answer.asked.offset, answer.asked.room);
        } else {
          notRead(answer.asked, Dispatcher.cause(requireNonNull(answer.failure)));
        }
      } catch (RuntimeException failure) {
        refuse(interest, Dispatcher.error(failure), answer.asked.marks);
      }
      if (overtaken.remove(interest)) {
        interest.soil();
      }
    }
  }

  /**
   * The tier has nothing at the offset nor above, as may be after compaction: the hot log may have
   * something, and a reader told of nothing would ask for ever.
   */
  private boolean goesOn(Asked asked, ReplayRead read) {
    long next = read.nextOffset();
    if (read.sizeBytes() > 0 || next <= asked.offset || next >= asked.marks.upperBound()) {
      return false;
    }
    read.close();
    PartitionRead.Source partition = reader.source(asked.interest.key());
    ReadRequest further = wanted(asked.interest, next, asked.room);
    take(asked.interest, reader.read(partition, further), next, asked.room);
    return true;
  }

  private void notRead(Asked asked, Throwable cause) {
    Errors error = Dispatcher.error(cause);
    if (cause instanceof ReplayException replay) {
      asked.interest.mark(Kind.REMOTE_FETCH_ERRORS, 1);
      if (replay.kind() == ReplayException.Kind.UNAVAILABLE) {
        asked.interest.part(FetchPart.away(error, asked.marks));
        return;
      }
    }
    refuse(asked.interest, error, asked.marks);
  }

  /** The fetch was answered without them: what they brought is near for the next one. */
  private void dropLate() {
    for (Answer late = answers.poll(); late != null; late = answers.poll()) {
      if (late.got instanceof ReplayRead read) {
        read.close();
      } else if (late.got instanceof PartitionRead read) {
        drop(read);
      }
    }
  }

  private static void drop(PartitionRead read) {
    if (read instanceof PartitionRead.Hot hot) {
      hot.read().close();
    } else if (read instanceof PartitionRead.Old old) {
      var unused = old.read().thenAccept(FetchAttempt::drop);
    } else if (read instanceof PartitionRead.Cold cold) {
      var unused = cold.read().thenAccept(ReplayRead::close);
    }
  }

  // ---- the answer

  private void answer() {
    end();
    if (bytes > 0 && !reader.admits(bytes)) {
      touched.forEach(FetchAttempt::withhold);
    }
    LinkedHashMap<TopicIdPartition, PartitionData> data = new LinkedHashMap<>();
    List<FetchPart> parts = new ArrayList<>();
    for (Interest interest : turn.full() ? turn.set().interests() : touched) {
      FetchPart part = interest.part();
      if (part == null) {
        part = reader.unreached(interest.key());
      }
      parts.add(part);
      if (part.sizeBytes() > 0) {
        reader.sent(interest, part.sizeBytes());
      }
      Optional<TierMark> tier = reader.followsTier() ? interest.tier() : Optional.empty();
      PartitionData one = part.data(interest.key().partition(), tier, request.version());
      boolean news = interest.news(one, tier);
      if (turn.full() || news) {
        data.put(named(interest.key()), one);
      }
    }
    NewLeaders leaders = new NewLeaders(services.control(), request);
    if (request.version() >= LEADERS_SINCE && services.sources().nameLeaders(request)) {
      data.forEach((id, one) -> FetchPart.tell(leaders, id, one));
    }
    FetchResponse response = FetchResponse.of(Errors.NONE, 0, turn.id(), data, leaders.nodes());
    leave();
    reply.complete(Reply.of(response, () -> parts.forEach(part -> part.release().run())));
    dropLate();
  }

  private static void withhold(Interest interest) {
    FetchPart part = interest.part();
    if (part != null && part.sizeBytes() > 0) {
      part.release().run();
      interest.part(FetchPart.slow(part.marks()));
    }
  }

  private void fail(Throwable failure) {
    end();
    for (Interest interest : touched) {
      FetchPart part = interest.part();
      if (part != null) {
        part.release().run();
        interest.part(FetchPart.slow(null));
      }
    }
    leave();
    reply.completeExceptionally(failure);
    dropLate();
  }

  private void end() {
    answered = true;
    turn.set().onDirt(null);
    if (follows) {
      services.sources().hosted().newcomers().ended(request.body().replicaId(), atOnce);
    }
    if (timeout != null) {
      timeout.cancel(false);
    }
  }

  /**
   * Leaves the set as the next attempt expects it; those that gave records queue up last, and those
   * that gave history behind them: what they hold may be what others of the same reader waited for.
   */
  private void leave() {
    waiting.forEach(Interest::soil);
    touched.stream()
        .filter(Interest::hasMore)
        .filter(i -> !i.gaveHistory())
        .forEach(Interest::soil);
    touched.stream().filter(Interest::gaveHistory).forEach(Interest::soil);
    touched.forEach(interest -> interest.part(null));
  }

  private static TopicIdPartition named(FetchKey key) {
    return new TopicIdPartition(key.topicId(), key.partition(), key.topic());
  }
}
