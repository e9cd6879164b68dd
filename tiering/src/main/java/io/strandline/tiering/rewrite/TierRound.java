package io.strandline.tiering.rewrite;

import io.strandline.tiering.compact.BatchSource;
import io.strandline.tiering.compact.CompactionRound;
import io.strandline.tiering.compact.CompactionStats;
import io.strandline.tiering.compact.KeyCompactor;
import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Replacement;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentIndex;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;

/**
 * One round of compaction of one tiered partition: learns the last offset of each key of the dirty
 * part, as far as its map has room, then rewrites everything below, from the start on, one run of
 * segments after another. Each run is one {@link Swap}, whose version says how far the round has
 * come.
 *
 * <p>A round that was begun by another process goes on at the offset it had reached. That is lawful
 * because of every key whose last record lies in the dirty part that record is still there,
 * rewritten or not: what is left of the dirty part tells the same last offsets for all that was not
 * rewritten yet. Of transactions that were open at that offset nothing is known: their markers stay
 * for this round. Nor does a round have to end where it was to end: what lies beyond a lower end
 * stays dirty, and what was dropped for its sake has its successor there.
 *
 * <p>A use; steps on the executor of rewriting.
 */
final class TierRound {
  private static final int PAGE = 64;

  private final Rewriting rewriting;
  private final ManifestWriter writer;
  private final CompactionPolicy policy;
  private final SegmentPieces pieces;
  private final KeyCompactor compactor;
  private final long cleanedOffset;
  private long atOffset;
  private long endOffset;
  private @Nullable CompactionRound rules;
  private long ioBytes;

  TierRound(
      Rewriting rewriting,
      ManifestWriter writer,
      CompactionPolicy policy,
      SegmentPieces pieces,
      Range range) {
    this.rewriting = rewriting;
    this.writer = writer;
    this.policy = policy;
    this.pieces = pieces;
    this.cleanedOffset = range.cleanedOffset;
    this.atOffset = range.atOffset;
    this.endOffset = range.endOffset;
    this.compactor = new KeyCompactor(rewriting.config().core().forBytes(range.dirtyBytes));
    compactor.resumeAt(range.resumed ? range.atOffset : 0);
  }

  /**
   * What a round is about.
   *
   * @param atOffset where it goes on; the tier's start unless {@code resumed}
   * @param dirtyBytes to be learnt at most
   * @param resumed whether what lies below {@code atOffset} was rewritten in this round already
   */
  record Range(
      long cleanedOffset, long atOffset, long endOffset, long dirtyBytes, boolean resumed) {}

  /**
   * Runs it to its end.
   *
   * @param rules made when all is learnt, of the offset at which the round ends
   * @return bytes read and written
   */
  CompletableFuture<Long> run(Function<Long, CompactionRound> rules) {
    return learn(Math.max(cleanedOffset, atOffset))
        .thenComposeAsync(
            learnt -> {
              this.rules = rules.apply(endOffset);
              return steps();
            },
            rewriting.executor())
        .thenApply(done -> ioBytes);
  }

  // ---- learning

  private CompletableFuture<Void> learn(long fromOffset) {
    return learnFrom(fromOffset, fromOffset)
        .thenAccept(
            all -> {
              long learnt = compactor.indexedEndOffset();
              if (!all && learnt <= fromOffset) {
                throw new KafkaException("the map has no room for one key of " + partition());
              }
              endOffset = all ? endOffset : Math.min(endOffset, learnt);
            });
  }

  private CompletableFuture<Boolean> learnFrom(long offset, long fromOffset) {
    if (offset >= endOffset) {
      return CompletableFuture.completedFuture(true);
    }
    return writer
        .view()
        .from(offset, 1)
        .thenCompose(
            entries ->
                entries.isEmpty()
                    ? CompletableFuture.completedFuture(true)
                    : learn(entries.get(0), fromOffset)
                        .thenCompose(
                            all ->
                                all
                                    ? learnFrom(entries.get(0).endOffset(), fromOffset)
                                    : CompletableFuture.completedFuture(false)));
  }

