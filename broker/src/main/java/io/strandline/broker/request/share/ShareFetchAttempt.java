package io.strandline.broker.request.share;

import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.ReadRequest;
import io.strandline.broker.partition.Watcher;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.share.SharePartition;
import io.strandline.broker.share.SharePartition.Limits;
import io.strandline.broker.share.SharePartitions;
import io.strandline.broker.share.window.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.message.ShareFetchResponseData.AcquiredRecords;
import org.apache.kafka.common.message.ShareFetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * One share fetch under way: goes over its partitions in rounds, reads where records may be given,
 * and answers once a round brought something, all of them are refused, or its time is over.
 *
 * <p>One thread at a time works on it, as on a fetch: whoever wants work done raises {@link
 * #wanted}. The work is done on an executor that may wait for the disk; a read that takes longer
 * than the fetch waits, as from a tier that is away, does not hold up the answer. Between rounds no
 * partition is kept from others.
 */
final class ShareFetchAttempt implements Watcher {
  /** Bounds what is read to give a few records of it; further rounds read on. */
  private static final int READ_BYTES_MAX = 1 << 20;

  /** What all attempts share. */
  record Services(
      SharePartitions partitions,
      Executor reads,
      ScheduledExecutorService timer,
      ReadMemory memory) {}

  /** By the quota of the client. */
  interface Allowance {
    /** Whether so many bytes of records may be given, which are then charged; 0: any. */
    boolean admits(int bytes);

    /** So many more were given. */
    void owes(int bytes);
  }

  /**
   * @param partitions in the order in which they are to be looked at
   * @param connection whose reads of history are one stream
   * @param bytesMin before so many there is no answer until the time is over
   */
  record Wanted(
      ShareSessions.Member member,
      List<TopicIdPartition> partitions,
      String connection,
      Limits limits,
      int bytesMax,
      int bytesMin,
      int waitMs) {}

  /** Read, and kept from others until something of it is given. */
  private record Taken(TopicIdPartition id, SharePartition from, long offset, ShareRead read) {
    /** So many offsets of it may be given, were none held by others. */
    long deliverable() {
      return read.spans().stream()
          .filter(span -> span.deliverable() && span.last() >= offset)
          .mapToLong(span -> span.last() - Math.max(offset, span.first()) + 1)
          .sum();
    }
  }

  /**
   * A read that has come to its end, on whichever thread.
   *
   * @param claimed of the memory, in bytes
   */
  private record Arrived(
      TopicIdPartition id,
      SharePartition from,
      long offset,
      int claimed,
      @Nullable ShareRead got,
      @Nullable Throwable failure) {}

  private final Services services;
  private final Wanted wants;
  private final BooleanSupplier wantedStill;
  private final Allowance allowance;
  private final CompletableFuture<Map<TopicIdPartition, PartitionData>> reply =
      new CompletableFuture<>();
  private final AtomicInteger wanted = new AtomicInteger();
  private final Runnable wake = this::work;
  private final Map<TopicIdPartition, PartitionData> answer = new LinkedHashMap<>();
  private final Map<TopicIdPartition, PartitionData> refused = new LinkedHashMap<>();
  private final List<Taken> round = new ArrayList<>();
  private final Map<TopicIdPartition, SharePartition> watched = new HashMap<>();

  /** Whose loading was looked at; one that failed is not begun anew for this fetch. */
  private final Map<TopicIdPartition, SharePartition> awaited = new HashMap<>();

  private final Queue<Arrived> arrived = new ConcurrentLinkedQueue<>();
  private int index;
  private int bytes;
  private long records;
  private boolean starved;
  private boolean pending;
  private volatile boolean timeOver;
  private boolean answered;
  private @Nullable ScheduledFuture<?> timeout;

  /**
   * @param wantedStill whether connection and session are there; else nothing is given
   */
  ShareFetchAttempt(
      Services services, Wanted wants, BooleanSupplier wantedStill, Allowance allowance) {
    this.services = services;
    this.wants = wants;
    this.wantedStill = wantedStill;
    this.allowance = allowance;
  }

  CompletableFuture<Map<TopicIdPartition, PartitionData>> begin() {
    timeout =
        services
            .timer()
            .schedule(this::answerNow, Math.max(0, wants.waitMs), TimeUnit.MILLISECONDS);
    work();
    return reply;
  }

  /** Its time is over, or nobody waits for it any more. */
  void answerNow() {
    timeOver = true;
    work();
  }

  @Override
  public void changed(PartitionRead.Source partition, Executor wakes) {
    wakes.execute(this::work);
  }

  private void work() {
    if (wanted.getAndIncrement() == 0) {
      try {
        services.reads().execute(this::run);
      } catch (RejectedExecutionException stopping) {
        reply.completeExceptionally(stopping);
      }
    }
  }

  private void run() {
    int seen = wanted.get();
    do {
      try {
        step();
      } catch (RuntimeException | Error failure) {
        letGo();
        end();
        reply.completeExceptionally(failure);
      }
      seen = wanted.addAndGet(-seen);
    } while (seen != 0);
  }

  private void step() {
    takeArrived();
    if (answered) {
      return;
    }
    while (!pending && !starved && index < wants.partitions.size() && !full()) {
      visit(wants.partitions.get(index++));
    }
    if (!pending || timeOver) {
      endRound();
    }
  }

  /** More would be read for nothing: it could not be given. */
  private boolean full() {
    return bytes > 0
        && (bytes >= wants.bytesMax || (records >= wants.limits.recordsMax() && awaitedBytes()));
  }

  private boolean awaitedBytes() {
    return bytes >= Math.min(wants.bytesMin, wants.bytesMax);
  }

  private void takeArrived() {
    for (Arrived next = arrived.poll(); next != null; next = arrived.poll()) {
      pending = false;
      if (answered) {
        services.memory().release(next.claimed);
        next.from.endRead(); // too late; what was read is near for the next one
      } else {
        take(next);
      }
    }
  }

  private void endRound() {
    boolean over = !wantedStill.getAsBoolean();
    boolean enough = timeOver || starved || awaitedBytes();
    boolean again = false;
    if (!round.isEmpty() && enough && !over) {
      over = !giveIfAdmitted();
      again = answer.isEmpty() && !timeOver; // what was read is for nobody: read on
    }
    boolean hopeless = refused.size() == wants.partitions.size();
    letGo();
    if (timeOver || over || hopeless || !answer.isEmpty()) {
      end();
      refused.forEach(answer::putIfAbsent);
      reply.complete(answer);
    } else if (again) {
      wanted.incrementAndGet();
    }
    index = 0;
    bytes = 0;
    records = 0;
    starved = false;
    refused.clear();
  }

  /**
   * Charged before anything is given, or all who ask at once would be found within the quota: how
   * much that will be is known only when it is cut.
   */
  private boolean giveIfAdmitted() {
    long most = Math.min(records, wants.limits.recordsMax());
    int expected = records == 0 ? 0 : (int) Math.max(1, bytes * most / records);
    if (expected > 0 && !allowance.admits(expected)) {
      return false;
    }
    give();
    int given = answer.values().stream().mapToInt(one -> one.records().sizeInBytes()).sum();
    if (given > expected) {
      allowance.owes(given - expected);
    }
    return true;
  }

  private void give() {
    int left = wants.limits.recordsMax();
    for (Taken taken : round) {
      if (left <= 0) {
        break;
      }
      Limits limits = new Limits(left, wants.limits.batchRecords(), wants.limits.strict());
      List<AcquiredRecords> given =
          taken.from.acquire(wants.member.id(), limits, taken.offset, taken.read.spans());
      if (!given.isEmpty()) {
        for (AcquiredRecords run : given) {
          left -= (int) (run.lastOffset() - run.firstOffset() + 1);
        }
        answer.put(
            taken.id,
            new PartitionData()
                .setPartitionIndex(taken.id.partition())
                .setRecords(taken.read.cut(given))
                .setAcquiredRecords(given));
      }
    }
  }

  private void letGo() {
    round.forEach(taken -> taken.from.endRead());
    services.memory().release(round.stream().mapToLong(taken -> taken.read.sizeBytes()).sum());
    round.clear();
  }

  private void end() {
    answered = true;
    if (timeout != null) {
      timeout.cancel(false);
    }
    services.memory().leave(wake);
    watched.values().forEach(this::unwatch);
  }

  private void unwatch(SharePartition one) {
    one.unwatch(wake);
    one.partition().unwatch(this);
  }

  // ---- one partition

  private void visit(TopicIdPartition id) {
    OptionalLong from;
    SharePartition one;
    try {
      SharePartition before = awaited.get(id);
      one =
          before != null && before.loaded().isCompletedExceptionally()
              ? before
              : services.partitions().get(wants.member.group(), id);
      if (!one.loaded().isDone()) {
        watch(id, one);
        if (awaited.put(id, one) != one) {
          var unused = one.loaded().whenComplete((done, failure) -> work());
        }
        return;
      }
      if (one.loaded().isCompletedExceptionally()) {
        awaited.put(id, one);
        refuse(id, one.loaded().handle((done, failure) -> unloaded(failure)).join());
        return;
      }
      watch(id, one);
      from = one.beginRead(wake);
    } catch (RuntimeException failure) {
      refuse(id, failure);
      return;
    }
    if (from.isPresent()) {
      read(id, one, from.getAsLong());
    }
  }

  /**
   * What a member is told. Kafka's share consumer gives up at codes that it does not know of a
   * fetch, a coordinator's among them; this one it asks again after.
   */
  private static Errors unloaded(Throwable failure) {
    Errors error = Dispatcher.error(failure);
    return switch (error) {
      case NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION, KAFKA_STORAGE_ERROR -> error;
      default -> Errors.UNKNOWN_SERVER_ERROR;
    };
  }

  private void watch(TopicIdPartition id, SharePartition one) {
    SharePartition before = watched.put(id, one);
    if (before != one) {
      if (before != null) {
        unwatch(before);
      }
      one.partition().watch(this);
    }
    one.watch(wake);
  }

  private void read(TopicIdPartition id, SharePartition one, long offset) {
    int claimed = Math.max(1, Math.min(READ_BYTES_MAX, wants.bytesMax - bytes));
    if (!services.memory().take(claimed, wake)) {
      one.endRead();
      starved = true;
      return;
    }
    CompletableFuture<ShareRead> read;
    try {
      read = ShareRead.of(one.partition().read(request(one, offset, claimed)), offset);
    } catch (RuntimeException | Error failure) { // memory and partition are to be given back
      read = CompletableFuture.failedFuture(failure);
    }
    if (read.isDone()) { // most are in the page cache
      var unused =
          read.whenComplete(
              (got, failure) -> take(new Arrived(id, one, offset, claimed, got, failure)));
      return;
    }
    pending = true;
    // Until it is here its memory is replay's: a store that is away may not keep all others
    // waiting.
    services.memory().release(claimed);
    var unused =
        read.whenComplete(
            (got, failure) -> {
              arrived.add(new Arrived(id, one, offset, 0, got, failure));
              work();
            });
  }

  private ReadRequest request(SharePartition one, long offset, int bytesMax) {
    return new ReadRequest(
        offset,
        bytesMax,
        bytes == 0,
        OptionalInt.of(one.leaderEpoch()),
        one.isolation(),
        wants.connection);
  }

  private void take(Arrived read) {
    if (read.got == null) {
      services.memory().release(read.claimed);
      failed(read.id, read.from, read.offset, read.failure);
      return;
    }
    services.memory().took(read.claimed, read.got.sizeBytes());
    if (read.got.spans().isEmpty()) {
      services.memory().release(read.got.sizeBytes());
      read.from.endRead();
      return;
    }
    Taken taken = new Taken(read.id, read.from, read.offset, read.got);
    bytes += Math.max(1, read.got.sizeBytes());
    records += taken.deliverable();
    round.add(taken);
  }

  /** What the log has let go of is over for the group too. */
  private void failed(
      TopicIdPartition id, SharePartition one, long offset, @Nullable Throwable failure) {
    long logStart = one.partition().logStartOffset();
    Throwable cause = failure == null ? new IllegalStateException("no read") : failure;
    boolean gone = Dispatcher.error(cause) == Errors.OFFSET_OUT_OF_RANGE; // of log or tier
    if (gone && offset < logStart) {
      round.add(
          new Taken(
              id,
              one,
              offset,
              new ShareRead(MemoryRecords.EMPTY, List.of(new Span(offset, logStart - 1, false)))));
      bytes += 1;
      one.cutBefore(logStart);
      return;
    }
    one.endRead();
    if (!gone) { // beyond the end: there is nothing yet
      refuse(id, cause);
    }
  }

  private void refuse(TopicIdPartition id, Throwable failure) {
    refuse(id, Dispatcher.error(failure));
  }

  private void refuse(TopicIdPartition id, Errors error) {
    refused.put(
        id,
        new PartitionData()
            .setPartitionIndex(id.partition())
            .setErrorCode(error.code())
            .setErrorMessage(error.message())
            .setRecords(MemoryRecords.EMPTY));
  }
}
