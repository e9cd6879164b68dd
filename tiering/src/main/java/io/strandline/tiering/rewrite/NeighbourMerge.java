package io.strandline.tiering.rewrite;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.upkeep.Chore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one segment of small neighbours, whose batches are copied as they are: one run a turn. A
 * compacted topic's segments are merged as they are compacted.
 *
 * <p>Walks the manifest once, a bounded stretch a turn, then looks only at what follows the last
 * segment that cannot take part any more. One that cannot be read, damaged or gone, takes no part
 * for the rest of the term.
 */
public final class NeighbourMerge implements Chore {
  private static final Logger LOG = LoggerFactory.getLogger(NeighbourMerge.class);
  private static final int STRETCH = 512;

  /** A merged segment is at most such a part of what retention keeps. */
  private static final int RETENTION_PARTS = 8;

  private static final long REFUSED_MS = 1_000;
  private static final long FAILURE_PAUSE_MAX_MS = 60 * 60 * 1_000L;

  private final Rewriting rewriting;
  private final Compactable partition;
  private final Supplier<TierPolicy> retention;
  private volatile long pauseMs;
  private long fromOffset; // the turn's
  private long seenVersion = -1;

  /** Where segments begin that could not be read; of the stretch that is looked at. */
  private final NavigableSet<Long> unreadable = new TreeSet<>();

  public NeighbourMerge(
      Rewriting rewriting, Compactable partition, Supplier<TierPolicy> retention) {
    this.rewriting = rewriting;
    this.partition = partition;
    this.retention = retention;
  }

  @Override
  public String name() {
    return "merge";
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

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    CompactionPolicy policy = partition.policy().get();
    long target = Math.min(rewriting.config().mergeBytes(), policy.segmentBytes());
    ManifestView view = writer.view();
    pauseMs = rewriting.config().checkMs();
    boolean rests = retention.get().copying() != Copying.ON; // it would put, to save requests
    if (rests || policy.compacts() || target == 0 || view.version() == seenVersion) {
      return CompletableFuture.completedFuture(0);
    }
    MergeRule rule = rule(target, view);
    return view.from(Math.max(fromOffset, view.startOffset()), STRETCH)
        .thenComposeAsync(
            entries -> {
              List<SegmentEntry> run = rule.choose(entries).orElse(List.of());
              if (!run.isEmpty()) {
                return inLane(writer, run, left);
              }
              goOn(rule, entries, view);
              return CompletableFuture.completedFuture(0);
            },
            rewriting.executor());
  }

  private MergeRule rule(long target, ManifestView view) {
    TierPolicy kept = retention.get();
    long spanMs = kept.retentionMs() < 0 ? Long.MAX_VALUE : kept.retentionMs() / RETENTION_PARTS;
    long bytes =
        kept.retentionBytes() < 0
            ? target
            : Math.min(target, kept.retentionBytes() / RETENTION_PARTS);
    return new MergeRule(
        bytes,
        spanMs,
        entry ->
            entry.baseOffset() >= view.startOffset()
                && !unreadable.contains(entry.baseOffset())
                && !rewriting.foreign(entry, view.partition()));
  }

  private void goOn(MergeRule rule, List<SegmentEntry> entries, ManifestView view) {
    if (entries.size() == STRETCH) {
      fromOffset = entries.get(Math.max(STRETCH / 2, rule.openEnd(entries)) - 1).endOffset();
    } else {
      seenVersion = view.version();
      int open = rule.openEnd(entries);
      fromOffset = open < entries.size() ? entries.get(open).baseOffset() : view.endOffset();
    }
    unreadable.headSet(fromOffset).clear();
  }

  private CompletableFuture<Integer> inLane(
      ManifestWriter writer, List<SegmentEntry> run, BooleanSupplier left) {
    if (left.getAsBoolean() || !rewriting.lane().enter(writer.view().partition())) {
      pauseMs = Math.min(pauseMs, REFUSED_MS);
      return CompletableFuture.completedFuture(0);
    }
    return CompletableFuture.completedFuture(run)
        .thenCompose(chosen -> merge(writer, chosen, left))
        .whenComplete((done, failure) -> rewriting.lane().leave(writer.view().partition()))
        .exceptionallyCompose(NeighbourMerge::unlessLeft);
  }

  private CompletableFuture<Integer> merge(
      ManifestWriter writer, List<SegmentEntry> run, BooleanSupplier left) {
    RewrittenFile file;
    try {
      file = rewriting.newFile(run.stream().mapToLong(SegmentEntry::dataBytes).sum());
    } catch (IOException e) {
      return CompletableFuture.failedFuture(new UncheckedIOException(e));
    }
    Copy copy = new Copy(writer, run, file, rewriting.pieces(left));
    return CompletableFuture.completedFuture(copy)
        .thenCompose(Copy::run)
        .whenComplete((done, failure) -> file.close())
        .exceptionallyCompose(failure -> unlessUnreadable(failure, copy));
  }

