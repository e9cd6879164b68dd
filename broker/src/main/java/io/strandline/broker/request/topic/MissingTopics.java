package io.strandline.broker.request.topic;

import io.strandline.broker.control.ControlPlane;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.RequestContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The creation of topics that clients name before they exist. An answer is held back a moment for
 * it, so that a client finds its topic at once; Kafka does not wait. A controller that is away is
 * not waited for: what else the client has asked on its connection is answered after this.
 */
final class MissingTopics {
  private static final Logger LOG = LoggerFactory.getLogger(MissingTopics.class);
  private static final int WAIT_MS_MAX = 1_000;
  private static final int TOLD_MAX = 20;
  private static final int TOLD_MS = 10_000;

  private final ControlPlane control;
  private final ScheduledExecutorService timer;

  /** Waited for before, and still under way: nobody waits for them again. */
  private final Set<String> late = ConcurrentHashMap.newKeySet();

  /** Refusals that were told in the last seconds. */
  private final Set<String> told = ConcurrentHashMap.newKeySet();

  private final AtomicBoolean forgetting = new AtomicBoolean();

  MissingTopics(ControlPlane control, ScheduledExecutorService timer) {
    this.control = control;
    this.timer = timer;
  }

  /**
   * Creates topics; what takes longer goes on.
   *
   * @return by topic what came of it, nothing of those whose creation is still under way; never
   *     fails
   */
  CompletableFuture<Map<String, ApiError>> create(Set<String> topics, RequestContext client) {
    if (late.containsAll(topics)) {
      return CompletableFuture.completedFuture(Map.of());
    }
    CompletableFuture<Map<String, ApiError>> answer = new CompletableFuture<>();
    CompletableFuture<Map<String, ApiError>> created = control.createTopics(topics, client);
    Runnable giveUp =
        () -> {
          late.addAll(topics);
          if (created.isDone()) {
            late.removeAll(topics);
          }
          answer.complete(Map.of());
        };
    ScheduledFuture<?> limit = timer.schedule(giveUp, WAIT_MS_MAX, TimeUnit.MILLISECONDS);
    var unused =
        created.whenComplete(
            (errors, failure) -> {
              limit.cancel(false);
              late.removeAll(topics);
              if (failure == null) {
                errors.forEach(this::tell);
              }
              answer.complete(failure == null ? errors : Map.of());
            });
    return answer;
  }

  /** Clients are not told what they would take for final; the operator is, now and then. */
  private void tell(String topic, ApiError error) {
    if (error.is(Errors.NONE)
        || error.is(Errors.TOPIC_ALREADY_EXISTS)
        || told.size() >= TOLD_MAX
        || !told.add(topic + " " + error.error())) {
      return;
    }
    if (forgetting.compareAndSet(false, true)) {
      var unused = timer.schedule(this::forget, TOLD_MS, TimeUnit.MILLISECONDS);
    }
    LOG.atWarn()
        .addKeyValue("topic", topic)
        .addKeyValue("reason", error)
        .log("a topic that a client named was not created");
  }

  private void forget() {
    forgetting.set(false);
    told.clear();
  }
}
