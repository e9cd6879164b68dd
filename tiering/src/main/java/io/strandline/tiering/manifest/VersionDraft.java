package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.ManifestVersion.Dropped;
import io.strandline.tiering.manifest.ManifestVersion.Step;
import io.strandline.tiering.manifest.index.Held;
import io.strandline.tiering.manifest.index.IndexGrowth;
import io.strandline.tiering.manifest.index.IndexPage;
import io.strandline.tiering.manifest.index.IndexPages;
import io.strandline.tiering.manifest.index.IndexSplice;
import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.manifest.index.TierIndex;
import io.strandline.tiering.manifest.retired.RetiredPages;
import io.strandline.tiering.manifest.retired.RetiredQueue;
import io.strandline.tiering.manifest.retired.RetiredRun;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;

/**
 * One attempt at the version after another: what it says, and the pages it needs, which are durable
 * when the future completes. A future of nothing means that there is nothing to change. One use.
 */
final class VersionDraft {
  private static final int INLINE_MIN = 8;
  private static final int RUNS_MAX = 256;

  /** Replacing can wait: some runs are left to retention. */
  private static final int RUNS_MAX_REPLACING = 192;

  /** Pages of a splice are numbered from here, above those of any bound. */
  private static final int SPLICED = 1 << 24;

  private static final int DROPPED_MAX = 128;

  /**
   * The times of retirements are rounded up to such a part of the grace, so that runs can merge.
   */
  private static final int GRACE_PARTS = 8;

  /**
   * Who drafts, and when.
   *
   * @param nonce drawn for this attempt
   * @param beforeMs when the version before was written, by the store's clock; not positive if that
   *     is not known
   */
  record Author(int leaderEpoch, Uuid nonce, long nowMs, long beforeMs) {}

  private final ManifestVersion before;
  private final List<RetiredRun> retired;
  private final Author author;
  private final ManifestConfig config;
  private final IndexPages pages;
  private final RetiredQueue queue;

  VersionDraft(ManifestVersion before, Author author, ManifestConfig config, IndexPages pages) {
    this.before = before;
    this.author = author;
    this.config = config;
    this.pages = pages;
    this.retired = notInTheFuture();
    this.queue = new RetiredQueue(retired, this::load);
  }

  /** Raises the epoch. */
  CompletableFuture<Optional<ManifestVersion>> claim() {
    return author.leaderEpoch() == before.leaderEpoch()
        ? CompletableFuture.completedFuture(Optional.empty())
        : bounded(next(Step.CLAIM, before.index(), retired).version());
  }

  /**
   * Names segments; those already named are passed over.
   *
   * @return fails with {@link IllegalArgumentException} if they do not continue what is there
   */
  CompletableFuture<Optional<ManifestVersion>> add(List<SegmentEntry> segments) {
    List<SegmentEntry> fresh =
        segments.stream().filter(segment -> segment.endOffset() > before.endOffset()).toList();
    List<SegmentEntry> known = segments.subList(0, segments.size() - fresh.size());
    return sameAsNamed(known)
        .thenCompose(
            same -> {
              if (!same || !continues(fresh)) {
                throw new IllegalArgumentException(
                    "segments from "
                        + segments.get(0).baseOffset()
                        + " do not continue "
                        + before.startOffset()
                        + " to "
                        + before.endOffset());
              }
              return fresh.isEmpty()
                  ? CompletableFuture.completedFuture(Optional.empty())
                  : bounded(added(fresh));
            });
  }

  /** Moves the start; what lies below is retired. */
  CompletableFuture<Optional<ManifestVersion>> advanceStart(long startOffset) {
    if (startOffset <= before.startOffset()) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    if (before.retired().size() >= RUNS_MAX) {
      throw new IllegalStateException(
          before.retiredSegments() + " retired segments are not being deleted");
    }
    return retireBelow(Step.ADVANCE_START, startOffset);
  }

  /** Retires everything; nothing can follow. */
  CompletableFuture<Optional<ManifestVersion>> delete() {
    return before.deleted()
        ? CompletableFuture.completedFuture(Optional.empty())
        : retireBelow(Step.DELETE, before.endOffset());
  }

  /** Retires everything and lets the tier begin anew, at or below its end. */
  CompletableFuture<Optional<ManifestVersion>> drop(long startOffset) {
    if (before.segments() == 0 || startOffset >= before.endOffset()) {
      return advanceStart(startOffset);
    }
    return retireBelow(Step.TRUNCATE, before.endOffset())
        .thenApply(
            emptied ->
                emptied.map(
                    version -> {
                      Next next = new Next(version);
                      next.startOffset = startOffset;
                      next.endOffset = startOffset;
                      return next.version();
                    }));
  }