  /** What lies around it is merged by later turns. */
  private CompletableFuture<Integer> unlessUnreadable(Throwable failure, Copy copy) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    SegmentEntry entry = copy.reading;
    if (entry == null || !isUnreadable(cause)) {
      return CompletableFuture.failedFuture(failure);
    }
    unreadable.add(entry.baseOffset());
    pauseMs = Math.max(pauseMs, rewriting.pauseMs(copy.file.bytes()));
    LOG.atWarn()
        .addKeyValue("partition", copy.writer.view().partition())
        .addKeyValue("object", entry.object())
        .addKeyValue("reason", String.valueOf(cause))
        .log("cannot be merged: offsets {} to {}", entry.baseOffset(), entry.endOffset() - 1);
    return CompletableFuture.completedFuture(0);
  }

  private static boolean isUnreadable(@Nullable Throwable cause) {
    return cause instanceof SegmentFormatException
        || cause instanceof StoreException.NotFound
        || cause instanceof StoreException.OutOfRange
        || cause instanceof StoreException.Undeciphered;
  }

  private static CompletableFuture<Integer> unlessLeft(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof LeftException
        ? CompletableFuture.completedFuture(0)
        : CompletableFuture.failedFuture(failure);
  }

  /** One run on its way into one file. */
  private final class Copy {
    private final ManifestWriter writer;
    private final List<SegmentEntry> run;
    private final RewrittenFile file;
    private final SegmentPieces pieces;
    private final List<AbortedTransaction> aborted = new ArrayList<>();

    /** Whose bytes are being asked for; none once all are copied. */
    private volatile @Nullable SegmentEntry reading;

    Copy(ManifestWriter writer, List<SegmentEntry> run, RewrittenFile file, SegmentPieces pieces) {
      this.writer = writer;
      this.run = run;
      this.file = file;
      this.pieces = pieces;
    }

    CompletableFuture<Integer> run() {
      return copy(0)
          .thenComposeAsync(
              last ->
                  new Swap(rewriting, writer)
                      .replace(run, file, transactions(), last, writer.view().compaction()),
              rewriting.executor())
          .thenApply(
              view -> {
                RewriteMetrics metrics = rewriting.metrics();
                metrics.mergeReadBytes.increment((double) file.bytes());
                metrics.mergeWrittenBytes.increment((double) file.bytes());
                metrics.mergedSegments.increment(run.size());
                pauseMs = rewriting.pauseMs(2 * file.bytes());
                return 1;
              });
    }

    /** Gives the last segment's indexes once all is copied. */
    private CompletableFuture<SegmentIndex> copy(int at) {
      SegmentEntry entry = run.get(at);
      reading = entry;
      boolean last = at == run.size() - 1;
      CompletableFuture<SegmentIndex> index =
          last || entry.abortedTransactions()
              ? pieces.index(entry)
              : CompletableFuture.completedFuture(null);
      return index.thenCompose(
          known ->
              pieces
                  .each(
                      entry,
                      (batches, end) -> {
                        file.append(batches);
                        return true;
                      })
                  .thenComposeAsync(
                      copied -> {
                        if (known != null) {
                          take(known.abortedTransactions(0, Long.MAX_VALUE), entry);
                        }
                        reading = null;
                        return last ? CompletableFuture.completedFuture(known) : copy(at + 1);
                      },
                      rewriting.executor()));
    }

    /**
     * What ends within the run counts as the segment says in which it ends: if that lists it no
     * more, its marker is gone, and to list it would hide what its producer wrote after it.
     */
    private void take(List<AbortedTransaction> listed, SegmentEntry entry) {
      long runEnd = run.get(run.size() - 1).endOffset();
      listed.stream()
          .filter(t -> t.lastOffset() >= runEnd || entry.covers(t.lastOffset()))
          .filter(t -> !aborted.contains(t))
          .forEach(this::list);
    }

    /**
     * Where a log was cut and its transactions ended there, the end that was lost means nothing.
     */
    private void list(AbortedTransaction transaction) {
      aborted.removeIf(
          t ->
              t.producerId() == transaction.producerId()
                  && t.firstOffset() == transaction.firstOffset());
      aborted.add(transaction);
    }

    private List<AbortedTransaction> transactions() {
      aborted.sort(Comparator.comparingLong(AbortedTransaction::lastOffset));
      return aborted;
    }
  }
}
