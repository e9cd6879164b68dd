package io.strandline.tiering;

import io.strandline.tiering.manifest.index.CorruptManifestException;
import io.strandline.tiering.seal.SealRule.GapException;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreException.Unavailable.Why;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.concurrent.CompletionException;

/** Why a partition's tier is behind its log, as an operator would ask. */
public enum TierTrouble {
  /** Nothing is wrong: it is under way, or waits to be worth a version. */
  NONE,
  /** What is sealed is not stable: a transaction is open, or replicas are behind. */
  UNSTABLE,
  /** A pass stands: for an answer of the store, a large upload, or a turn among others. */
  WAITING,
  /** The store does not answer, or with errors. */
  AWAY,
  /** The store does not answer in time. */
  LATE,
  /** The store is asked too much, as it says. */
  THROTTLED,
  /** The store has no room. */
  FULL,
  /** The store finds our clock wrong. */
  CLOCK,
  /** Credentials have run out. */
  EXPIRED,
  /** The store refuses us: credentials, permission, bucket. */
  REFUSED,
  /** A local file cannot be read, or is damaged. */
  LOCAL,
  /** Offsets are missing between tier and log. */
  GAP,
  /** The manifest is damaged. */
  MANIFEST,
  /** Something else: the log says what. */
  OTHER;

  static TierTrouble of(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof StoreException known) {
      return of(Why.of(known));
    } else if (cause instanceof GapException) {
      return GAP;
    } else if (cause instanceof CorruptManifestException) {
      return MANIFEST;
    } else if (cause instanceof SegmentFormatException || cause instanceof UncheckedIOException) {
      return LOCAL;
    }
    return OTHER;
  }

  private static TierTrouble of(Why why) {
    return switch (why) {
      case AWAY -> AWAY;
      case LATE -> LATE;
      case THROTTLED -> THROTTLED;
      case FULL -> FULL;
      case CLOCK -> CLOCK;
      case EXPIRED -> EXPIRED;
      case REFUSED -> REFUSED;
    };
  }

  /** The name in metrics and messages. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
