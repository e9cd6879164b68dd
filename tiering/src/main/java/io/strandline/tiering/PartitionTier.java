package io.strandline.tiering;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import io.strandline.tiering.rewrite.ForeignCopy;
import io.strandline.tiering.rewrite.NeighbourMerge;
import io.strandline.tiering.rewrite.TierCompaction;
import io.strandline.tiering.seal.DueSegment;
import io.strandline.tiering.seal.SealRule;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.upkeep.Chore;
import io.strandline.tiering.upkeep.ChoreRound;
import io.strandline.tiering.upkeep.Expiry;
import io.strandline.tiering.upkeep.FullRead;
import io.strandline.tiering.upkeep.GiveUp;
import io.strandline.tiering.upkeep.Release;
import io.strandline.tiering.upkeep.RetiredDeletion;
import io.strandline.tiering.upkeep.Sweep;
import io.strandline.tiering.upkeep.Upkept;
import io.strandline.tiering.upload.UploadIntent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One partition, while this broker leads it in one epoch: each pass is sealed → uploaded →
 * committed, and what else is due. A pass at a time; the fields below belong to it.
 *
 * <p>Order is law: an object is durable before a manifest version names it, and the version is
 * durable before local bytes go.
 */
final class PartitionTier {
  private static final long FIRST_READ_MS_MAX = 10 * 60 * 1000L;

  /** The store has so long to answer a request that moves no bytes. */
  private static final long STANDING_MS = 10_000;

  /** In most turns a pass ends before the next; a look at each of many that do not is not free. */
  private static final int LOOK_CHECKS = 3;

  private final TierShared shared;
  private final TierMember member;
  private final Shipment shipment;
  private final Executor disk;
  private volatile @Nullable ManifestWriter writer;
  private final ForeignCopy copy;
  private final TierCompaction compaction;
  private final Release release;
  private final ChoreRound chores;
  private volatile long nextStartMs;
  private volatile long passBeganMs = Long.MAX_VALUE;
  private volatile long nextLookMs;
  private volatile boolean left;
  private volatile boolean mayOpen;
  private final long lookMs;

  /** This pass only looks whether the tier holds something that has to be looked after. */
  private volatile boolean looking;

  /** Nothing was ever committed, and this leader has committed nothing. */
  private volatile boolean empty;

  private final TierLag lag = new TierLag();
  private final Gathering gathering;

  PartitionTier(TierShared shared, TierMember member) {
    this.shared = shared;
    this.member = member;
    this.shipment = new Shipment(shared, member.leaderEpoch());
    this.disk = shared.services().disk();
    this.gathering =
        new Gathering(shared.config().gather(), shared.config().segmentsPerCommit(), member, lag);
    this.copy = new ForeignCopy(shared.rewriting(), member.copies());
    this.release =
        new Release(upkept(), shared.metrics().releasedBytes, shared.config().reclaimMs());
    this.compaction =
        new TierCompaction(
            shared.rewriting(), member.compaction(), release, () -> !copy.underWay());
    shared.scrubs().ledger().open(member.partition());
    this.chores = new ChoreRound(member.partition(), chores(), shared.pace());
    this.lookMs = shared.steadyMs() + shared.chance(shared.config().scrub().listMs());
  }

  /** In the order of their turns. */
  private List<Chore> chores() {
    long everyMs = shared.config().reclaimMs();
    long sweepMs = shared.config().scrub().listMs();
    TierMetrics metrics = shared.metrics();
    Upkept upkept = upkept();
    return List.of(
        new GiveUp(upkept, release, shared.board()::report, everyMs),
        release,
        new Expiry(upkept, shared.board()::report, everyMs),
        new RetiredDeletion(shared.retired(), metrics.forgottenSegments, everyMs),
        new OpenUploads(this::resolveIntents, everyMs),
        new Sweep(
            shared.scrubs().lists(),
            shared.scrubs().ledger(),
            this::isOpen,
            metrics.orphans,
            new Sweep.Turn(sweepMs, shared.chance(sweepMs))),
        new FullRead(shared.scrubs().reads(), member.partition(), shared.chance(FIRST_READ_MS_MAX)),
        copy,
        compaction,
        new NeighbourMerge(shared.rewriting(), member.compaction(), member.policy()));
  }

  private Upkept upkept() {
    return new Upkept(member.source(), member.local(), member.policy(), disk, shared::nowMs);
  }

  TierMember member() {
    return member;
  }

  /** The pass that is under way ends at its next step. */
  void leave() {
    left = true;
    lag.clear();
    shared.scrubs().turns().look();
  }

  /** The next pass looks for orphans. */
  void sweepNow() {
    chores.dueNow(Sweep.class);
  }

  boolean choresFailing() {
    return chores.failing();
  }

  /** Completes when no chore runs; to be asked after the last pass. */
  CompletableFuture<Void> choresIdle() {
    return chores.idle();
  }

