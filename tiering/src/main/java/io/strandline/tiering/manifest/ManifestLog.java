package io.strandline.tiering.manifest;

import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/**
 * The chain of versions of every partition: which is newest, and the one way to put another behind
 * it. Knows nothing of what a version says.
 *
 * <p>Futures fail as the store's do; after {@code Unavailable} from {@link #append} the attempt may
 * still succeed later, and {@link ManifestVersion#descendsFrom} will tell. Threads: any.
 */
interface ManifestLog {
  /**
   * A version that is part of the chain.
   *
   * @param mark what the log needs to put one behind it
   * @param modified by the store's clock; the epoch where the store was not asked
   * @param seenMs by the reader's clock, before the look that showed it newest began
   */
  record Stored(ManifestVersion version, String mark, Instant modified, long seenMs) {}

  /**
   * The end of an attempt.
   *
   * @param won whether the version became part of the chain
   * @param newest what is newest now, which need not be the version even if it won
   */
  record Outcome(boolean won, Stored newest) {}

  /** The newest version, if there is any. */
  CompletableFuture<Optional<Stored>> newest(TopicIdPartition partition);

  /**
   * Puts a version behind its parent.
   *
   * @param parent what the version was made from; the empty version when there was none
   */
  CompletableFuture<Outcome> append(Stored parent, ManifestVersion next);

  /** Deletes versions that nobody may need any more, as of the newest; may leave some for later. */
  CompletableFuture<Void> collect(Stored newest);

  /** What stands for "nothing was ever committed". */
  static Stored nothing(TopicIdPartition partition, long seenMs) {
    return new Stored(ManifestVersion.empty(partition), "", Instant.EPOCH, seenMs);
  }
}
