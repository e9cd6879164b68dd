package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.index.IndexPages;
import io.strandline.tiering.manifest.index.IndexWalk;
import io.strandline.tiering.manifest.index.NewestSegment;
import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.manifest.retired.RetiredQueue;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A version with the pages below it.
 *
 * @param facts what is asked for without a look into the index
 */
record IndexedView(ManifestVersion facts, Supplier<ManifestVersion> whole, IndexPages pages)
    implements ManifestView {
  /** For a while. */
  IndexedView(ManifestVersion version, IndexPages pages) {
    this(version, () -> version, pages);
  }

  /** For long. */
  IndexedView(PackedVersion packed, IndexPages pages) {
    this(packed.facts(), packed::version, pages);
  }

  private ManifestVersion head() {
    return whole.get();
  }

  @Override
  public TopicIdPartition partition() {
    return facts().partition();
  }

  @Override
  public long version() {
    return facts().number();
  }

  @Override
  public int leaderEpoch() {
    return facts().leaderEpoch();
  }

  @Override
  public long startOffset() {
    return facts().startOffset();
  }

  @Override
  public long endOffset() {
    return facts().endOffset();
  }

  @Override
  public long sizeBytes() {
    return facts().segmentBytes();
  }

  @Override
  public int segmentCount() {
    return facts().segments();
  }

  @Override
  public int retiredCount() {
    return facts().retiredSegments();
  }

  @Override
  public Compaction compaction() {
    return facts().compaction();
  }

  @Override
  public boolean deleted() {
    return facts().deleted();
  }

  @Override
  public CompletableFuture<Optional<SegmentEntry>> find(long offset) {
    if (offset < startOffset() || offset >= endOffset()) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    return from(offset, 1).thenApply(found -> found.stream().findFirst());
  }

  @Override
  public CompletableFuture<List<SegmentEntry>> from(long offset, int max) {
    long from = Math.max(offset, startOffset());
    return walk(page -> page.endOffset() > from, segment -> segment.endOffset() > from, max);
  }

  @Override
  public CompletableFuture<Optional<SegmentEntry>> firstReaching(long timestampMs, long offset) {
    long from = Math.max(offset, startOffset());
    return walk(
            page -> page.endOffset() > from && page.maxTimestamp() >= timestampMs,
            entry -> entry.endOffset() > from && entry.maxTimestamp() >= timestampMs,
            1)
        .thenApply(found -> found.stream().findFirst());
  }

  /** Enters only the pages that the offset lies in: of others the reference knows the sum. */
  @Override
  public CompletableFuture<Long> bytesFrom(long offset) {
    long from = Math.max(offset, startOffset());
    AtomicLong sum = new AtomicLong();
    return walk(
            page -> {
              boolean whole = page.baseOffset() >= from;
              sum.addAndGet(whole ? page.segmentBytes() : 0);
              return !whole && page.endOffset() > from;
            },
            entry -> {
              sum.addAndGet(entry.endOffset() > from ? entry.lengthBytes() : 0);
              return false;
            },
            1)
        .thenApply(none -> sum.get());
  }

  @Override
  public CompletableFuture<Optional<SegmentEntry>> maxTimestampSegment() {
    return NewestSegment.in(head().index(), startOffset(), ref -> pages.load(partition(), ref));
  }

  @Override
  public CompletableFuture<List<RetiredSegment>> retired(int max) {
    return new RetiredQueue(head().retired(), ref -> pages.load(partition(), ref))
        .due(Long.MAX_VALUE, max);
  }

  private CompletableFuture<List<SegmentEntry>> walk(
      Predicate<PageRef> page, Predicate<SegmentEntry> segment, int max) {
    return IndexWalk.over(
            head().index(),
            ref -> pages.load(partition(), ref),
            new IndexWalk.Wanted(page, segment, max))
        .thenApply(List::copyOf);
  }
}