  /** Whether segments of another cluster are to be copied. */
  boolean copying() {
    return copy.underWay() && (writer != null || holdsMoreThanTheLog());
  }

  /** Otherwise nothing was ever tiered, or nothing that the log does not have too. */
  private boolean holdsMoreThanTheLog() {
    return member.local().localLogStartOffset() > member.local().logStartOffset();
  }

  /** Share of the partition that waits to be compacted. */
  double dirtyRatio() {
    return compaction.dirtyRatio();
  }

  TierLag lag() {
    return lag;
  }

  /** Sealed, and too little to go up. */
  long fewBytes() {
    return gathering.fewBytes();
  }

  Release release() {
    return release;
  }

  /**
   * The room of what is local is wanted.
   *
   * @return bytes that are sealed and not committed
   */
  long ask() {
    if (release.spent()) {
      chores.dueNow(Release.class);
    }
    gathering.ask();
    return gathering.fewBytes() + lag.bytes();
  }

  /**
   * @return segments committed, released, expired or deleted
   */
  CompletableFuture<Integer> pass() {
    passBeganMs = shared.steadyMs();
    return CompletableFuture.supplyAsync(this::worthAPass, disk)
        .thenCompose(worth -> worth ? work() : CompletableFuture.completedFuture(0))
        .whenComplete((done, failure) -> passBeganMs = Long.MAX_VALUE);
  }

  /**
   * Goes on measuring the lag of a pass that takes long; to be called at each turn.
   *
   * @param nowMs by the steady clock
   */
  void lookMeanwhile(long nowMs) {
    long everyMs = LOOK_CHECKS * shared.config().checkMs();
    if (nowMs - passBeganMs < everyMs || nowMs < nextLookMs) {
      return;
    }
    nextLookMs = Long.MAX_VALUE;
    CompletableFuture<Void> unused =
        CompletableFuture.runAsync(this::measure, disk)
            .whenComplete((looked, failure) -> nextLookMs = shared.steadyMs() + everyMs);
  }

  /** Whether a pass is under way and for some seconds was not one segment further. */
  boolean standing() {
    return shared.steadyMs() - Math.max(passBeganMs, shipment.gotOnMs()) >= STANDING_MS;
  }

  /** Gives the offset from which on segments are to go up. */
  private long measure() {
    ManifestWriter w = writer;
    long from = w == null ? member.local().logStartOffset() : nextOffset(w.view());
    if (left) {
      lag.clear();
    } else if (policyCopying() == Copying.ON) {
      gathering.look(from, shared.nowMs());
    } else {
      gathering.rest(shared.nowMs());
    }
    return from;
  }

  /** Opening a manifest costs a request: not before there is something to tier or to reclaim. */
  private boolean worthAPass() {
    LocalSegments local = member.local();
    ManifestWriter w = writer;
    if (left) {
      return false;
    }
    boolean copies = policyCopying() == Copying.ON;
    long from = measure();
    boolean due = copies && gathering.worthIt(from, shared.nowMs());
    if (w == null) {
      boolean holds = copies ? holdsMoreThanTheLog() : mayHold(local);
      // What an earlier leader retired has to go, though nothing new ever comes.
      boolean expired = local.logStartOffset() > 0;
      looking = !due && !holds && expired && !empty && shared.steadyMs() >= lookMs;
      return (due || holds || looking) && mayOpen();
    }
    return due || (copies && shipment.hasOpenOutcome()) || chores.due() || startIsAhead(w.view());
  }

  /** Once it may, a failure does not put it at the end of the line again. */
  private boolean mayOpen() {
    mayOpen = mayOpen || gathering.asked() || shared.openings().enter(shared.steadyMs());
    return mayOpen;
  }

  private Copying policyCopying() {
    return member.policy().get().copying();
  }

  /**
   * Whether the tier of a topic that is not copied may hold something that has to go. Where nothing
   * was ever tiered that costs one look.
   */
  private boolean mayHold(LocalSegments local) {
    return !empty
        && (policyCopying() == Copying.DROP
            || local.localLogStartOffset() > 0
            || shared.steadyMs() >= lookMs);
  }

  private CompletableFuture<Integer> work() {
    return open()
        .thenCompose(
            opened ->
                opened.isEmpty()
                    ? none()
                    : shipment
                        .settle(opened.get())
                        .thenCompose(settled -> startWithLog(opened.get()))
                        .thenComposeAsync(this::shipAndUpkeep, disk));
  }

  /** What is not copied is not claimed either, unless there is something. */
  private CompletableFuture<Optional<ManifestWriter>> open() {
    if (writer != null || (policyCopying() == Copying.ON && !looking)) {
      return acquire().thenApply(Optional::of);
    }
    return shared
        .services()
        .manifests()
        .read(member.partition())
        .thenCompose(
            view -> {
              empty = view.version() == 0;
              if (empty && !left) {
                shared.board().report(view); // who compacts the log has to know
              }
              return empty
                  ? CompletableFuture.completedFuture(Optional.empty())
                  : acquire().thenApply(Optional::of);
            });
  }

