package io.strandline.broker.partition;

import io.strandline.broker.log.Appended;
import java.util.concurrent.CompletableFuture;

/**
 * An append under way. Both futures fail with Kafka's {@code ApiException}s and complete on the
 * owner's thread, after it let go of the partition.
 *
 * @param written the records are in the leader's log, or refused: their buffer is free again
 * @param acknowledged as many replicas have them as the producer asked for; no timeout of its own
 */
public record PendingAppend(
    CompletableFuture<Appended> written, CompletableFuture<Appended> acknowledged) {

  /** Nothing of it was written. */
  public void fail(Throwable failure) {
    written.completeExceptionally(failure);
    acknowledged.completeExceptionally(failure);
  }
}
