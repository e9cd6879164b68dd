package io.strandline.replay;

import io.strandline.replay.fetch.BatchTooLargeException;
import io.strandline.tiering.manifest.index.CorruptManifestException;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.store.StoreException;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicIdPartition;

/** The one place that says what a failure means to a client. */
final class Failures {
  private Failures() {}

  /** Whether bytes that the view names are not there, or not what they should be. */
  static boolean isBadBytes(Throwable failure) {
    Throwable cause = unwrap(failure);
    return cause instanceof StoreException.NotFound
        || cause instanceof StoreException.Undeciphered
        || mayBeTheWay(cause);
  }

  /** Of these, what a bad transfer looks like too, so that one more try may tell another tale. */
  static boolean mayBeTheWay(Throwable failure) {
    Throwable cause = unwrap(failure);
    return cause instanceof SegmentFormatException
        || cause instanceof CorruptManifestException
        || cause instanceof StoreException.OutOfRange
        || (cause instanceof StoreException.Undeciphered u && u.lackingKey().isEmpty());
  }

  /** As {@link #isBadBytes}, or what a damaged length of a batch looks like. */
  static boolean mayBeBadBytes(Throwable failure) {
    return isBadBytes(failure) || isNewsOfLargeBatch(failure);
  }

  /** Told again of the same segment it is the batch that is so large. */
  static boolean isNewsOfLargeBatch(Throwable failure) {
    return unwrap(failure) instanceof BatchTooLargeException large && large.isNews();
  }

  static ReplayException explain(Throwable failure, TopicIdPartition partition, long offset) {
    Throwable cause = unwrap(failure);
    if (cause instanceof ReplayException known) {
      return known;
    }
    String where = partition.topicPartition() + " at offset " + offset;
    if (cause instanceof StoreException.Undeciphered) {
      return new ReplayException(
          ReplayException.Kind.CORRUPT, "history of " + where + ": " + cause.getMessage(), cause);
    }
    if (cause instanceof InvalidRecordException) {
      return new ReplayException(
          ReplayException.Kind.UNDECODABLE,
          "history of " + where + ": " + cause.getMessage(),
          cause);
    }
    if (isBadBytes(cause)) {
      return new ReplayException(
          ReplayException.Kind.CORRUPT, "history of " + where + " is damaged", cause);
    }
    return new ReplayException(
        ReplayException.Kind.UNAVAILABLE, "history of " + where + " cannot be read now", cause);
  }

  static ReplayException outOfRange(TopicIdPartition partition, long offset, String why) {
    return new ReplayException(
        ReplayException.Kind.OUT_OF_RANGE,
        partition.topicPartition() + " at offset " + offset + ": " + why,
        null);
  }

  private static Throwable unwrap(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
