package io.strandline.bench.load;

import io.strandline.bench.contender.RunningBroker;

/** A kind of work that every contender is given in the same way. */
public interface Workload {
  /** What a table calls it, and what selects it. */
  String name();

  /** Whether it needs a broker with a {@link io.strandline.bench.contender.Certificate}. */
  default boolean secured() {
    return false;
  }

  /** Prepares to give this work to a broker, again and again. */
  Load on(RunningBroker broker) throws Exception;
}
