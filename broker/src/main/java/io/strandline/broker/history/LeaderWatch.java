package io.strandline.broker.history;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.PeerRequests;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;

/**
 * Listens at leaders for what is new above the high watermark that is known, one waiting fetch with
 * each leader for all of the partitions that somebody reads here. It tells that there is something,
 * and leaves it to readers to ask for it: they stand at different offsets.
 *
 * <p>Threads: any.
 */
final class LeaderWatch implements AutoCloseable {
  /** A partition that is added while a fetch waits is heard of after this time at most. */
  private static final int WAIT_MS = 250;

  private static final int PAUSE_MS = 500;

  private final ControlPlane control;
  private final ScheduledExecutorService timer;
  private final PeerRequests requests;
  private final Map<Integer, Set<HistoryPartition>> watched = new HashMap<>(); // guarded by this
  private final Set<Integer> listening = new HashSet<>();
  private boolean closed;

  LeaderWatch(ControlPlane control, ScheduledExecutorService timer) {
    this.control = control;
    this.timer = timer;
    this.requests = control.peers().requests("history-watch");
  }

  /** Tells it from now on, until {@link #remove}; does nothing if it does already. */
  void add(HistoryPartition partition) {
    int leader = leader(partition);
    synchronized (this) {
      if (closed || watched.values().stream().anyMatch(all -> all.contains(partition))) {
        return;
      }
      watched.computeIfAbsent(leader, id -> new HashSet<>()).add(partition);
      if (!listening.add(leader)) {
        return;
      }
    }
    round(leader);
  }

  synchronized void remove(HistoryPartition partition) {
    watched.values().forEach(all -> all.remove(partition));
  }

  private int leader(HistoryPartition partition) {
    return control
        .view()
        .partition(partition.id().topicPartition())
        .filter(state -> state.id().equals(partition.id())) // not a later topic of this name
        .map(PartitionState::leader)
        .orElse(-1);
  }

  /** Asks this leader once, and again when it has answered. */
  private void round(int leader) {
    List<HistoryPartition> moved = new ArrayList<>();
    Map<TopicPartition, HistoryPartition> asked = new HashMap<>();
    synchronized (this) {
      Set<HistoryPartition> mine = watched.getOrDefault(leader, Set.of());
      for (HistoryPartition one : List.copyOf(mine)) {
        if (!one.isWatched()) {
          mine.remove(one); // its last reader left while it was added
        } else if (leader(one) == leader) {
          asked.put(one.id().topicPartition(), one);
        } else {
          mine.remove(one);
          moved.add(one);
        }
      }
      if (asked.isEmpty()) { // as it is once this is closed
        listening.remove(leader);
      }
    }
    moved.forEach(this::add);
    if (asked.isEmpty()) {
      return;
    }
    if (leader < 0) {
      later(leader);
      return;
    }
    var unused =
        requests
            .send(leader, request(asked))
            .thenApply(response -> tell(asked, response))
            .exceptionally(failure -> false)
            .thenAccept(
                well -> {
                  if (well) {
                    round(leader);
                  } else {
                    later(leader);
                  }
                });
  }

  private HistoryFetch request(Map<TopicPartition, HistoryPartition> asked) {
    Map<TopicPartition, FetchRequest.PartitionData> parts = new LinkedHashMap<>();
    asked.forEach(
        (name, one) ->
            parts.put(
                name,
                new FetchRequest.PartitionData(
                    one.id().topicId(), one.heardHighWatermark(), -1, 1, Optional.empty())));
    return new HistoryFetch(parts, IsolationLevel.READ_UNCOMMITTED, WAIT_MS, 1);
  }

  /** Whether all is well there. */
  private boolean tell(Map<TopicPartition, HistoryPartition> asked, AbstractResponse response) {
    FetchResponse fetched = (FetchResponse) response;
    Map<TopicPartition, PartitionData> parts =
        fetched.responseData(control.view().topicNames(), ApiKeys.FETCH.latestVersion());
    parts.forEach(
        (name, part) -> {
          HistoryPartition one = asked.get(name);
          if (one != null) {
            one.heard(part);
          }
        });
    return !parts.isEmpty()
        && parts.values().stream().allMatch(part -> part.errorCode() == Errors.NONE.code());
  }

  private void later(int leader) {
    var unused = timer.schedule(() -> round(leader), PAUSE_MS, TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      watched.clear();
    }
    requests.close();
  }
}
