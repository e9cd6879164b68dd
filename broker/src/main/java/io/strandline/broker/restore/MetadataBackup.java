package io.strandline.broker.restore;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.snapshot.MetadataSnapshot;
import io.strandline.broker.control.snapshot.SnapshotSource;
import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.store.StoreException;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.apache.kafka.common.Node;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Keeps the bucket's copy of the cluster's metadata: whenever something changed, and not more often
 * than every so many milliseconds, one broker writes a snapshot of all of it. That is the live one
 * with the lowest id; the active controller may be a node without a store. Every other one looks
 * every ten minutes whether what it knows is there, and steps in if that was not so twice: the
 * lowest may be a broker that keeps no such backups. Two at a time do no harm.
 *
 * <p>Each round that writes, and one every ten minutes that does not, looks whether the cluster was
 * restored elsewhere meanwhile; then nothing is written any more. Threads: the timer's and the
 * executor's; one round at a time.
 */
public final class MetadataBackup implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MetadataBackup.class);
  private static final long CHECK_MS = 600_000;
  private static final int PRUNE_EVERY = 16;

  /**
   * @param everyMs least time between two backups; 0 for none at all
   * @param kept how many stay in the store
   */
  public record Settings(long everyMs, int kept) {}

  /**
   * What it works with.
   *
   * @param chosen whether this node is the one to do it
   * @param generation of the cluster this node belongs to
   * @param superseded told once, with the reason, when it was restored elsewhere
   */
  public record Cluster(
      SnapshotSource source,
      BooleanSupplier chosen,
      IntSupplier generation,
      Consumer<String> superseded) {}

  private final MetadataBackups backups;
  private final Cluster cluster;
  private final Settings settings;
  private final InstantSource clock;
  private final Executor executor;
  private final Counter written;
  private final Counter failures;
  private final AtomicBoolean busy = new AtomicBoolean();
  private volatile long behindSinceMs;
  private volatile @Nullable ScheduledFuture<?> ticks;
  private volatile boolean closed;
  private long checkedMs;
  private int sincePruned;
  private boolean missed;
  private boolean newest;

  public MetadataBackup(
      MetadataBackups backups, Cluster cluster, Settings settings, Environment environment) {
    this.backups = backups;
    this.cluster = cluster;
    this.settings = settings;
    this.clock = environment.clock();
    this.executor = environment.executor();
    this.checkedMs = clock.millis();
    MeterRegistry meters = environment.meters();
    this.written = meters.counter("strandline.metadata.backups");
    this.failures = meters.counter("strandline.metadata.backup.failures");
    meters.gauge("strandline.metadata.backup.behind.ms", this, MetadataBackup::behindMs);
  }

  /**
   * @param executor where rounds run; they encode the metadata, and wait for nothing
   */
  public record Environment(InstantSource clock, Executor executor, MeterRegistry meters) {}

  /** Whether this node is the live broker with the lowest id. */
  public static BooleanSupplier lowest(ControlPlane control) {
    String listener = control.peers().listener();
    return () -> {
      ClusterView view = control.view();
      return view.brokers(listener).stream().mapToInt(Node::id).min().orElse(-1) == view.nodeId();
    };
  }

  /** Lets the timer do the work from now on. */
  public void start(ScheduledExecutorService timer) {
    if (settings.everyMs() > 0) {
      long every = settings.everyMs();
      // The first soon: a cluster that is lost in its first minute should not be lost whole.
      ticks =
          timer.scheduleWithFixedDelay(
              this::tick, Math.min(every, 5_000), every, TimeUnit.MILLISECONDS);
    }
  }

  private void tick() {
    if (!closed && busy.compareAndSet(false, true)) {
      executor.execute(
          () -> {
            var unused = round().whenComplete((done, failure) -> over(failure));
          });
    }
  }

  private void over(@Nullable Throwable failure) {
    busy.set(false);
    if (failure == null) {
      behindSinceMs = 0;
      return;
    }
    failures.increment();
    boolean first = behindSinceMs == 0;
    behindSinceMs = first ? clock.millis() : behindSinceMs;
    StoreException known = StoreException.of(failure);
    if (known instanceof MetadataBackups.Superseded) {
      closed = true;
      cluster.superseded().accept(String.valueOf(known.getMessage()));
    } else {
      boolean stays = known instanceof MetadataBackups.Overtaken;
      LOG.atLevel(stays && first ? Level.ERROR : Level.INFO)
          .addKeyValue("reason", String.valueOf(known.getMessage()))
          .log("the metadata is not backed up for now");
    }
  }

  /**
   * Backs up what changed since the last round.
   *
   * @return whether anything was written; fails with {@link MetadataBackups.Superseded} if the
   *     cluster was restored elsewhere
   */
  CompletableFuture<Boolean> round() {
    try {
      boolean chosen = cluster.chosen().getAsBoolean();
      Optional<MetadataSnapshot> due = chosen ? cluster.source().changed() : Optional.empty();
      boolean look = due.isPresent() || clock.millis() - checkedMs >= CHECK_MS;
      if (!look) {
        return CompletableFuture.completedFuture(false);
      }
      int generation = cluster.generation().getAsInt();
      return backups
          .check(generation)
          .thenCompose(
              may -> {
                checkedMs = clock.millis();
                return due.isPresent()
                    ? write(generation, due.get())
                    : chosen ? CompletableFuture.completedFuture(false) : stepIn(generation);
              });
    } catch (RuntimeException | Error failure) { // or no round would ever begin again
      return CompletableFuture.failedFuture(failure);
    }
  }

  /** Writes what nobody has written since the last look. */
  private CompletableFuture<Boolean> stepIn(int generation) {
    return backups
        .newest()
        .thenCompose(
            all -> {
              long written = all.isEmpty() ? -1 : all.get(0).endOffset() - 1;
              boolean missing = written < cluster.source().changedAt();
              boolean again = missing && missed;
              missed = missing;
              Optional<MetadataSnapshot> due =
                  again ? cluster.source().changed() : Optional.empty();
              return due.isPresent()
                  ? write(generation, due.get())
                  : CompletableFuture.completedFuture(false);
            });
  }

  private CompletableFuture<Boolean> write(int generation, MetadataSnapshot snapshot) {
    CompletableFuture<Void> looked =
        newest
            ? CompletableFuture.completedFuture(null)
            : backups.checkNewest(generation, snapshot.endOffset());
    return looked
        .thenCompose(
            may -> {
              newest = true; // for good: offsets only rise
              return backups.put(
                  generation, snapshot.endOffset(), snapshot.epoch(), snapshot.bytes());
            })
        .thenCompose(
            done -> {
              cluster.source().kept();
              written.increment();
              boolean prune = sincePruned++ % PRUNE_EVERY == 0;
              return prune
                  ? backups.prune(settings.kept()).thenApply(pruned -> true)
                  : CompletableFuture.completedFuture(true);
            });
  }

  private double behindMs() {
    long since = behindSinceMs;
    return since == 0 ? 0 : Math.max(0, clock.millis() - since);
  }

  @Override
  public void close() {
    closed = true;
    ScheduledFuture<?> running = ticks;
    if (running != null) {
      running.cancel(false);
    }
  }
}
