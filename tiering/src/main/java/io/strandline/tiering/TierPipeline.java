package io.strandline.tiering;

import io.strandline.tiering.reclaim.Deletions.Deletion;
import io.strandline.tiering.scrub.ScrubLedger;
import io.strandline.tiering.upkeep.Release;
import io.strandline.tiering.upload.UploadIntent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
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

  /** At a start partitions join one after another, and their own intents with them. */
  private static final long FIRST_STRAYS_MS = 60 * 1000L;

  /** Of one round: each costs a look at a manifest. */
  private static final int STRAYS_MAX = 100;

  private record Joined(PartitionTier tier, TierRunner runner) {
    boolean failing() {
      return runner.failing() || tier.choresFailing();
    }

    TierTrouble trouble() {
      TierTrouble failed = runner.trouble();
      if (failed != TierTrouble.NONE) {
        return failed;
      }
      boolean stands = tier.standing() && tier.lag().bytes() > 0;
      return tier.lag().unstable()
          ? TierTrouble.UNSTABLE
          : stands ? TierTrouble.WAITING : TierTrouble.NONE;
    }
  }

  private record Buried(Burial burial, TierRunner runner) {}

  private final TierShared shared;
  private final Map<TopicIdPartition, Joined> joined = new ConcurrentHashMap<>();

  /** Partitions that left while a step was under way. */
  private final Map<TopicIdPartition, CompletableFuture<Void>> leaving = new ConcurrentHashMap<>();

  /** Deleted partitions whose objects still stand. */
  private final Map<TopicIdPartition, Buried> deleted = new ConcurrentHashMap<>();

  private @Nullable ScheduledFuture<?> ticks;
  private CompletableFuture<Void> strays = CompletableFuture.completedFuture(null);
  private long nextStraysMs;
  private int straysFrom;
  private boolean stopped;

  public TierPipeline(TierConfig config, TierServices services) {
    this.shared = TierShared.of(config, services);
    this.nextStraysMs = shared.steadyMs() + FIRST_STRAYS_MS;
    TierMetrics.watch(services.metrics(), this);
  }

  /** Lets the timer do the work from now on, what earlier processes left to delete included. */
  public synchronized void start() {
    if (ticks == null && !stopped) {
      shared.services().deletions().open().forEach(deletion -> bury(deletion, 0));
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
    shared.scrubs().ledger().close(partition);
    if (was == null) {
      return leaving.getOrDefault(partition, CompletableFuture.completedFuture(null));
    }
    CompletableFuture<Void> ended = end(was);
    leaving.put(partition, ended);
    return ended.thenRun(() -> leaving.remove(partition, ended));
  }

  /**
   * The topic was deleted: writes the terminal version and deletes the objects after the grace,
   * over restarts if need be; costs one request for a partition that was never tiered.
   *
   * <p>To be called by each broker that had a replica, so that it is done whoever is lost. Only who
   * led begins at once. The others do when that one should be through, and then find nothing left.
   * Several at a time do no harm.
   *
   * @param leaderEpoch last known of the partition
   * @param led whether this broker was the leader
   * @return completes when the terminal version is durable, however long the store is down
   */
  public CompletableFuture<Void> delete(TopicIdPartition partition, int leaderEpoch, boolean led) {
    Deletion deletion = new Deletion(partition, leaderEpoch);
    return leave(partition)
        .thenRunAsync(() -> remember(deletion), shared.services().disk())
        .thenCompose(
            left ->
                bury(deletion, led ? 0 : shared.steadyMs() + shared.config().secondBurialMs())
                    .burial
                    .terminal());
  }

  private void remember(Deletion deletion) {
    try {
      shared.services().deletions().begin(deletion);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Buried bury(Deletion deletion, long notBeforeMs) {
    return deleted.computeIfAbsent(
        deletion.partition(),
        partition -> {
          Burial burial = new Burial(shared, deletion, notBeforeMs);
          long pauseMs = shared.config().reclaimMs();
          CompletableFuture<Void> now = CompletableFuture.completedFuture(null);
          return new Buried(burial, new TierRunner(shared, partition, pauseMs, burial::pass, now));
        });
  }

  /** Looks for orphans in every partition at its next turn. */
  public void sweepNow() {
    joined
        .values()
        .forEach(
            there -> {
              there.tier.sweepNow();
              there.runner.dueNow();
            });
  }

  /**
   * What was done for the room on a disk.
   *
   * @param comingBytes sealed and on its way up
   */
  public record Relief(long freedBytes, long comingBytes) {
    public static final Relief NONE = new Relief(0, 0);

    public boolean nothing() {
      return freedBytes == 0 && comingBytes == 0;
    }
  }

  /**
   * The room of what is local is wanted: the oldest segments that are known to be committed go,
   * over all these partitions; if that is not enough, what is sealed goes up, however little.
   */
  public CompletableFuture<Relief> relieve(Predicate<TopicIdPartition> which, long bytes) {
    return CompletableFuture.supplyAsync(
        () -> {
          List<Joined> wanted =
              joined.entrySet().stream()
                  .filter(entry -> which.test(entry.getKey()))
                  .map(Map.Entry::getValue)
                  .toList();
          long freed =
              Release.free(wanted.stream().map(there -> there.tier.release()).toList(), bytes);
          return new Relief(freed, freed < bytes ? ask(wanted) : 0);
        },
        shared.services().disk());
  }

  private static long ask(List<Joined> wanted) {
    long coming = 0;
    for (Joined there : wanted) {
      coming += there.tier.ask();
      there.runner.dueNow();
    }
    return coming;
  }

  /** What is known to be wrong with the tier of the partitions that this broker leads. */
  public ScrubLedger scrubbed() {
    return shared.scrubs().ledger();
  }

  /**
   * The store is back, or worth a trial: partitions that failed do not wait any longer.
   *
   * @param max how many; those whose oldest segment waits longest
   */
  public void retryNow(int max) {
    joined.values().stream()
        .filter(there -> there.runner.failing())
        .sorted(Comparator.comparingLong(there -> there.tier.lag().sinceMs()))
        .limit(max)
        .forEach(there -> there.runner.retryNow());
  }

  /** Something was sealed: look at the partition at the next turn. */
  public void nudge(TopicIdPartition partition) {
    Joined there = joined.get(partition);
    if (there != null) {
      there.runner.dueNow();
    }
  }

  /** Of a partition; of one that this broker does not lead, nothing. */
  public Backlog backlog(TopicIdPartition partition) {
    Joined there = joined.get(partition);
    return there == null ? Backlog.NONE : there.tier.lag().backlog();
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
    long nowMs = shared.steadyMs();
    int begun = 0;
    for (Joined there : joined.values()) {
      begun += there.runner.beginIfDue(nowMs) ? 1 : 0;
      there.tier.lookMeanwhile(nowMs);
    }
    deleted.values().removeIf(there -> there.burial.over());
    for (Buried there : deleted.values()) {
      begun += there.runner.beginIfDue(nowMs) ? 1 : 0;
    }
    resolveStrays(nowMs);
    return begun;
  }

  private void tick() {
    try {
      doWork();
    } catch (RuntimeException | Error e) {
      // A timer drops a task that throws; nothing here may stop the tier for good.
      LOG.atError().setCause(e).log("the tier's turn failed");
    }
  }

  /** At most so many of a round, all of them in turn. */
  private List<UploadIntent> strays() {
    List<UploadIntent> all = new ArrayList<>(shared.uploader().undecidedIntents());
    all.removeIf(
        intent ->
            joined.containsKey(intent.partition())
                || leaving.containsKey(intent.partition()) // a commit of it may be under way
                || deleted.containsKey(intent.partition()));
    Collections.rotate(all, all.isEmpty() ? 0 : -(straysFrom % all.size()));
    straysFrom = all.size() > STRAYS_MAX ? straysFrom + STRAYS_MAX : 0;
    return all.subList(0, Math.min(STRAYS_MAX, all.size()));
  }

  /** Uploads left open in partitions that this broker no longer leads. */
  private synchronized void resolveStrays(long nowMs) {
    if (stopped || nowMs < nextStraysMs || !strays.isDone()) {
      return;
    }
    nextStraysMs = nowMs + STRAY_INTENTS_MS;
    List<CompletableFuture<Void>> resolved = new ArrayList<>();
    for (UploadIntent intent : strays()) {
      resolved.add(
          shared
              .services()
              .manifests()
              .read(intent.partition())
              .thenCompose(view -> shared.intents().resolve(intent, view, shared.nowMs())));
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
    deleted.values().forEach(there -> ends.add(there.runner.end()));
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
    return there.runner.end().thenCompose(ended -> there.tier.choresIdle());
  }

  int partitionCount() {
    return joined.size();
  }

  long lagBytes() {
    return joined.values().stream().mapToLong(there -> there.tier.lag().bytes()).sum();
  }

  /** Sealed, and too little to go up. */
  long fewBytes() {
    return joined.values().stream().mapToLong(there -> there.tier.fewBytes()).sum();
  }

  /** Of the partitions that are behind for this reason. */
  long lagBytes(TierTrouble trouble) {
    return joined.values().stream()
        .filter(there -> there.trouble() == trouble)
        .mapToLong(there -> there.tier.lag().bytes())
        .sum();
  }

  /** One line for an operator; empty while nothing keeps segments from going up. */
  public String trouble() {
    Map<TierTrouble, List<Joined>> behind =
        joined.values().stream()
            .filter(there -> there.tier.lag().bytes() > 0)
            .filter(there -> there.trouble() != TierTrouble.NONE)
            .collect(Collectors.groupingBy(Joined::trouble, TreeMap::new, Collectors.toList()));
    return behind.entrySet().stream()
        .map(
            each ->
                each.getValue().size()
                    + " partitions "
                    + each.getKey().label()
                    + ", the oldest for "
                    + Math.max(0, shared.nowMs() - oldestMs(each.getValue())) / 1000
                    + " s")
        .collect(Collectors.joining("; "));
  }

  private static long oldestMs(List<Joined> some) {
    return some.stream().mapToLong(there -> there.tier.lag().sinceMs()).min().orElse(0);
  }

  long lagAgeMs() {
    long since =
        joined.values().stream()
            .mapToLong(there -> there.tier.lag().sinceMs())
            .min()
            .orElse(Long.MAX_VALUE);
    return since == Long.MAX_VALUE ? 0 : Math.max(0, shared.nowMs() - since);
  }

  long copyingCount() {
    return joined.values().stream().filter(there -> there.tier.copying()).count();
  }

  double dirtyRatioMax() {
    return joined.values().stream().mapToDouble(there -> there.tier.dirtyRatio()).max().orElse(0);
  }

  long failingCount() {
    return joined.values().stream().filter(Joined::failing).count();
  }
}