  private CompletableFuture<Boolean> learn(SegmentEntry entry, long fromOffset) {
    return aborted(entry)
        .thenCompose(
            aborted -> {
              Once once = new Once(aborted);
              return pieces.each(
                  entry,
                  (batches, end) -> {
                    ioBytes += batches.remaining();
                    rewriting.metrics().readBytes.increment(batches.remaining());
                    return compactor.index(
                        new Piece(batches, once.take()), fromOffset, Math.min(end, endOffset));
                  });
            });
  }

  private CompletableFuture<List<AbortedTransaction>> aborted(SegmentEntry entry) {
    return entry.abortedTransactions()
        ? pieces.index(entry).thenApply(index -> index.abortedTransactions(0, Long.MAX_VALUE))
        : CompletableFuture.completedFuture(List.of());
  }

  // ---- rewriting

  /** What the step at an offset writes at most, by which its room is asked for. */
  static CompletableFuture<Long> fileBytesMax(
      ManifestView view, CompactionPolicy policy, long atOffset) {
    return view.from(atOffset, PAGE + 1).thenApply(entries -> fileBytesMax(view, policy, entries));
  }

  /**
   * Half a segment, and one that is as long as a segment may be, or longer if it was made while
   * segments were; never more than there is.
   */
  private static long fileBytesMax(
      ManifestView view, CompactionPolicy policy, List<SegmentEntry> entries) {
    long half = policy.segmentBytes() / 2;
    long longest = entries.stream().mapToLong(SegmentEntry::dataBytes).max().orElse(0);
    return Math.min(view.sizeBytes(), Math.max(half * 3, half + longest));
  }

  private CompletableFuture<Void> steps() {
    if (atOffset >= endOffset) {
      return finish();
    }
    if (pieces.left().getAsBoolean()) {
      return CompletableFuture.failedFuture(new LeftException());
    }
    ManifestView view = writer.view();
    return view.from(atOffset, PAGE + 1)
        .thenComposeAsync(entries -> step(view, entries), rewriting.executor())
        .thenComposeAsync(done -> steps(), rewriting.executor());
  }

  /** What was skipped last has no version yet that says so. */
  private CompletableFuture<Void> finish() {
    Compaction clean = Compaction.cleanBelow(endOffset);
    return writer.view().compaction().equals(clean)
        ? CompletableFuture.completedFuture(null)
        : writer.replace(Replacement.progress(clean)).thenAccept(view -> {});
  }

  /** Segments that become one. */
  private final class Run {
    final RewrittenFile file;
    final List<SegmentEntry> segments = new ArrayList<>();
    boolean changed;
    @Nullable SegmentIndex last;

    Run(RewrittenFile file) {
      this.file = file;
    }

    boolean takes(SegmentEntry next) {
      if (segments.isEmpty()) {
        return true;
      }
      boolean whole = segments.size() == 1 && !changed && isLong(file.bytes());
      boolean fits = file.bytes() + next.dataBytes() <= policy.segmentBytes();
      return !whole
          && (fits || !isLong(file.bytes()))
          && segments.size() < PAGE
          && next.endOffset() - segments.get(0).baseOffset() <= Integer.MAX_VALUE;
    }

    private boolean isLong(long bytes) {
      return bytes >= policy.segmentBytes() / 2;
    }
  }

  /** Fills a run; commits it, unless it is a single segment that stays as it is. */
  private CompletableFuture<Void> step(ManifestView view, List<SegmentEntry> entries) {
    RewrittenFile file;
    try {
      file = rewriting.newFile(fileBytesMax(view, policy, entries));
    } catch (IOException e) {
      return CompletableFuture.failedFuture(new UncheckedIOException(e));
    }
    Run run = new Run(file);
    return CompletableFuture.completedFuture(run)
        .thenCompose(begun -> fill(begun, entries, 0))
        .thenComposeAsync(filled -> commit(run), rewriting.executor())
        .whenComplete((done, failure) -> file.close());
  }

