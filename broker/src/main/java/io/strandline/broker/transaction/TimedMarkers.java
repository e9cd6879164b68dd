package io.strandline.broker.transaction;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;

/**
 * Markers that another broker asked for, who waits for an answer and sends no other meanwhile: what
 * the replicas in sync do not have in time is REQUEST_TIMED_OUT, and asked for again.
 *
 * @param patienceMs until then
 */
record TimedMarkers(Markers local, ScheduledExecutorService timer, long patienceMs)
    implements Markers {

  @Override
  public CompletableFuture<Map<TopicPartition, Errors>> write(TxnMarkerEntry marker) {
    CompletableFuture<Map<TopicPartition, Errors>> written = local.write(marker);
    if (written.isDone()) {
      return written;
    }
    CompletableFuture<Map<TopicPartition, Errors>> answer = written.copy();
    Future<?> alarm =
        timer.schedule(() -> answer.complete(late(marker)), patienceMs, TimeUnit.MILLISECONDS);
    return answer.whenComplete((errors, failure) -> alarm.cancel(false));
  }

  private static Map<TopicPartition, Errors> late(TxnMarkerEntry marker) {
    Map<TopicPartition, Errors> errors = new HashMap<>();
    marker.partitions().forEach(p -> errors.put(p, Errors.REQUEST_TIMED_OUT));
    return errors;
  }
}
