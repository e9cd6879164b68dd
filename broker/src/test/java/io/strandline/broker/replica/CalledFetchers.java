package io.strandline.broker.replica;

import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicIdPartition;

/** Fetchers that run nowhere, and what they would ask for. */
public final class CalledFetchers {
  private final List<Fetcher> all = new CopyOnWriteArrayList<>();

  /** Those of a broker whose leaders answer nothing. */
  public final Fetchers fetchers;

  public CalledFetchers() {
    this(InstantSource.system(), () -> {}, () -> {});
  }

  /**
   * @param onDial when a connection is made
   * @param onStart when a fetcher is to have a thread
   */
  public CalledFetchers(InstantSource clock, Runnable onDial, Runnable onStart) {
    this.fetchers =
        new Fetchers(
            (leader, index) -> {
              onDial.run();
              return new Silent();
            },
            fetcher -> {
              onStart.run();
              all.add(fetcher);
            },
            ReplicaSettings.defaults(),
            clock);
  }

  /** The partitions that are asked of this leader. */
  public Set<TopicIdPartition> askedOf(int leader) {
    return all.stream()
        .filter(fetcher -> fetcher.broker() == leader)
        .flatMap(fetcher -> fetcher.wanted().keySet().stream())
        .collect(Collectors.toSet());
  }

  private static final class Silent implements Leader {
    @Override
    public Map<TopicIdPartition, FetchAnswer> fetch(Map<TopicIdPartition, FetchPosition> wanted) {
      return Map.of();
    }

    @Override
    public Range range(TopicIdPartition partition, int leaderEpoch) {
      return new Range(0, 0);
    }

    @Override
    public void cancel() {}

    @Override
    public void close() {}
  }
}
