package io.strandline.tiering.store.memory;

import io.strandline.tiering.store.StoreCall;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** Decides what goes wrong with each call. */
@FunctionalInterface
public interface FaultPlan {
  Fault next(StoreCall call);

  /** Nothing ever does. */
  static FaultPlan none() {
    return call -> Fault.NONE;
  }

  /**
   * Chance decides: each kind of fault with probability {@code faults / 4}, each of the two delays
   * anywhere up to {@code delayMax}. One seed gives one sequence, if the calls come in one order.
   */
  static FaultPlan random(RandomGenerator random, double faults, Duration delayMax) {
    Fault.Kind[] kinds = Fault.Kind.values();
    return call -> {
      boolean faulty = random.nextDouble() < faults;
      Fault.Kind kind = faulty ? kinds[1 + random.nextInt(kinds.length - 1)] : Fault.Kind.NONE;
      return new Fault(kind, upTo(random, delayMax), upTo(random, delayMax));
    };
  }

  private static Duration upTo(RandomGenerator random, Duration max) {
    return Duration.ofNanos(random.nextLong(max.toNanos() + 1));
  }
}
