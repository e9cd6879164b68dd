package io.strandline.broker.request.group;

import io.strandline.broker.control.ControlPlane;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.RequestContext;

/**
 * Creates the internal topics of streams groups, and remembers for a while why one could not be:
 * members ask with every heartbeat. Thread-safe.
 */
final class StreamsTopics {
  /** Remembered at most. */
  private static final int FAILURES_MAX = 1_000;

  private record Failure(String reason, long untilMs) {}

  private final ControlPlane control;
  private final InstantSource clock;
  private final Map<String, Failure> failures =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Failure> eldest) {
          return size() > FAILURES_MAX;
        }
      };

  StreamsTopics(ControlPlane control, InstantSource clock) {
    this.control = control;
    this.clock = clock;
  }

  /**
   * Begins to create those that did not fail a while ago.
   *
   * @param whileMs how long a failure is remembered
   */
  void create(Map<String, CreatableTopic> topics, RequestContext client, long whileMs) {
    Map<String, CreatableTopic> due = new HashMap<>(topics);
    due.keySet().removeAll(failed(topics.keySet()).keySet());
    if (due.isEmpty()) {
      return;
    }
    var unused =
        control
            .createTopics(due, client)
            .whenComplete(
                (errors, failure) -> {
                  long untilMs = clock.millis() + whileMs;
                  for (String topic : due.keySet()) {
                    ApiError error =
                        failure == null
                            ? errors.getOrDefault(topic, ApiError.NONE)
                            : ApiError.fromThrowable(failure);
                    settle(topic, error, untilMs);
                  }
                });
  }

  private synchronized void settle(String topic, ApiError error, long untilMs) {
    failures.remove(topic);
    if (error.isFailure() && !error.is(Errors.TOPIC_ALREADY_EXISTS)) {
      failures.put(topic, new Failure(error.messageWithFallback(), untilMs));
    }
  }

  /** Why those of them could not be created that lately could not. */
  synchronized Map<String, String> failed(Collection<String> topics) {
    long nowMs = clock.millis();
    Map<String, String> reasons = new TreeMap<>();
    for (String topic : topics) {
      Failure failure = failures.get(topic);
      if (failure != null && failure.untilMs > nowMs) {
        reasons.put(topic, failure.reason);
      }
    }
    return reasons;
  }
}
