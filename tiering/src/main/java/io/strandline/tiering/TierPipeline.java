package io.strandline.tiering;

import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.upload.UploadIntent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tier of one broker: every partition it leads is sealed, uploaded, committed, released and
 * expired, each on its own, so that none holds up another.
 *
 * <p>Has no thread, clock or chance of its own: {@link #start} lets the given timer call {@link
 * #doWork}, which a simulation calls itself. Threads: any.
 */
public final class TierPipeline implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TierPipeline.class);
  private static final long STRAY_INTENTS_MS = 10 * 60 * 1000L;

  private record Joined(PartitionTier tier, TierRunner runner) {}

  private final TierShared shared;
  private final Map<TopicIdPartition, Joined> joined = new ConcurrentHashMap<>();

  /** Partitions that left while a step was under way. */
  private final Map<TopicIdPartition, CompletableFuture<Void>> leaving = new ConcurrentHashMap<>();

  /** Deleted partitions whose objects still stand. */
  private final Map<TopicIdPartition, TierRunner> deleted = new ConcurrentHashMap<>();

  private @Nullable ScheduledFuture<?> ticks;
  private CompletableFuture<Void> strays = CompletableFuture.completedFuture(null);
  private long nextStraysMs;
  private boolean stopped;

  public TierPipeline(TierConfig config, TierServices services) {
    this.shared = TierShared.of(config, services);
    TierMetrics.watch(services.metrics(), this);
  }

  /** Lets the timer do the work from now on. */
  public synchronized void start() {
    if (ticks == null && !stopped) {
      long ms = shared.config().checkMs();
      ticks =
          shared
              .services()
              .timer()
              .scheduleWithFixedDelay(this::tick, ms, ms, TimeUnit.MILLISECONDS);
    }
  }

  /**
   * Leadership was gained. A member of a lower or equal epoch than the one already here changes
   * nothing; one of a higher epoch takes its place once the other's step has ended.
   */
  public synchronized void join(TierMember member) {
    if (stopped) {
      return;
    }
    joined.compute(
        member.partition(),
        (partition, before) ->
            before != null && before.tier.member().leaderEpoch() >= member.leaderEpoch()
                ? before
                : joined(member, before));
  }

  private Joined joined(TierMember member, @Nullable Joined before) {
    PartitionTier tier = new PartitionTier(shared, member);
    CompletableFuture<Void> after =
        before == null
            ? leaving.getOrDefault(member.partition(), CompletableFuture.completedFuture(null))
            : end(before);
    return new Joined(
        tier,
        new TierRunner(shared, member.partition(), shared.config().checkMs(), tier::pass, after));
  }

  /**
   * Leadership was lost, or the broker stops: nothing more is committed or released.
   *
   * @return completes when no step of this partition runs any more; its log may be closed then
   */
  public synchronized CompletableFuture<Void> leave(TopicIdPartition partition) {
    Joined was = joined.remove(partition);
    shared.board().forget(partition);
    if (was == null) {
      return leaving.getOrDefault(partition, CompletableFuture.completedFuture(null));
    }
    CompletableFuture<Void> ended = end(was);
    leaving.put(partition, ended);
    return ended.thenRun(() -> leaving.remove(partition, ended));
  }

  /**
   * The topic was deleted: writes the terminal version and deletes the objects after the grace. To
   * be called by one broker, with an epoch that no leader of the partition exceeded.
   *
   * @return completes when the terminal version is durable
   */
  public CompletableFuture<Void> delete(TopicIdPartition partition, int leaderEpoch) {
    return leave(partition)
        .thenCompose(left -> shared.services().manifests().acquire(partition, leaderEpoch))
        .thenCompose(writer -> writer.delete().thenAccept(view -> bury(partition, writer)));
  }

  private void bury(TopicIdPartition partition, ManifestWriter writer) {
    CompletableFuture<Void> now = CompletableFuture.completedFuture(null);
    long pauseMs = shared.config().reclaimMs();
    deleted.put(
        partition,
        new TierRunner(shared, partition, pauseMs, () -> shared.retired().delete(writer, 64), now));
  }

  /** Something was sealed: look at the partition at the next turn. */
  public void nudge(TopicIdPartition partition) {
    Joined there = joined.get(partition);
    if (there != null) {
      there.runner.dueNow();
    }
  }

  /** How far a partition that this broker leads is tiered; empty until its manifest was opened. */
  public Optional<TierProgress> progress(TopicIdPartition partition) {
    return shared.board().of(partition);
  }

  public void listen(TierListener listener) {
    shared.board().listen(listener);
  }

  /** Completes once everything below the offset is committed. */
  public CompletableFuture<TierProgress> await(TopicIdPartition partition, long offset) {
    return shared.board().await(partition, offset);
  }

  /**
   * Begins a pass of each partition for which one is due; passes go on by themselves.
   *
   * @return passes begun
   */
  public int doWork() {
    long nowMs = shared.nowMs();
    int begun = 0;
    for (Joined there : joined.values()) {
      begun += there.runner.beginIfDue(nowMs) ? 1 : 0;
    }
    for (TierRunner runner : deleted.values()) {
      begun += runner.beginIfDue(nowMs) ? 1 : 0;
    }
    resolveStrays(nowMs);
    return begun;
  }

  private void tick() {
    try {
      doWork();
    } catch (RuntimeException e) {
      // A timer drops a task that throws; nothing here may stop the tier for good.
      LOG.atError().setCause(e).log("the tier's turn failed");
    }
  }

  /** Uploads left open in partitions that this broker no longer leads. */
  private synchronized void resolveStrays(long nowMs) {
    if (stopped || nowMs < nextStraysMs || !strays.isDone()) {
      return;
    }
    nextStraysMs = nowMs + STRAY_INTENTS_MS;
    List<CompletableFuture<Void>> resolved = new ArrayList<>();
    for (UploadIntent intent : shared.uploader().openIntents()) {
      if (!joined.containsKey(intent.partition())) {
        resolved.add(
            shared
                .services()
                .manifests()
                .read(intent.partition())
                .thenCompose(view -> shared.intents().resolve(intent, view, nowMs)));
      }
    }
    strays =
        CompletableFuture.allOf(resolved.toArray(CompletableFuture[]::new))
            .exceptionally(
                failure -> {
                  LOG.atInfo()
                      .addKeyValue("reason", failure.toString())
                      .log("open uploads stay open");
                  return null;
                });
  }

  /**
   * Ends all passes at their next step. What is durable and not committed is resolved by the next
   * process.
   *
   * @return completes when nothing runs any more
   */
  public synchronized CompletableFuture<Void> stop() {
    stopped = true;
    if (ticks != null) {
      ticks.cancel(false);
    }
    List<CompletableFuture<Void>> ends = new ArrayList<>();
    joined.values().forEach(there -> ends.add(end(there)));
    deleted.values().forEach(runner -> ends.add(runner.end()));
    ends.add(strays);
    return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
  }

  /** Ends all passes at their next step and waits for none; {@link #stop} tells when. */
  @Override
  public void close() {
    CompletableFuture<Void> unused = stop();
  }

  private static CompletableFuture<Void> end(Joined there) {
    there.tier.leave();
    return there.runner.end();
  }

  int partitionCount() {
    return joined.size();
  }

  long lagBytes() {
    return joined.values().stream().mapToLong(there -> there.tier.lagBytes()).sum();
  }

  long lagAgeMs() {
    long since =
        joined.values().stream()
            .mapToLong(there -> there.tier.behindSinceMs())
            .min()
            .orElse(Long.MAX_VALUE);
    return since == Long.MAX_VALUE ? 0 : Math.max(0, shared.nowMs() - since);
  }

  long failingCount() {
    return joined.values().stream().filter(there -> there.runner.failing()).count();
  }
}
