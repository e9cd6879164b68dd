package io.strandline.tiering.upkeep;

import io.strandline.tiering.manifest.ManifestWriter;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/**
 * Something that is done now and then to one partition while this broker leads it in one epoch.
 * Turns of one chore never overlap; a chore that fails is tried again later, with a pause that
 * doubles, and holds up neither shipping nor the other chores.
 */
public interface Chore {
  /** A word for logs and metrics. */
  String name();

  /**
   * One turn, bounded: what is left is the next turn's.
   *
   * @param left whether leadership has ended: then begin nothing more
   * @return things done; a failure with {@code FencedException} ends the partition's tier
   */
  CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left);

  /** Pause until the next turn, after one that did so many things. */
  long pauseMs(int done);

  /** The longest pause after turns that failed in a row: dear ones are not tried every minute. */
  default long failurePauseMaxMs() {
    return pauseMs(0);
  }

  /** Pause before the first turn. */
  default long firstPauseMs() {
    return 0;
  }

  /** Whether its turn also comes with each commit of shipped segments. */
  default boolean afterCommit() {
    return false;
  }

  /** Whether a turn takes long, so that shipping goes on beside it. */
  default boolean beside() {
    return false;
  }
}
