package io.strandline.tiering.rewrite;

import io.strandline.tiering.compact.CompactionRound;
import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.upkeep.Chore;
import io.strandline.tiering.upkeep.Release;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts a tiered partition when it is dirty enough: one round a turn, one partition at a time
 * for each thread of the lane. Then local bytes that are clean in the tier go, so that whoever
 * reads below the cleaned offset reads what was compacted; those of internal topics stay and are
 * compacted where they are (design D17).
 */
public final class TierCompaction implements Chore {
  private static final Logger LOG = LoggerFactory.getLogger(TierCompaction.class);
  private static final long REFUSED_MS = 1_000;
  private static final long FAILURE_PAUSE_MAX_MS = 60 * 60 * 1_000L;

  /** Lags are looked at so often when nothing else changed. */
  private static final long LOOK_MS = 60_000;

  /** After as many the pause is the longest. */
  private static final int DOUBLINGS = 6;

  private final Rewriting rewriting;
  private final Compactable partition;
  private final Release release;
  private final BooleanSupplier copied;
  private volatile double dirtyRatio;
  private volatile long pauseMs;
  private long lookedVersion = -1; // the turn's
  private long lookedMs;
  private int inVain; // rounds in a row that learnt and then found no room

  /**
   * @param release of this partition
   * @param copied whether no segment of another cluster is about to be copied
   */
  public TierCompaction(
      Rewriting rewriting, Compactable partition, Release release, BooleanSupplier copied) {
    this.rewriting = rewriting;
    this.partition = partition;
    this.release = release;
    this.copied = copied;
  }

  @Override
  public String name() {
    return "compaction";
  }

  @Override
  public boolean beside() {
    return true;
  }

  @Override
  public long pauseMs(int done) {
    return pauseMs;
  }

  @Override
  public long failurePauseMaxMs() {
    return FAILURE_PAUSE_MAX_MS;
  }

  /** Share that waits to be compacted, as last looked at; 0 for a topic that is not compacted. */
  public double dirtyRatio() {
    return dirtyRatio;
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    CompactionPolicy policy = partition.policy().get();
    pauseMs = rewriting.config().checkMs();
    if (!policy.compacts() || !copied.getAsBoolean()) {
      dirtyRatio = 0;
      return CompletableFuture.completedFuture(0);
    }
    // Asks the store only if the outcome of an earlier step is open.
    return writer
        .committed(writer.view().startOffset(), 1)
        .thenComposeAsync(
            first ->
                first.isEmpty()
                        || rewriting.foreign(first.get(0).entry(), writer.view().partition())
                    ? CompletableFuture.completedFuture(0)
                    : compact(writer, policy, left)
                        .thenCompose(n -> release(writer, policy, left).thenApply(bytes -> n)),
            rewriting.executor());
  }

  private CompletableFuture<Integer> compact(
      ManifestWriter writer, CompactionPolicy policy, BooleanSupplier left) {
    ManifestView view = writer.view();
    long nowMs = rewriting.nowMs();
    boolean seen = view.version() == lookedVersion && Math.abs(nowMs - lookedMs) < LOOK_MS;
    if (left.getAsBoolean() || (seen && !view.compaction().underWay())) {
      return CompletableFuture.completedFuture(0);
    }
    return Dirt.of(view, policy, nowMs, entry -> rewriting.head(entry, BatchHeader.BYTES))
        .thenComposeAsync(
            dirt -> {
              dirtyRatio = dirt.ratio();
              if (!dirt.due(policy) && !view.compaction().underWay()) {
                lookedVersion = view.version();
                lookedMs = nowMs;
                return CompletableFuture.completedFuture(0);
              }
              return ifRoom(writer, policy, left, range(view, dirt));
            },
            rewriting.executor());
  }

  private static TierRound.Range range(ManifestView view, Dirt dirt) {
    Compaction known = view.compaction();
    return known.underWay()
        ? new TierRound.Range(
            known.cleanedOffset(),
            known.roundOffset(),
            known.roundEndOffset(),
            dirt.dirtyBytes(),
            true)
        : new TierRound.Range(
            dirt.fromOffset(), view.startOffset(), dirt.endOffset(), dirt.dirtyBytes(), false);
  }

  /** Nothing is learnt for a first step that the disk has no room for. */
  private CompletableFuture<Integer> ifRoom(
      ManifestWriter writer, CompactionPolicy policy, BooleanSupplier left, TierRound.Range range) {
    return TierRound.fileBytesMax(writer.view(), policy, range.atOffset())
        .thenComposeAsync(
            bytesMax -> {
              if (!rewriting.hasRoom(bytesMax)) {
                pauseMs = LOOK_MS;
                return CompletableFuture.completedFuture(0);
              }
              return inLane(writer, policy, left, range);
            },
            rewriting.executor());
  }

  private CompletableFuture<Integer> inLane(
      ManifestWriter writer, CompactionPolicy policy, BooleanSupplier left, TierRound.Range range) {
    if (!rewriting.lane().enter(writer.view().partition())) {
      pauseMs = Math.min(pauseMs, REFUSED_MS);
      return CompletableFuture.completedFuture(0);
    }
    return CompletableFuture.completedFuture(range)
        .thenCompose(entered -> round(writer, policy, left, entered))
        .whenComplete((done, failure) -> rewriting.lane().leave(writer.view().partition()));
  }

  private CompletableFuture<Integer> round(
      ManifestWriter writer, CompactionPolicy policy, BooleanSupplier left, TierRound.Range range) {
    TierRound round = new TierRound(rewriting, writer, policy, rewriting.pieces(left), range);
    return round
        .run(
            end ->
                new CompactionRound(
                    rewriting.nowMs(),
                    policy.deleteRetentionMs(),
                    end,
                    partition.lastOfProducers().get()))
        .thenApply(
            bytes -> {
              inVain = 0;
              pauseMs = rewriting.pauseMs(bytes);
              rewriting.metrics().rounds.increment();
              LOG.atInfo()
                  .addKeyValue("partition", writer.view().partition())
                  .addKeyValue("offset", writer.view().compaction().cleanedOffset())
                  .addKeyValue("bytes", bytes)
                  .log("compacted in the tier");
              return 1;
            })
        .exceptionallyCompose(this::unlessLeft);
  }

  /** What a later step found no room for is learnt again, each time after a longer pause. */
  private CompletableFuture<Integer> unlessLeft(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (!(cause instanceof LeftException)) {
      return CompletableFuture.failedFuture(failure);
    }
    pauseMs = Math.min(FAILURE_PAUSE_MAX_MS, LOOK_MS << inVain);
    inVain = Math.min(DOUBLINGS, inVain + 1);
    return CompletableFuture.completedFuture(0);
  }

  /** A reader that holds a local segment keeps it; its next read goes to the tier. */
  private CompletableFuture<Long> release(
      ManifestWriter writer, CompactionPolicy policy, BooleanSupplier left) {
    return left.getAsBoolean() || policy.keepsLocal()
        ? CompletableFuture.completedFuture(0L)
        : release.freeBelow(writer, writer.view().compaction().cleanedOffset());
  }
}
