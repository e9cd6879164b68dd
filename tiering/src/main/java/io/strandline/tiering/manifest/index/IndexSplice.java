package io.strandline.tiering.manifest.index;

import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/**
 * Puts segments into the place of others in the middle of an index: only the pages at the two
 * borders are read, and of every level they are written anew; what lies between just leaves. A page
 * that is left less than half full takes in a neighbour, so that an index of which ever more is
 * merged away stays as flat as a new one.
 *
 * <p>Costs, per level, at most three GETs and as many PUTs as its new items need pages. Segments
 * below the start that stand in a page written anew are left out. One use per version. Thread: its
 * caller's, one step after another.
 */
public final class IndexSplice {
  /** The range of offsets that is replaced, and where the tier starts. */
  private record Gap(long fromOffset, long toOffset, long startOffset) {
    boolean keepsLeft(long baseOffset, long endOffset) {
      return endOffset <= fromOffset && endOffset > startOffset && baseOffset < fromOffset;
    }

    boolean swallows(PageRef page) {
      return page.baseOffset() >= fromOffset && page.endOffset() <= toOffset;
    }

    boolean touches(PageRef page) {
      return page.baseOffset() < toOffset && page.endOffset() > fromOffset;
    }
  }

  /** What one level knows of its items. */
  private interface Items<T> {
    List<T> of(IndexPage page);

    IndexPage page(List<T> items);
  }

  private static final Items<SegmentEntry> SEGMENTS =
      new Items<>() {
        @Override
        public List<SegmentEntry> of(IndexPage page) {
          return page.segments();
        }

        @Override
        public IndexPage page(List<SegmentEntry> items) {
          return IndexPage.ofSegments(items);
        }
      };

  private static Items<PageRef> pagesOf(int level) {
    return new Items<>() {
      @Override
      public List<PageRef> of(IndexPage page) {
        return page.pages();
      }

      @Override
      public IndexPage page(List<PageRef> items) {
        return IndexPage.ofPages(level, items);
      }
    };
  }

  private final IndexPages store;
  private final TopicIdPartition partition;
  private final Uuid writer;
  private final long startOffset;
  private int sequence;

  /**
   * @param writer nonce of the version to be
   * @param firstSequence pages are numbered from here
   */
  public IndexSplice(
      IndexPages store,
      TopicIdPartition partition,
      Uuid writer,
      int firstSequence,
      long startOffset) {
    this.store = store;
    this.partition = partition;
    this.writer = writer;
    this.sequence = firstSequence;
    this.startOffset = startOffset;
  }

  /**
   * The index with these in the place of all that lies in their range of offsets, whose borders are
   * borders of segments there.
   */
  public CompletableFuture<TierIndex> replaced(TierIndex index, List<SegmentEntry> by) {
    Gap gap = new Gap(by.get(0).baseOffset(), by.get(by.size() - 1).endOffset(), startOffset);
    List<List<PageRef>> levels = new ArrayList<>(index.levels());
    List<SegmentEntry> segments = index.segments();
    boolean inline = !segments.isEmpty() && gap.toOffset() > segments.get(0).baseOffset();
    List<SegmentEntry> named = new ArrayList<>();
    segments.stream().filter(s -> s.endOffset() <= gap.fromOffset()).forEach(named::add);
    named.addAll(inline ? by : List.of());
    segments.stream().filter(s -> s.baseOffset() >= gap.toOffset()).forEach(named::add);
    // What lies lowest comes last: there the new ones go, and above only what they replace leaves.
    CompletableFuture<List<SegmentEntry>> left =
        CompletableFuture.completedFuture(inline ? List.of() : by);
    for (int level = 0; level < levels.size(); level++) {
      int here = level;
      if (levels.get(level).stream().anyMatch(gap::touches)) {
        left =
            left.thenCompose(
                fresh ->
                    spliced(levels.get(here), here, gap, fresh)
                        .thenApply(
                            refs -> {
                              levels.set(here, refs);
                              return List.of();
                            }));
      }
    }
    return left.thenApply(
        done -> {
          while (!levels.isEmpty() && levels.get(levels.size() - 1).isEmpty()) {
            levels.remove(levels.size() - 1);
          }
          return new TierIndex(levels, named);
        });
  }

