package io.strandline.tests.simulation;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * What lies between brokers, quorum and clients: every message may be late, lost, or come twice,
 * and so overtake others; pairs may be cut from one another, in one direction or both.
 */
final class SimulatedNetwork {
  static final int QUORUM = -1;
  static final int CLIENT = -2;
  private static final int MICROS = 1_000;

  private record Way(int from, int to) {}

  private final SimulatedTime time;
  private final Random random;
  private final Trace trace;
  private final Map<Way, Long> cutUntil = new HashMap<>();
  private boolean calm;
  private int lost;
  private int doubled;

  SimulatedNetwork(SimulatedTime time, Random random, Trace trace) {
    this.time = time;
    this.random = random;
    this.trace = trace;
  }

  /** Nothing goes wrong any more; what is on its way arrives as it was to. */
  void calm() {
    calm = true;
    cutUntil.clear();
  }

  void cut(int from, int to, long nanos) {
    trace.add("cut " + from + " to " + to);
    cutUntil.put(new Way(from, to), time.nanos() + nanos);
  }

  boolean cut(int from, int to) {
    return cutUntil.getOrDefault(new Way(from, to), 0L) > time.nanos();
  }

  int lost() {
    return lost;
  }

  int doubled() {
    return doubled;
  }

  /**
   * @param at who receives: what it is asleep for waits, and it takes nothing once it is dead
   */
  void send(int from, int to, Executor at, Runnable arrival) {
    if (cut(from, to) || (!calm && random.nextInt(60) == 0)) {
      lost++;
      return;
    }
    int copies = !calm && random.nextInt(40) == 0 ? 2 : 1;
    doubled += copies - 1;
    for (int copy = 0; copy < copies; copy++) {
      var unused = time.schedule(() -> at.execute(arrival), micros(), TimeUnit.MICROSECONDS);
    }
  }

  /** Most take a moment, some long enough for the world to have moved on. */
  private long micros() {
    int dice = calm ? 99 : random.nextInt(100);
    if (dice == 0) {
      return random.nextInt(2_500 * MICROS);
    }
    return dice < 6 ? random.nextInt(300 * MICROS) : 200 + random.nextInt(6 * MICROS);
  }
}
