package io.strandline.tests.simulation;

import java.util.function.LongConsumer;

/**
 * Which seeds a simulation runs: {@code -Dsimulation.seed=S} the one, {@code -Dsimulation.seeds=N}
 * so many from 0 on. A seed that fails says how to run it alone.
 */
final class Seeds {
  private Seeds() {}

  static void run(Class<?> test, int usual, LongConsumer simulation) {
    Long one = Long.getLong("simulation.seed");
    long from = one == null ? 0 : one;
    long count = one == null ? Long.getLong("simulation.seeds", usual) : 1;
    for (long seed = from; seed < from + count; seed++) {
      try {
        simulation.accept(seed);
      } catch (AssertionError | RuntimeException failure) {
        throw new AssertionError(
            "seed "
                + seed
                + " fails; again with: mvn -pl tests -am test -Dsurefire.failIfNoSpecifiedTests=false -Dtest="
                + test.getSimpleName()
                + " -Dsimulation.seed="
                + seed,
            failure);
      }
    }
  }
}