  /** Drops the longest run of the oldest retired segments of which all are among these. */
  CompletableFuture<Optional<ManifestVersion>> forget(List<RetiredSegment> segments) {
    return queue
        .without(new HashSet<>(segments.stream().map(RetiredSegment::entry).toList()))
        .thenCompose(
            left -> {
              if (left.forgotten() == 0) {
                return CompletableFuture.completedFuture(Optional.empty());
              }
              Next next = next(Step.FORGET, before.index(), left.runs());
              next.retiredSegments -= left.forgotten();
              return bounded(next.version());
            });
  }

  /** Puts segments into the place of others; what already stands there is passed over. */
  CompletableFuture<Optional<ManifestVersion>> replace(Replacement wanted) {
    Compaction compaction = progress(wanted.compaction());
    List<SegmentEntry> by = wanted.entries();
    return sameAsNamed(by)
        .thenCompose(
            done -> {
              if (done) {
                Next next = next(Step.REPLACE, before.index(), retired);
                next.compaction = compaction;
                return compaction.equals(before.compaction())
                    ? CompletableFuture.completedFuture(Optional.empty())
                    : bounded(next.version());
              }
              return sameAsNamed(wanted.replaced())
                  .thenCompose(same -> replaced(wanted.replaced(), same, by, compaction));
            });
  }

  private Compaction progress(Compaction wanted) {
    Compaction within = wanted.within(before.startOffset(), Long.MAX_VALUE);
    if (within.cleanedOffset() < before.compaction().cleanedOffset()
        || !within.equals(within.within(before.startOffset(), before.endOffset()))) {
      throw new IllegalArgumentException(
          wanted
              + " after "
              + before.compaction()
              + " of "
              + before.startOffset()
              + " to "
              + before.endOffset());
    }
    return within;
  }

  private CompletableFuture<Optional<ManifestVersion>> replaced(
      List<SegmentEntry> old, boolean named, List<SegmentEntry> by, Compaction compaction) {
    if (!named) {
      throw new IllegalArgumentException(
          "segments from " + old.get(0).baseOffset() + " are not named as said");
    }
    if (before.retired().size() >= RUNS_MAX_REPLACING) {
      throw new IllegalStateException(
          before.retiredSegments() + " retired segments are not being deleted");
    }
    return new IndexSplice(pages, before.partition(), author.nonce(), SPLICED, before.startOffset())
        .replaced(before.index(), by)
        .thenCompose(
            index -> {
              Next next = next(Step.REPLACE, index, queue.with(old, sinceMs()));
              next.segments += by.size() - old.size();
              next.segmentBytes += bytes(by) - bytes(old);
              next.retiredSegments += old.size();
              next.compaction = compaction;
              return bounded(next.version());
            });
  }

  private static long bytes(List<SegmentEntry> segments) {
    return segments.stream().mapToLong(SegmentEntry::lengthBytes).sum();
  }

  private CompletableFuture<IndexPage> load(PageRef ref) {
    return pages.load(before.partition(), ref);
  }

  private CompletableFuture<Boolean> sameAsNamed(List<SegmentEntry> known) {
    if (known.isEmpty()) {
      return CompletableFuture.completedFuture(true);
    }
    return new IndexedView(before, pages)
        .from(known.get(0).baseOffset(), known.size())
        .thenApply(known::equals);
  }

  private boolean continues(List<SegmentEntry> fresh) {
    boolean never = before.endOffset() == 0 && before.segments() == 0;
    long at = before.endOffset();
    for (int i = 0; i < fresh.size(); i++) {
      long base = fresh.get(i).baseOffset();
      boolean first = i == 0 && before.segments() == 0;
      if (base != at && !(first && (never || base < at))) {
        return false;
      }
      at = fresh.get(i).endOffset();
    }
    return true;
  }

  private ManifestVersion added(List<SegmentEntry> fresh) {
    Next next = next(Step.ADD, before.index().plus(fresh), retired);
    if (before.endOffset() == 0) {
      next.startOffset = fresh.get(0).baseOffset();
    }
    next.endOffset = fresh.get(fresh.size() - 1).endOffset();
    next.segments += fresh.size();
    next.segmentBytes += bytes(fresh);
    return next.version();
  }

  private CompletableFuture<Optional<ManifestVersion>> retireBelow(Step step, long startOffset) {
    IndexedView view = new IndexedView(before, pages);
    CompletableFuture<Long> lower = baseOf(view, before.startOffset());
    CompletableFuture<Long> upper = baseOf(view, startOffset);
    TierIndex index = before.index().from(startOffset);
    CompletableFuture<Held> held = Held.from(index, startOffset, this::load);
    return CompletableFuture.allOf(lower, upper, held)
        .thenCompose(
            all -> {
              List<RetiredRun> runs =
                  queue.with(before.index(), lower.join(), upper.join(), sinceMs());
              Next next = next(step, index, runs);
              next.startOffset = startOffset;
              next.endOffset = Math.max(before.endOffset(), startOffset);
              next.segments = held.join().segments();
              next.segmentBytes = held.join().segmentBytes();
              next.retiredSegments += before.segments() - next.segments;
              next.deleted |= step == Step.DELETE;
              return bounded(next.version());
            });
  }

