package io.strandline.tests.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * Which seeds a simulation runs: {@code -Dsimulation.seed=S} the one, {@code -Dsimulation.seeds=N}
 * so many from {@code -Dsimulation.from=F} (0) on. Each runs on one thread, as many side by side as
 * there are processors. The first that fails, by number, says how to run it alone.
 */
final class Seeds {
  private Seeds() {}

  /** A seed that did not hold. */
  private record Failed(long seed, Throwable why) {}

  static void run(Class<?> test, int usual, LongConsumer simulation) {
    range(
        test,
        Long.getLong("simulation.from", 0),
        Long.getLong("simulation.seeds", usual),
        simulation);
  }

  /** These seeds, however many others may be wanted. */
  static void range(Class<?> test, long usualFrom, long usualCount, LongConsumer simulation) {
    Long one = Long.getLong("simulation.seed");
    if (one == null) {
      all(test, usualFrom, usualCount, simulation);
    } else {
      all(test, one, 1, simulation);
    }
  }

  /** The usual ones whatever is asked for: what is to be found by some says nothing of one. */
  static void usual(Class<?> test, int usual, LongConsumer simulation) {
    all(test, 0, usual, simulation);
  }

  private static void all(Class<?> test, long from, long count, LongConsumer simulation) {
    LongFunction<Optional<Failed>> tried =
        seed -> {
          try {
            simulation.accept(seed);
            return Optional.empty();
          } catch (AssertionError | RuntimeException failure) {
            return Optional.of(new Failed(seed, failure));
          }
        };
    Optional<Failed> failed =
        quietly(
            count,
            () ->
                LongStream.range(from, from + count)
                    .parallel()
                    .mapToObj(tried)
                    .flatMap(Optional::stream)
                    .findFirst());
    if (failed.isPresent()) {
      throw new AssertionError(
          "seed "
              + failed.get().seed()
              + " fails; again with: mvn -pl tests -am test -Dsurefire.failIfNoSpecifiedTests=false -Dtest="
              + test.getSimpleName()
              + " -Dsimulation.seed="
              + failed.get().seed(),
          failed.get().why());
    }
  }

  /** Of many runs full of failures nobody reads the log; of one it is wanted. */
  private static <T> T quietly(long count, Supplier<T> runs) {
    if (count == 1) {
      return runs.get();
    }
    List<Logger> loggers =
        Stream.of("io.strandline", "org.apache.kafka")
            .map(name -> (Logger) LoggerFactory.getLogger(name))
            .toList();
    List<Optional<Level>> before =
        loggers.stream().map(logger -> Optional.ofNullable(logger.getLevel())).toList();
    loggers.forEach(logger -> logger.setLevel(Level.OFF));
    try {
      return runs.get();
    } finally {
      for (int i = 0; i < loggers.size(); i++) {
        loggers.get(i).setLevel(before.get(i).orElse(null));
      }
    }
  }
}
