package io.strandline.broker.request.share;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.share.SharePartitions;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.InvalidShareSessionEpochException;
import org.apache.kafka.common.errors.ShareSessionLimitReachedException;
import org.apache.kafka.common.errors.ShareSessionNotFoundException;
import org.apache.kafka.common.requests.ShareRequestMetadata;
import org.jspecify.annotations.Nullable;

/**
 * What each member of a share group fetches, as the broker remembers it from request to request. A
 * session ends with its connection at the latest; what its member holds is then given back.
 *
 * <p>Threads: any.
 */
final class ShareSessions {
  /** A member of a group. */
  record Member(String group, String id) {}

  /** By the topic's id: its name may not be known yet, and is lost when it is deleted. */
  record Fetched(Uuid topicId, int partition) {
    private static List<Fetched> all(Collection<TopicIdPartition> named) {
      return named.stream().map(id -> new Fetched(id.topicId(), id.partition())).toList();
    }

    /** With a topic of null if there is none of that id. */
    TopicIdPartition named(Map<Uuid, String> names) {
      return new TopicIdPartition(topicId, partition, names.get(topicId));
    }
  }

  private static final class Session {
    final String connection;
    final Set<Fetched> partitions;
    final Set<Fetched> untold;
    int epoch = ShareRequestMetadata.nextEpoch(ShareRequestMetadata.INITIAL_EPOCH);

    Session(String connection, Collection<Fetched> partitions) {
      this.connection = connection;
      this.partitions = new LinkedHashSet<>(partitions);
      this.untold = new LinkedHashSet<>(partitions);
    }

    Round round() {
      Round round = new Round(List.copyOf(partitions), List.copyOf(untold));
      untold.clear();
      return round;
    }
  }

  private final Map<Member, Session> sessions = new HashMap<>(); // guarded by this, as is all
  private final Map<String, Set<Member>> byConnection = new HashMap<>();
  private final Map<String, Integer> perGroup = new HashMap<>();
  private final int most;
  private final SharePartitions partitions;

  /**
   * @param most so many at a time
   */
  ShareSessions(int most, SharePartitions partitions, MeterRegistry meters) {
    this.most = most;
    this.partitions = partitions;
    Gauge.builder("strandline.share.sessions", this, ShareSessions::size).register(meters);
  }

  private synchronized int size() {
    return sessions.size();
  }

  /**
   * Takes note of a fetch.
   *
   * @param acknowledges whether it also acknowledges records
   * @return what is to be fetched, nothing at the session's end
   * @throws org.apache.kafka.common.errors.ApiException SHARE_SESSION_NOT_FOUND,
   *     INVALID_SHARE_SESSION_EPOCH, SHARE_SESSION_LIMIT_REACHED, INVALID_REQUEST
   */
  Round fetch(Member member, String connection, int epoch, Asked asked, boolean acknowledges) {
    Round round = note(member, connection, epoch, asked, acknowledges);
    asked.forgotten().forEach(id -> partitions.left(member.group, id));
    return round;
  }

  private synchronized Round note(
      Member member, String connection, int epoch, Asked asked, boolean acknowledges) {
    if (epoch == ShareRequestMetadata.INITIAL_EPOCH) {
      if (acknowledges) {
        throw new InvalidRequestException("nothing was given in a session that only begins");
      }
      return open(member, connection, Fetched.all(asked.added())).round();
    }
    Session session = at(member, epoch);
    if (epoch == ShareRequestMetadata.FINAL_EPOCH) {
      return Round.NONE;
    }
    for (Fetched added : Fetched.all(asked.added())) {
      if (session.partitions.add(added)) {
        session.untold.add(added);
      }
    }
    for (Fetched forgotten : Fetched.all(asked.forgotten())) {
      session.partitions.remove(forgotten);
      session.untold.remove(forgotten);
    }
    session.epoch = ShareRequestMetadata.nextEpoch(epoch);
    return session.round();
  }

  /**
   * One fetch of a session.
   *
   * @param partitions all it is of
   * @param untold those of them that no answer has named yet: this one does, records or not
   */
  record Round(List<Fetched> partitions, List<Fetched> untold) {
    static final Round NONE = new Round(List.of(), List.of());
  }

  /** What a fetch changes of its session. */
  record Asked(List<TopicIdPartition> added, List<TopicIdPartition> forgotten) {}

  /** Takes note of acknowledgements sent without a fetch; fails as {@link #fetch} does. */
  synchronized void acknowledge(Member member, int epoch) {
    if (epoch == ShareRequestMetadata.INITIAL_EPOCH) {
      throw new InvalidShareSessionEpochException("an acknowledgement begins no session");
    }
    Session session = at(member, epoch);
    if (epoch != ShareRequestMetadata.FINAL_EPOCH) {
      session.epoch = ShareRequestMetadata.nextEpoch(epoch);
    }
  }

  private Session at(Member member, int epoch) {
    Session session = sessions.get(member);
    if (session == null) {
      throw new ShareSessionNotFoundException("no share session of " + member.id);
    }
    if (epoch != ShareRequestMetadata.FINAL_EPOCH && session.epoch != epoch) {
      throw new InvalidShareSessionEpochException(
          "the share session is at epoch " + session.epoch + ", not " + epoch);
    }
    return session;
  }

  private Session open(Member member, String connection, List<Fetched> fetched) {
    drop(member);
    if (sessions.size() >= most) {
      throw new ShareSessionLimitReachedException("there are " + most + " share sessions already");
    }
    Session session = new Session(connection, fetched);
    sessions.put(member, session);
    perGroup.merge(member.group, 1, Integer::sum);
    byConnection.computeIfAbsent(connection, c -> new HashSet<>()).add(member);
    return session;
  }

  private @Nullable Session drop(Member member) {
    Session session = sessions.remove(member);
    if (session != null) {
      perGroup.computeIfPresent(member.group, (group, n) -> n == 1 ? null : n - 1);
      Set<Member> there = byConnection.get(session.connection);
      if (there != null) {
        there.remove(member);
        if (there.isEmpty()) {
          byConnection.remove(session.connection);
        }
      }
    }
    return session;
  }

  synchronized boolean has(Member member) {
    return sessions.containsKey(member);
  }

  /** Ends a session: what its member holds goes to others. */
  void close(Member member) {
    boolean last;
    synchronized (this) {
      if (drop(member) == null) {
        return;
      }
      last = !perGroup.containsKey(member.group);
    }
    partitions.release(member.group, member.id);
    if (last) {
      partitions.forget(member.group);
    }
  }

  /** No answer reaches that connection any more. */
  void gone(String connection) {
    Set<Member> lost;
    synchronized (this) {
      lost = Set.copyOf(byConnection.getOrDefault(connection, Set.of()));
    }
    lost.forEach(this::close);
  }
}