  /** Where the segment that covers or follows the offset begins; the end if there is none. */
  private CompletableFuture<Long> baseOf(IndexedView view, long offset) {
    return view.from(offset, 1)
        .thenApply(found -> found.isEmpty() ? before.endOffset() : found.get(0).baseOffset());
  }

  private long sinceMs() {
    return roundedUp(author.nowMs());
  }

  private long roundedUp(long ms) {
    return -Math.floorDiv(-ms, gracePartMs()) * gracePartMs();
  }

  private long gracePartMs() {
    return Math.max(1, config.retiredGraceMs() / GRACE_PARTS);
  }

  /**
   * A writer whose clock was ahead has retired segments of a time to come, and would keep all that
   * follow from being deleted until then. What stands in the version before was retired before that
   * was written: so if it is not our own clock that is behind, they count as retired now, and their
   * grace is not shortened.
   */
  private List<RetiredRun> notInTheFuture() {
    long latestMs = roundedUp(Math.max(author.nowMs(), author.beforeMs()));
    if (author.beforeMs() <= 0) {
      return before.retired();
    }
    return before.retired().stream()
        .map(run -> run.sinceMs() > latestMs + gracePartMs() ? run.at(latestMs) : run)
        .toList();
  }

  private CompletableFuture<Optional<ManifestVersion>> bounded(ManifestVersion version) {
    return bounded(version, config.paging().headItems());
  }

  /** Pages what is too much for a head; long names may leave room for fewer than usual. */
  private CompletableFuture<Optional<ManifestVersion>> bounded(
      ManifestVersion version, int inlineMax) {
    IndexGrowth growth =
        new IndexGrowth(
            pages, version.partition(), author.nonce(), sequences(inlineMax), inlineMax);
    return growth
        .bounded(version.index())
        .thenCompose(
            index ->
                new RetiredPages(growth, this::load)
                    .bounded(version.retired(), inlineMax)
                    .thenApply(
                        runs -> {
                          Next next = new Next(version);
                          next.index = index;
                          next.retired = runs;
                          next.dropped = dropped(next.version());
                          return next.version();
                        }))
        .thenCompose(
            done -> {
              if (VersionCodec.encode(done).remaining() <= VersionCodec.MAX_BYTES) {
                return CompletableFuture.completedFuture(Optional.of(done));
              }
              if (inlineMax <= INLINE_MIN) {
                throw new IllegalStateException("a head of more than 64 KiB");
              }
              return bounded(version, inlineMax / 2);
            });
  }

  /** Each try at a bound names its pages from a range of its own. */
  private int sequences(int inlineMax) {
    return (config.paging().headItems() / inlineMax - 1) << 16;
  }

  private List<Dropped> dropped(ManifestVersion after) {
    Set<PageRef> gone = before.pages();
    gone.removeAll(after.pages());
    List<Dropped> dropped = new ArrayList<>();
    before.dropped().stream()
        .filter(page -> page.sinceMs() + config.keptMs() > author.nowMs())
        .forEach(dropped::add);
    gone.forEach(page -> dropped.add(new Dropped(page, author.nowMs())));
    return dropped.subList(Math.max(0, dropped.size() - DROPPED_MAX), dropped.size());
  }

  private Next next(Step step, TierIndex index, List<RetiredRun> retired) {
    Next next = new Next(before);
    next.step = step;
    next.index = index;
    next.retired = retired;
    return next;
  }

  /** The version to be, while it is being put together. */
  private final class Next {
    private final ManifestVersion from;
    private Step step;
    private boolean deleted;
    private long startOffset;
    private long endOffset;
    private int segments;
    private long segmentBytes;
    private int retiredSegments;
    private Compaction compaction;
    private TierIndex index;
    private List<RetiredRun> retired;
    private List<Dropped> dropped;

    Next(ManifestVersion from) {
      this.from = from;
      step = from.step();
      deleted = from.deleted();
      startOffset = from.startOffset();
      endOffset = from.endOffset();
      segments = from.segments();
      segmentBytes = from.segmentBytes();
      retiredSegments = from.retiredSegments();
      compaction = from.compaction();
      index = from.index();
      retired = from.retired();
      dropped = from.dropped();
    }

    ManifestVersion version() {
      List<Uuid> ancestry = new ArrayList<>(List.of(before.nonce()));
      ancestry.addAll(before.ancestry());
      return new ManifestVersion(
          from.partition(),
          before.number() + 1,
          author.leaderEpoch(),
          author.nonce(),
          ancestry.subList(0, Math.min(ancestry.size(), ManifestVersion.ANCESTORS)),
          author.nowMs(),
          step,
          deleted,
          startOffset,
          endOffset,
          segments,
          segmentBytes,
          retiredSegments,
          compaction.within(startOffset, endOffset),
          index,
          retired,
          dropped);
    }
  }
}
