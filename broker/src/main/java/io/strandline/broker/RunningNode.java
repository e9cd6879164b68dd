package io.strandline.broker;

import java.util.concurrent.CompletableFuture;

/** A node of any role, from its start to its end. */
interface RunningNode extends AutoCloseable {
  /** Where it is found and what it took, in one line. */
  String describe();

  /** Completes with the reason when the node can not go on and should be closed. */
  CompletableFuture<String> fatal();

  /** Stops waiting for others, if it does while it stops. Any thread. */
  default void hurry() {}

  /** Stops the node in order; returns when all is on disk. A second call does nothing. */
  @Override
  void close();
}
