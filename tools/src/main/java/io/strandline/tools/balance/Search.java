package io.strandline.tools.balance;

import io.strandline.tools.balance.Loads.Worth;
import io.strandline.tools.balance.PartitionState.Weight;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the next change that brings brokers nearer to each other: another replica becomes the
 * preferred leader, or a replica goes to a broker that has none. The most loaded broker is looked
 * at first; of what it can give away that counts most which gains most for what has to be copied.
 * When nothing is found no single change is worth it, from whichever broker.
 */
final class Search {
  private static final long LEAST_COPY = 1 << 20;

  private final Layout layout;
  private final double usualCopy;

  /** For each broker those that it may still have something for. */
  private final List<BitSet> open;

  private double asked = Double.POSITIVE_INFINITY;

  /**
   * A change of one partition.
   *
   * @param position the place in the list of replicas that changes
   * @param to a broker that has none yet, or has the replica at that place: then it is to lead
   */
  record Change(int partition, int position, int from, int to, boolean moves) {}

  private record Candidate(Change change, double score, int clustering) {}

  Search(Layout layout) {
    this.layout = layout;
    this.usualCopy =
        Math.max(
            LEAST_COPY,
            IntStream.range(0, layout.partitions())
                .mapToLong(p -> layout.partition(p).weight().copyBytes())
                .average()
                .orElse(0));
    this.open =
        IntStream.range(0, layout.brokers()).mapToObj(b -> new BitSet(layout.brokers())).toList();
  }

  /**
   * The next change, if one is worth it.
   *
   * @param threshold as in {@link Goals}; not higher than the one before
   */
  Optional<Change> next(double threshold) {
    if (threshold < asked) {
      open.forEach(there -> there.set(0, layout.brokers()));
      asked = threshold;
    }
    Optional<Change> found = mostLoaded(threshold);
    if (found.isEmpty()) {
      // What a change made possible elsewhere than at its two brokers shows up here.
      open.forEach(there -> there.set(0, layout.brokers()));
      found = mostLoaded(threshold);
    }
    found.ifPresent(change -> open.forEach(there -> there.set(change.from())));
    return found;
  }

  private Optional<Change> mostLoaded(double threshold) {
    List<Integer> loaded =
        IntStream.range(0, layout.brokers())
            .filter(b -> layout.broker(b).takes())
            .boxed()
            .sorted(Comparator.comparingDouble((Integer b) -> -layout.loads().excess(b)))
            .toList();
    for (int from : loaded) {
      Optional<Change> best = from(from, threshold);
      if (best.isPresent()) {
        return best;
      }
      // Nothing can go from here to anywhere, until some broker has less than now.
      open.get(from).clear();
    }
    return Optional.empty();
  }

  private Optional<Change> from(int broker, double threshold) {
    Best best = new Best(threshold);
    BitSet there = open.get(broker);
    if (there.isEmpty()) {
      return Optional.empty();
    }
    for (int partition : layout.held(broker)) {
      if (!layout.isWhole(partition)) {
        continue;
      }
      int[] replicas = layout.replicas(partition);
      int leading = layout.leading(partition);
      if (replicas[leading] == broker) {
        for (int i = 0; i < replicas.length; i++) {
          if (i != leading
              && there.get(replicas[i])
              && layout.broker(replicas[i]).takes()
              && layout.mayLead(partition, replicas[i])) {
            best.offer(new Change(partition, i, broker, replicas[i], false), true);
          }
        }
      }
      elsewhere(partition, broker, best);
    }
    return Optional.ofNullable(best.found).map(Candidate::change);
  }

  private void elsewhere(int partition, int broker, Best best) {
    int[] replicas = layout.replicas(partition);
    int position = 0;
    while (replicas[position] != broker) {
      position++;
    }
    boolean leads = layout.leading(partition) == position;
    BitSet there = open.get(broker);
    for (int to = there.nextSetBit(0); to >= 0; to = there.nextSetBit(to + 1)) {
      if (layout.broker(to).takes() && !layout.holds(partition, to)) {
        best.offer(new Change(partition, position, broker, to, true), leads);
      }
    }
  }

  private boolean keepsRacks(Change change) {
    int[] replicas = layout.replicas(change.partition());
    return !change.moves()
        || layout.racks().sharing(replicas, change.position(), change.to())
            <= layout.racks().sharing(replicas);
  }

  private final class Best {
    private final double threshold;
    private @Nullable Candidate found;

    Best(double threshold) {
      this.threshold = threshold;
    }

    void offer(Change change, boolean leads) {
      Weight weight = layout.partition(change.partition()).weight();
      Worth worth = layout.loads().move(change.from(), change.to(), weight, leads, change.moves());
      if (!worth.atLeast(threshold)) {
        return;
      }
      double copies = change.moves() ? weight.copyBytes() / usualCopy : 0;
      Candidate candidate = new Candidate(change, worth.gain() / (1 + copies), clustering(change));
      if ((found == null || better(candidate, found)) && keepsRacks(change)) {
        found = candidate;
      }
    }

    private boolean better(Candidate one, Candidate other) {
      double same = 1e-9 * other.score();
      return one.score() > other.score() + same
          || (one.score() >= other.score() - same && one.clustering() < other.clustering());
    }

    /** Of equals, what spreads a topic: its partitions tend to become busy together. */
    private int clustering(Change change) {
      return layout.ofTopic(change.partition(), change.to())
          - layout.ofTopic(change.partition(), change.from());
    }
  }
}
