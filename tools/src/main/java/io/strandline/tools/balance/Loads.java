package io.strandline.tools.balance;

import io.strandline.tools.balance.PartitionState.Weight;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What each broker carries, by measure, and what a change is worth.
 *
 * <p>How far brokers are from each other is the sum, over measures and over brokers that take
 * replicas, of the squares of what they carry, in parts of the mean. Moving {@code u} from one
 * broker to another that is {@code g} below lowers it by {@code 2u(g - u)}: nothing is gained once
 * the gap is no wider than what is moved, so a search that only gains ends.
 */
final class Loads {
  private static final Measure[] MEASURES = Measure.values();

  private final List<Broker> brokers;
  private final double[][] carried;
  private double[] scale = new double[MEASURES.length];

  Loads(List<Broker> brokers) {
    this.brokers = brokers;
    this.carried = new double[brokers.size()][MEASURES.length];
  }

  /** Adds to a broker; a negative sign takes away. */
  void add(int broker, Weight weight, boolean leads, boolean holds, int sign) {
    for (int m = 0; m < MEASURES.length; m++) {
      carried[broker][m] += sign * MEASURES[m].of(weight, leads, holds);
    }
  }

  /** Gaps are told in parts of what a broker should carry from here on. */
  void rescale() {
    double[] sums = new double[MEASURES.length];
    int takers = 0;
    for (int b = 0; b < carried.length; b++) {
      if (brokers.get(b).takes()) {
        takers++;
        for (int m = 0; m < MEASURES.length; m++) {
          sums[m] += carried[b][m];
        }
      }
    }
    scale = new double[MEASURES.length];
    for (int m = 0; m < MEASURES.length; m++) {
      scale[m] = Math.max(MEASURES[m].least(), takers == 0 ? 0 : sums[m] / takers);
    }
  }

  /** What moving a replica, the leadership or both from one broker to another is worth. */
  Worth move(int from, int to, Weight weight, boolean leads, boolean holds) {
    double gain = 0;
    double moved = 0;
    for (int m = 0; m < MEASURES.length; m++) {
      double part = MEASURES[m].of(weight, leads, holds) / scale[m];
      double gap = (carried[from][m] - carried[to][m]) / scale[m];
      gain += 2 * MEASURES[m].importance() * part * (gap - part);
      moved += 2 * MEASURES[m].importance() * part;
    }
    return new Worth(gain, moved);
  }

  /** What a broker that gets a replica, the leadership or both costs: less is better. */
  double cost(int broker, Weight weight, boolean leads, boolean holds) {
    double cost = 0;
    for (int m = 0; m < MEASURES.length; m++) {
      double part = MEASURES[m].of(weight, leads, holds) / scale[m];
      cost += MEASURES[m].importance() * part * (2 * carried[broker][m] / scale[m] + part);
    }
    return cost;
  }

  /** How far above the others a broker is, all measures together. */
  double excess(int broker) {
    double excess = 0;
    for (int m = 0; m < MEASURES.length; m++) {
      excess += MEASURES[m].importance() * carried[broker][m] / scale[m];
    }
    return excess;
  }

  /** Why a move is worth it: the measure that says most, and how both brokers stand in it. */
  String tell(int from, int to, Weight weight, boolean leads, boolean holds) {
    int most = 0;
    double best = Double.NEGATIVE_INFINITY;
    for (int m = 0; m < MEASURES.length; m++) {
      double part = MEASURES[m].of(weight, leads, holds) / scale[m];
      double gap = (carried[from][m] - carried[to][m]) / scale[m];
      double says = MEASURES[m].importance() * part * (gap - part);
      if (says > best) {
        best = says;
        most = m;
      }
    }
    return String.format(
        Locale.ROOT,
        "%s: broker %d has %.0f %% of the mean, broker %d %.0f %%",
        MEASURES[most].words(),
        brokers.get(from).id(),
        100 * carried[from][most] / scale[most],
        brokers.get(to).id(),
        100 * carried[to][most] / scale[most]);
  }

  Map<Measure, Double> of(int broker) {
    Map<Measure, Double> all = new EnumMap<>(Measure.class);
    for (int m = 0; m < MEASURES.length; m++) {
      // Sums of what was added and taken away again leave crumbs.
      all.put(MEASURES[m], Math.max(0, carried[broker][m]));
    }
    return all;
  }

  /**
   * What a move is worth.
   *
   * @param gain by how much it brings brokers nearer to each other
   * @param moved the same for a gap that is as wide as the mean, beyond what is moved
   */
  record Worth(double gain, double moved) {
    boolean atLeast(double threshold) {
      return gain > 0 && gain >= threshold * moved;
    }
  }
}
