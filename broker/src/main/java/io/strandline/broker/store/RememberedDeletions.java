package io.strandline.broker.store;

import io.strandline.tiering.TierPipeline;
import io.strandline.tiering.reclaim.Deletions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes the tier of partitions whose topic is gone, as soon as there is a tier to work on.
 *
 * @param disk where deletions are written down
 * @param pipeline completes when the store was tried
 * @param closed whether this broker stops, and failures mean nothing
 */
public record RememberedDeletions(
    Deletions deletions,
    Executor disk,
    CompletableFuture<TierPipeline> pipeline,
    BooleanSupplier closed) {
  private static final Logger LOG = LoggerFactory.getLogger(RememberedDeletions.class);

  /**
   * @param led whether this broker led it
   * @return completes when it can not be forgotten any more; what is deleted is deleted later
   */
  public CompletableFuture<Void> begin(Deletions.Deletion deletion, boolean led) {
    CompletableFuture<Void> remembered = CompletableFuture.runAsync(() -> remember(deletion), disk);
    var unused =
        remembered
            .thenCombine(pipeline, (done, tier) -> tier)
            .thenCompose(tier -> tier.delete(deletion.partition(), deletion.leaderEpoch(), led))
            .whenComplete(
                (done, failure) -> {
                  if (failure != null && !closed.getAsBoolean()) {
                    LOG.atWarn()
                        .addKeyValue("partition", deletion.partition())
                        .setCause(failure)
                        .log("the tier of a deleted topic stays for now");
                  }
                });
    return remembered;
  }

  private void remember(Deletions.Deletion deletion) {
    try {
      deletions.begin(deletion);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