  /** References of one level with the gap closed by these segments, which may be none. */
  private CompletableFuture<List<PageRef>> spliced(
      List<PageRef> refs, int level, Gap gap, List<SegmentEntry> by) {
    List<PageRef> before =
        refs.stream().filter(ref -> gap.keepsLeft(ref.baseOffset(), ref.endOffset())).toList();
    List<PageRef> after = refs.stream().filter(r -> r.baseOffset() >= gap.toOffset()).toList();
    List<PageRef> borders =
        refs.stream().filter(ref -> gap.touches(ref) && !gap.swallows(ref)).toList();
    return loaded(borders)
        .thenCompose(
            pages -> {
              if (level == 0) {
                return packed(before, closed(pages, gap, by), after, SEGMENTS);
              }
              List<PageRef> below = new ArrayList<>();
              pages.forEach(page -> below.addAll(page.pages()));
              return spliced(below, level - 1, gap, by)
                  .thenCompose(items -> packed(before, items, after, pagesOf(level)));
            });
  }

  private static List<SegmentEntry> closed(List<IndexPage> pages, Gap gap, List<SegmentEntry> by) {
    List<SegmentEntry> items = new ArrayList<>();
    for (IndexPage page : pages) {
      page.segments().stream()
          .filter(s -> gap.keepsLeft(s.baseOffset(), s.endOffset()))
          .forEach(items::add);
    }
    items.addAll(by);
    for (IndexPage page : pages) {
      page.segments().stream().filter(s -> s.baseOffset() >= gap.toOffset()).forEach(items::add);
    }
    return items;
  }

  /** The references around the gap with pages of these items between them. */
  private <T> CompletableFuture<List<PageRef>> packed(
      List<PageRef> before, List<T> items, List<PageRef> after, Items<T> kind) {
    if (items.isEmpty()) {
      return CompletableFuture.completedFuture(joined(before, List.of(), after));
    }
    boolean leftOne = !before.isEmpty();
    if (items.size() >= store.pageItems() / 2 || (before.isEmpty() && after.isEmpty())) {
      return written(items, kind).thenApply(fresh -> joined(before, fresh, after));
    }
    PageRef neighbour = leftOne ? before.get(before.size() - 1) : after.get(0);
    return store
        .load(partition, neighbour)
        .thenCompose(
            page -> {
              if (page.items() + items.size() > store.pageItems()) {
                return written(items, kind).thenApply(fresh -> joined(before, fresh, after));
              }
              List<T> both = new ArrayList<>(leftOne ? kind.of(page) : items);
              both.addAll(leftOne ? items : kind.of(page));
              List<PageRef> left = leftOne ? before.subList(0, before.size() - 1) : before;
              List<PageRef> right = leftOne ? after : after.subList(1, after.size());
              return written(both, kind).thenApply(fresh -> joined(left, fresh, right));
            });
  }

  private <T> CompletableFuture<List<PageRef>> written(List<T> items, Items<T> kind) {
    int pages = (items.size() + store.pageItems() - 1) / store.pageItems();
    List<CompletableFuture<PageRef>> writes = new ArrayList<>();
    for (int page = 0; page < pages; page++) {
      int from = (int) ((long) items.size() * page / pages);
      int to = (int) ((long) items.size() * (page + 1) / pages);
      writes.add(store.write(partition, writer, sequence++, kind.page(items.subList(from, to))));
    }
    return all(writes);
  }

  private CompletableFuture<List<IndexPage>> loaded(List<PageRef> refs) {
    return all(refs.stream().map(ref -> store.load(partition, ref)).toList());
  }

  private static <T> CompletableFuture<List<T>> all(List<CompletableFuture<T>> parts) {
    return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
        .thenApply(done -> parts.stream().map(CompletableFuture::join).toList());
  }

  private static List<PageRef> joined(
      List<PageRef> before, List<PageRef> fresh, List<PageRef> after) {
    List<PageRef> all = new ArrayList<>(before);
    all.addAll(fresh);
    all.addAll(after);
    return all;
  }
}