  /** A segment that cannot go up does not keep older ones from being released. */
  private CompletableFuture<Integer> shipAndUpkeep(ManifestWriter w) {
    CompletableFuture<Integer> shipped;
    try {
      shipped = ship(w);
    } catch (RuntimeException e) {
      shipped = CompletableFuture.failedFuture(e);
    }
    CompletableFuture<Integer> outcome = shipped;
    return shipped
        .exceptionally(failure -> 0)
        .thenCompose(n -> chores.run(w, n > 0, () -> left).thenApply(done -> n + done))
        .thenCompose(n -> outcome.thenApply(ok -> n));
  }

  private CompletableFuture<ManifestWriter> acquire() {
    ManifestWriter had = writer;
    if (had != null) {
      return CompletableFuture.completedFuture(had);
    }
    return shared
        .services()
        .manifests()
        .acquire(member.partition(), member.leaderEpoch())
        .thenCompose(
            w -> {
              writer = w;
              shared.board().report(w.view());
              return resolveIntents(w).thenApply(resolved -> w);
            });
  }

  /**
   * What was left open in this partition, by earlier epochs or by a put that failed. What runs
   * beside the passes may be about to name its own.
   */
  private CompletableFuture<Void> resolveIntents(ManifestWriter w) {
    List<CompletableFuture<Void>> resolved = new ArrayList<>();
    for (UploadIntent intent : shared.uploader().undecidedIntents()) {
      if (intent.partition().equals(member.partition()) && !shipment.carries(intent)) {
        resolved.add(shared.intents().resolve(intent, w.view(), shared.nowMs()));
      }
    }
    return CompletableFuture.allOf(resolved.toArray(CompletableFuture[]::new));
  }

  /** The log's start may have moved (DeleteRecords), or been lost with an earlier leader. */
  private CompletableFuture<ManifestWriter> startWithLog(ManifestWriter w) {
    return CompletableFuture.supplyAsync(
            () -> {
              long tierStart = w.view().startOffset();
              if (tierStart > member.local().logStartOffset()) {
                member.local().advanceLogStart(tierStart);
              }
              requireWholeLog(w.view());
              return member.local().logStartOffset();
            },
            disk)
        .thenCompose(
            logStart ->
                mustMoveStart(w.view(), logStart)
                    ? moveStart(w, logStart)
                    : CompletableFuture.completedFuture(w.view()))
        .thenApply(
            view -> {
              shared.board().report(view);
              return w;
            });
  }

  /**
   * The tier holds what was durable here, so a log that ends below it lost files or was rolled
   * back. What it gets now bears offsets that the tier has given to other records: none of it may
   * be taken for tiered and released.
   */
  private void requireWholeLog(ManifestView view) {
    long end = member.local().logEndOffset();
    if (view.segmentCount() > 0 && end < view.endOffset()) {
      throw new IllegalStateException(
          member.partition()
              + " ends at "
              + end
              + " and its tier at "
              + view.endOffset()
              + ": files of the log were lost; stop the broker and remove the whole directory of"
              + " the partition, then it goes on at the tier's end");
    }
  }

  private CompletableFuture<ManifestView> moveStart(ManifestWriter w, long logStart) {
    nextStartMs = shared.steadyMs() + shared.config().reclaimMs();
    return w.advanceStart(logStart);
  }

  /** A version for each DeleteRecords would be dear; what reads is told by the log itself. */
  private boolean mustMoveStart(ManifestView view, long logStart) {
    return logStart > view.startOffset()
        && (logStart > view.endOffset() || shared.steadyMs() >= nextStartMs);
  }

  private CompletableFuture<Integer> ship(ManifestWriter w) {
    if (left
        || policyCopying() != Copying.ON
        || startIsAhead(w.view())
        || !gathering.worthIt(nextOffset(w.view()), shared.nowMs())) {
      return none();
    }
    List<DueSegment> due =
        SealRule.due(
            member.source(),
            nextOffset(w.view()),
            member.stableOffset().getAsLong(),
            shared.config().segmentsPerCommit());
    return due.isEmpty() || left ? none() : shipment.ship(w, due, () -> left);
  }

  /** It moved since this pass began: the next one takes the tier along first. */
  private boolean startIsAhead(ManifestView view) {
    return member.local().logStartOffset() > view.endOffset();
  }

  private boolean isOpen(ObjectKey object) {
    return shared.uploader().openIntents().stream().anyMatch(i -> i.object().equals(object));
  }

  /** An empty tier may begin anywhere; one that holds something goes on at its end. */
  private long nextOffset(ManifestView view) {
    return view.segmentCount() > 0
        ? view.endOffset()
        : Math.max(view.endOffset(), member.local().logStartOffset());
  }

  private static CompletableFuture<Integer> none() {
    return CompletableFuture.completedFuture(0);
  }
}
