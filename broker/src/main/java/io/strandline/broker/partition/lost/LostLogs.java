package io.strandline.broker.partition.lost;

import io.micrometer.core.instrument.Gauge;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.partition.PartitionRuntime;
import io.strandline.broker.partition.Tier;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Partitions whose log is not on this broker's disks though they are not new. Each asks the tier
 * first, and goes on at the tier's end.
 *
 * <ul>
 *   <li>Of those that this broker leads, the disk was replaced, or the whole cluster restored;
 *       until the log is there, clients get errors that they retry, and only for these partitions.
 *   <li>Those that another leads have come here by a reassignment, or the disk was replaced: their
 *       replica copies from the leader what is not in the tier, and none of the history. While the
 *       tier cannot be asked they begin empty and copy everything, as long as the leader has it.
 *   <li>Of another cluster's history (a restored topic) not even a new replica begins empty while
 *       it is in sync: elected, it would take records in where that history is to be.
 * </ul>
 *
 * <p>Nothing of a log stands under its own name before all of it does: a broker that dies on the
 * way begins again. While a damaged log lies in that place, the tier is not asked. Threads: any;
 * disk work runs on the executor of writes.
 */
public final class LostLogs implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LostLogs.class);
  private static final long RETRY_MIN_MS = 250;
  private static final long RETRY_MAX_MS = 30_000;

  /** So often the tier is asked for the end of a log that could be copied from its leader too. */
  private static final int TRIES_BEFORE_COPY = 3;

  private final PartitionRuntime runtime;
  private final Tier tier;
  private final Executor changes;
  private final Map<TopicPartition, Search> searches = new ConcurrentHashMap<>();

  /** Whose leader has the beginning in the tier alone: copying it would come to nothing. */
  private final Set<TopicIdPartition> onlyInTier = ConcurrentHashMap.newKeySet();

  /** Made since this process hears of the metadata, and not begun here yet. */
  private final Set<TopicIdPartition> made = ConcurrentHashMap.newKeySet();

  private volatile boolean closed;

  /**
   * @param changes carries out one task at a time, those among them that call {@link #search} and
   *     {@link #cancel}: what was found is taken up there
   */
  public LostLogs(PartitionRuntime runtime, Tier tier, Executor changes) {
    this.runtime = runtime;
    this.tier = tier;
    this.changes = changes;
    Gauge.builder("strandline.partition.refilling", searches, Map::size).register(runtime.meters());
  }

  /**
   * The metadata has a replica here; one that it did not have before has just been made, whatever
   * became of it in the same step.
   *
   * @param before the metadata as this process knew it, empty at its first word
   */
  public void heard(PartitionState state, ClusterView before) {
    if (before.offset() >= 0
        && before
            .partition(state.id().topicPartition())
            .filter(known -> known.id().equals(state.id()))
            .isEmpty()) {
      made.add(state.id());
    }
  }

  /**
   * Whether no log of the partition was ever here, and nobody led it but who does now: an
   * assignment of directories, or of another ISR, may have come with the word that it was made.
   */
  public boolean brandNew(PartitionState state) {
    return state.leaderEpoch() == 0 && made.contains(state.id());
  }

  /**
   * Whether nobody else leads who would have the log of this partition.
   *
   * @param older whether it may have been on this disk before, and is not now
   */
  public static boolean lost(PartitionState state, boolean older, int node) {
    return older && (state.leader() == node || state.leader() < 0);
  }

  /** Whether a log that is not here was there once, or has a history that is not to be copied. */
  public boolean beginsInTier(PartitionState state, int node) {
    TopicIdPartition id = state.id();
    boolean foreign = tier.foreign(id);
    boolean older = !brandNew(state);
    return lost(state, older || foreign, node)
        || (state.leader() >= 0
            && state.leader() != node
            && (foreign || onlyInTier.contains(id) || (older && tier.begins(id))));
  }

  /** What becomes of a log when all of it is in the nursery. */
  public interface Found {
    /**
     * Makes it the partition's, or discards it because the partition has changed: the change is on
     * its way to {@link #search} or {@link #cancel}.
     *
     * @param leaderEpoch in which the tier was asked for its end
     * @return whether it is the partition's now; if this throws, the nursery is discarded and all
     *     begins anew after a pause
     */
    boolean takeUp(LogDirectory directory, LogNursery nursery, int leaderEpoch);
  }

  /** Whether the partition's log is being looked for. */
  public boolean searching(TopicPartition partition) {
    return searches.containsKey(partition);
  }

  /**
   * Looks for the log until it is there or not wanted any more, from the moment somebody leads.
   * Does nothing if it does already.
   *
   * @param node this broker; if it leads, nobody moves the tier's end from then on
   * @param place the directory for the log, asked at each try
   * @param found called by the executor of changes
   */
  public void search(PartitionState state, int node, Supplier<LogDirectory> place, Found found) {
    Search now =
        searches.compute(
            state.id().topicPartition(),
            (name, before) ->
                before == null || !before.id.equals(state.id()) // of a topic that is gone
                    ? new Search(state.id(), place, found)
                    : before);
    now.asked =
        new Asked(
            state.leaderEpoch(),
            state.leader() >= 0,
            state.leader() == node,
            !(tier.foreign(state.id()) && state.isr().contains(node)));
    now.beginIfLed();
  }

  /** The leader has what this replica misses in the tier alone: the next search waits for that. */
  public void straggles(TopicIdPartition partition) {
    onlyInTier.add(partition);
  }

  /**
   * The replica is here now, or not to be here any more.
   *
   * @return the last leader epoch known, if it was looked for
   */
  public OptionalInt cancel(TopicIdPartition partition) {
    onlyInTier.remove(partition);
    made.remove(partition);
    Search search = searches.get(partition.topicPartition());
    return search != null
            && search.id.equals(partition)
            && searches.remove(partition.topicPartition(), search)
        ? OptionalInt.of(search.asked.leaderEpoch())
        : OptionalInt.empty();
  }

  /** What is under way comes to nothing. */
  @Override
  public void close() {
    closed = true;
    searches.clear();
  }

  /**
   * @param led whether anybody leads
   * @param leads whether this broker does
   * @param mayCopy whether a replica that follows may begin empty
   */
  private record Asked(int leaderEpoch, boolean led, boolean leads, boolean mayCopy) {
    boolean copies() {
      return !leads && mayCopy;
    }
  }

  private final class Search {
    private final TopicIdPartition id;
    private final Supplier<LogDirectory> place;
    private final Found found;
    private final AtomicBoolean begun = new AtomicBoolean();
    private int failures;
    private int unanswered;
    private volatile Asked asked = new Asked(-1, false, false, false);

    Search(TopicIdPartition id, Supplier<LogDirectory> place, Found found) {
      this.id = id;
      this.place = place;
      this.found = found;
    }

    private boolean over() {
      return closed || searches.get(id.topicPartition()) != this;
    }

    /** While nobody leads, the tier may still be moved by who led last. */
    void beginIfLed() {
      if (asked.led() && !closed && begun.compareAndSet(false, true)) {
        begin();
      }
    }

    private void begin() {
      LogDirectory directory;
      LogNursery nursery;
      try {
        directory = place.get();
        KafkaStorageException damaged = directory.unreadable().get(id);
        if (damaged != null) {
          throw damaged; // what is fetched could not be taken up there
        }
        nursery = directory.nursery(id);
      } catch (RuntimeException | Error failure) {
        later(failure);
        return;
      }
      Asked now = asked;
      CompletableFuture<?> unused =
          filled(nursery, now)
              .whenCompleteAsync(
                  (done, failure) -> end(directory, nursery, now, failure), runtime.writes());
    }

    private CompletableFuture<Void> filled(LogNursery nursery, Asked now) {
      if (now.copies() && unanswered >= TRIES_BEFORE_COPY && !onlyInTier.contains(id)) {
        LOG.atWarn()
            .addKeyValue("partition", id)
            .log("begins empty, and copies all that its leader has: the tier cannot be asked");
        return CompletableFuture.completedFuture(null);
      }
      try {
        return tier.fill(
            nursery, now.leads() ? OptionalInt.of(now.leaderEpoch()) : OptionalInt.empty());
      } catch (RuntimeException | Error failure) {
        return CompletableFuture.failedFuture(failure);
      }
    }

    private void end(
        LogDirectory directory, LogNursery nursery, Asked now, @Nullable Throwable failure) {
      if (failure == null && !over()) {
        changes.execute(() -> takeUp(directory, nursery, now));
        return;
      }
      quietly(() -> directory.discard(nursery));
      if (failure != null && !over()) {
        unanswered++;
        later(failure);
      }
    }

    /**
     * In another epoch all begins anew: somebody else may have led between, and tiered more. Until
     * it is taken up the search stays, so that a change of the partition finds it.
     */
    private void takeUp(LogDirectory directory, LogNursery nursery, Asked now) {
      if (over() || !now.equals(asked)) {
        quietly(() -> directory.discard(nursery));
        again();
        return;
      }
      try {
        if (found.takeUp(directory, nursery, now.leaderEpoch())) {
          searches.remove(id.topicPartition(), this);
          onlyInTier.remove(id);
          made.remove(id);
        } else {
          begun.set(false);
        }
      } catch (RuntimeException | Error failure) { // nobody else would try again
        quietly(() -> directory.discard(nursery));
        later(failure);
      }
    }

    private void later(Throwable failure) {
      failures++;
      long pauseMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS << Math.min(10, failures - 1));
      (failures == 1 ? LOG.atWarn() : LOG.atInfo())
          .addKeyValue("partition", id)
          .addKeyValue("reason", reason(failure))
          .log("its log is not here and can not be begun at the tier's end yet");
      var unused =
          runtime
              .scheduler()
              .schedule(
                  () -> runtime.writes().execute(this::again), pauseMs, TimeUnit.MILLISECONDS);
    }

    private void again() {
      if (!over()) {
        begun.set(false);
        beginIfLed();
      }
    }
  }

  private static String reason(Throwable failure) {
    return Optional.ofNullable(failure.getCause()).orElse(failure).toString();
  }

  private static void quietly(Runnable step) {
    try {
      step.run();
    } catch (KafkaStorageException failure) {
      LOG.atDebug().setCause(failure).log("a directory failed meanwhile");
    }
  }
}
