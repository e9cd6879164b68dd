package io.strandline.broker.request.data;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.errors.FetchSessionIdNotFoundException;
import org.apache.kafka.common.errors.FetchSessionTopicIdException;
import org.apache.kafka.common.errors.InvalidFetchSessionEpochException;
import org.apache.kafka.common.requests.FetchMetadata;
import org.apache.kafka.common.requests.FetchRequest;

/**
 * The fetch sessions of all clients, at most so many (KIP-227). A newcomer to a full cache takes
 * the place of one that was idle for long, else of one older than that time which weighs less:
 * clients weigh less than followers, few partitions less than many. Threads: any; nothing here is
 * slow.
 */
final class FetchSessions {
  /**
   * What a fetch works on.
   *
   * @param set of the session, or of this request alone
   * @param session empty when there is none
   * @param full whether the response names every partition
   */
  record Turn(FetchSet set, Optional<FetchSession> session, boolean full) {
    int id() {
      return session.map(s -> s.id).orElse(FetchMetadata.INVALID_SESSION_ID);
    }
  }

  private final Map<Integer, FetchSession> sessions = new HashMap<>(); // guarded by this
  private final int slots;
  private final long evictionMs;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final Counter evictions;

  FetchSessions(
      DataConfig config, InstantSource clock, RandomGenerator random, MeterRegistry meters) {
    this.slots = config.sessionSlots();
    this.evictionMs = config.sessionEvictionMs();
    this.clock = clock;
    this.random = random;
    this.evictions = meters.counter("strandline.request.data.session.evictions");
    Gauge.builder("strandline.request.data.sessions", this, FetchSessions::size).register(meters);
  }

  synchronized int size() {
    return sessions.size();
  }

  /**
   * Begins a fetch; its set belongs to the caller until {@link #end}.
   *
   * @throws org.apache.kafka.common.errors.ApiException FETCH_SESSION_ID_NOT_FOUND,
   *     INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR
   */
  synchronized Turn begin(FetchRequest request) {
    FetchMetadata wanted = request.metadata();
    return wanted.isFull() ? full(request, wanted) : incremental(request, wanted);
  }

  private Turn full(FetchRequest request, FetchMetadata wanted) {
    FetchSession before = sessions.get(wanted.sessionId());
    if (before != null) {
      remove(before);
    }
    FetchSet set = new FetchSet();
    set.update(request.data());
    if (wanted.epoch() == FetchMetadata.FINAL_EPOCH || set.isEmpty()) {
      return new Turn(set, Optional.empty(), true);
    }
    long now = clock.millis();
    boolean follower = request.isFromFollower();
    if (sessions.size() >= slots && !evictFor(set.size(), follower, now)) {
      return new Turn(set, Optional.empty(), true);
    }
    FetchSession made = new FetchSession(newId(), set, request.version() >= 13, follower, now);
    made.epoch = FetchMetadata.nextEpoch(FetchMetadata.INITIAL_EPOCH);
    made.busy = true;
    sessions.put(made.id, made);
    return new Turn(set, Optional.of(made), true);
  }

  private Turn incremental(FetchRequest request, FetchMetadata wanted) {
    FetchSession session = sessions.get(wanted.sessionId());
    if (session == null) {
      throw new FetchSessionIdNotFoundException("no session " + wanted.sessionId());
    }
    if (session.epoch != wanted.epoch() || session.busy) {
      throw new InvalidFetchSessionEpochException(
          "session " + session.id + " is at epoch " + session.epoch + ", not " + wanted.epoch());
    }
    if (session.byId != request.version() >= 13) {
      throw new FetchSessionTopicIdException(
          "session " + session.id + (session.byId ? " names" : " does not name") + " topics by id");
    }
    session.set.update(request.data());
    if (session.set.isEmpty()) {
      remove(session);
      return new Turn(session.set, Optional.empty(), true);
    }
    session.usedMs = clock.millis();
    session.epoch = FetchMetadata.nextEpoch(session.epoch);
    session.busy = true;
    return new Turn(session.set, Optional.of(session), false);
  }

  /** The response is made. */
  synchronized void end(Turn turn) {
    Optional<FetchSession> session = turn.session();
    session.ifPresent(s -> s.busy = false);
    if (session.isEmpty() || sessions.get(turn.id()) != session.get()) {
      turn.set().close(); // never was a session, or was evicted meanwhile
    }
  }

  private boolean evictFor(int partitions, boolean follower, long nowMs) {
    Optional<FetchSession> idle = evictable(s -> nowMs - s.usedMs > evictionMs, BY_USE);
    Optional<FetchSession> chosen =
        idle.isPresent()
            ? idle
            : evictable(
                s ->
                    nowMs - s.createdMs > evictionMs
                        && (follower != s.follower ? follower : partitions > s.set.size()),
                BY_WEIGHT);
    chosen.ifPresent(
        session -> {
          remove(session);
          evictions.increment();
        });
    return chosen.isPresent();
  }

  private static final Comparator<FetchSession> BY_USE = Comparator.comparingLong(s -> s.usedMs);
  private static final Comparator<FetchSession> BY_WEIGHT =
      Comparator.<FetchSession, Boolean>comparing(s -> s.follower)
          .thenComparingInt(s -> s.set.size());

  private Optional<FetchSession> evictable(
      Predicate<FetchSession> when, Comparator<FetchSession> first) {
    return sessions.values().stream().filter(when).min(first);
  }

  private void remove(FetchSession session) {
    sessions.remove(session.id);
    if (!session.busy) {
      session.set.close();
    }
  }

  private int newId() {
    int id;
    do {
      id = random.nextInt(1, Integer.MAX_VALUE);
    } while (sessions.containsKey(id));
    return id;
  }
}