  private CompletableFuture<Void> fill(Run run, List<SegmentEntry> entries, int at) {
    if (at == entries.size()
        || entries.get(at).baseOffset() >= endOffset
        || !run.takes(entries.get(at))) {
      return CompletableFuture.completedFuture(null);
    }
    SegmentEntry entry = entries.get(at);
    if (rewriting.foreign(entry, partition())) {
      // Older values that cannot be rewritten would come back without their tombstones.
      throw new IllegalStateException(
          partition() + " holds a segment of another's at " + entry.baseOffset());
    }
    run.segments.add(entry);
    run.last = null;
    return index(run, entry)
        .thenCompose(aborted -> copy(run, entry, aborted))
        .thenComposeAsync(copied -> fill(run, entries, at + 1), rewriting.executor());
  }

  private CompletableFuture<List<AbortedTransaction>> index(Run run, SegmentEntry entry) {
    if (!entry.abortedTransactions()) {
      return CompletableFuture.completedFuture(List.of());
    }
    return pieces
        .index(entry)
        .thenApply(
            index -> {
              run.last = index;
              List<AbortedTransaction> aborted = index.abortedTransactions(0, Long.MAX_VALUE);
              run.file.met(aborted);
              return aborted;
            });
  }

  private CompletableFuture<Boolean> copy(
      Run run, SegmentEntry entry, List<AbortedTransaction> aborted) {
    Once once = new Once(aborted);
    return pieces.each(
        entry,
        (batches, end) -> {
          ioBytes += batches.remaining();
          rewriting.metrics().readBytes.increment(batches.remaining());
          CompactionStats stats =
              compactor.filter(new Piece(batches, once.take()), run.file, rules());
          run.changed |= stats.changedBatches() > 0;
          rewriting.metrics().filtered(stats);
          return true;
        });
  }

  private CompletableFuture<Void> commit(Run run) {
    if (run.segments.isEmpty()) {
      throw new IllegalStateException("nothing lies at " + atOffset + " of " + partition());
    }
    SegmentEntry end = run.segments.get(run.segments.size() - 1);
    atOffset = end.endOffset();
    if (run.segments.size() == 1 && !run.changed) {
      return CompletableFuture.completedFuture(null);
    }
    SegmentIndex known = run.last;
    CompletableFuture<SegmentIndex> last =
        known == null ? pieces.index(end) : CompletableFuture.completedFuture(known);
    return last.thenComposeAsync(index -> swap(run, index), rewriting.executor())
        .thenAccept(
            view -> {
              ioBytes += run.file.bytes();
              rewriting.metrics().writtenBytes.increment((double) run.file.bytes());
              rewriting.metrics().replacedSegments.increment(run.segments.size());
            });
  }

  private CompletableFuture<ManifestView> swap(Run run, SegmentIndex last) {
    return new Swap(rewriting, writer)
        .replace(run.segments, run.file, run.file.transactions(atOffset), last, progress());
  }

  private Compaction progress() {
    return atOffset >= endOffset
        ? Compaction.cleanBelow(endOffset)
        : new Compaction(cleanedOffset, endOffset, atOffset);
  }

  private CompactionRound rules() {
    CompactionRound made = rules;
    if (made == null) {
      throw new IllegalStateException("nothing was learnt yet");
    }
    return made;
  }

  private TopicIdPartition partition() {
    return writer.view().partition();
  }

  /** Aborted transactions are told with the first piece of their segment. */
  private static final class Once {
    private List<AbortedTransaction> transactions;

    Once(List<AbortedTransaction> transactions) {
      this.transactions = transactions;
    }

    List<AbortedTransaction> take() {
      List<AbortedTransaction> taken = transactions;
      transactions = List.of();
      return taken;
    }
  }

  /** Whole batches in memory. */
  private record Piece(ByteBuffer bytes, List<AbortedTransaction> abortedTransactions)
      implements BatchSource {
    @Override
    public long sizeBytes() {
      return bytes.remaining();
    }

    @Override
    public void read(ByteBuffer into, long positionBytes) {
      int at = bytes.position() + (int) positionBytes;
      int length = Math.min(into.remaining(), bytes.limit() - at);
      into.put(bytes.slice(at, Math.max(0, length)));
    }
  }
}
