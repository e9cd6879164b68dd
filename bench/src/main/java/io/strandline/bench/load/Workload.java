package io.strandline.bench.load;

import io.strandline.bench.contender.RunningBroker;

/** A kind of work that every contender is given in the same way. */
public interface Workload {
  /** What a table calls it, and what selects it. */
  String name();

  /** Prepares to give this work to a broker, again and again. */
  Load on(RunningBroker broker) throws Exception;
}
