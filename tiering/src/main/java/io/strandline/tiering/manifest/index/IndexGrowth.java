package io.strandline.tiering.manifest.index;

import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Moves what a head has too much of into pages: the oldest segments into the last page of level 0,
 * rewritten until it is full, and likewise one level up. One use per version. Thread: its caller's,
 * one step after another.
 */
public final class IndexGrowth {
  private final IndexPages store;
  private final TopicIdPartition partition;
  private final Uuid writer;
  private final int inlineMax;
  private int sequence;

  /**
   * @param writer nonce of the version to be
   * @param firstSequence pages are numbered from here
   * @param inlineMax segments, and references of one level, that a head may hold
   */
  public IndexGrowth(
      IndexPages store, TopicIdPartition partition, Uuid writer, int firstSequence, int inlineMax) {
    this.store = store;
    this.partition = partition;
    this.writer = writer;
    this.sequence = firstSequence;
    this.inlineMax = inlineMax;
  }

  /** The same index within its bounds; all pages it refers to are durable. */
  public CompletableFuture<TierIndex> bounded(TierIndex index) {
    int count = index.segments().size();
    if (count <= inlineMax) {
      return boundedLevel(index, 0);
    }
    int keep = inlineMax / 2;
    List<SegmentEntry> overflow = index.segments().subList(0, count - keep);
    List<SegmentEntry> rest = index.segments().subList(count - keep, count);
    return last(index, 0)
        .thenCompose(
            last -> {
              List<SegmentEntry> all = new ArrayList<>(last == null ? List.of() : last.segments());
              all.addAll(overflow);
              return write(chunks(all).stream().map(IndexPage::ofSegments).toList())
                  .thenApply(refs -> replaceLast(index, 0, last != null, refs));
            })
        .thenCompose(grown -> boundedLevel(new TierIndex(grown.levels(), rest), 0));
  }

  /** How many items a page gets. */
  public int pageItems() {
    return store.pageItems();
  }

  /** One page of segments that stand in no index, for the retired. */
  public CompletableFuture<PageRef> page(List<SegmentEntry> segments) {
    return write(List.of(IndexPage.ofSegments(segments))).thenApply(refs -> refs.get(0));
  }

  private CompletableFuture<TierIndex> boundedLevel(TierIndex index, int level) {
    if (level >= index.levels().size()) {
      return CompletableFuture.completedFuture(index);
    }
    List<PageRef> here = index.levels().get(level);
    if (here.size() <= inlineMax) {
      return boundedLevel(index, level + 1);
    }
    int keep = inlineMax / 2;
    List<PageRef> overflow = here.subList(0, here.size() - keep);
    return last(index, level + 1)
        .thenCompose(
            last -> {
              List<PageRef> all = new ArrayList<>(last == null ? List.of() : last.pages());
              all.addAll(overflow);
              return write(chunks(all).stream().map(c -> IndexPage.ofPages(level + 1, c)).toList())
                  .thenApply(refs -> replaceLast(index, level + 1, last != null, refs));
            })
        .thenCompose(
            grown -> {
              List<List<PageRef>> levels = new ArrayList<>(grown.levels());
              levels.set(level, here.subList(here.size() - keep, here.size()));
              return boundedLevel(new TierIndex(levels, grown.segments()), level + 1);
            });
  }

  /** The last page of a level if there is room in it. */
  private CompletableFuture<@Nullable IndexPage> last(TierIndex index, int level) {
    if (level >= index.levels().size() || index.levels().get(level).isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    List<PageRef> refs = index.levels().get(level);
    PageRef last = refs.get(refs.size() - 1);
    if (level == 0 && last.segments() >= store.pageItems()) {
      return CompletableFuture.completedFuture(null);
    }
    return store
        .load(partition, last)
        .thenApply(page -> page.items() < store.pageItems() ? page : null);
  }

  private CompletableFuture<List<PageRef>> write(List<IndexPage> pages) {
    List<CompletableFuture<PageRef>> writes = new ArrayList<>();
    for (IndexPage page : pages) {
      writes.add(store.write(partition, writer, sequence++, page));
    }
    return CompletableFuture.allOf(writes.toArray(CompletableFuture[]::new))
        .thenApply(all -> writes.stream().map(CompletableFuture::join).toList());
  }

  private static TierIndex replaceLast(
      TierIndex index, int level, boolean lastToo, List<PageRef> refs) {
    List<List<PageRef>> levels = new ArrayList<>(index.levels());
    if (level == levels.size()) {
      levels.add(List.of());
    }
    List<PageRef> here = new ArrayList<>(levels.get(level));
    if (lastToo) {
      here.remove(here.size() - 1);
    }
    here.addAll(refs);
    levels.set(level, here);
    return new TierIndex(levels, index.segments());
  }

  private <T> List<List<T>> chunks(List<T> items) {
    List<List<T>> chunks = new ArrayList<>();
    for (int i = 0; i < items.size(); i += store.pageItems()) {
      chunks.add(items.subList(i, Math.min(items.size(), i + store.pageItems())));
    }
    return chunks;
  }
}
