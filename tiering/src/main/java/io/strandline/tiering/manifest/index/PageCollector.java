package io.strandline.tiering.manifest.index;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Deletes index pages that nothing refers to: those that left the index, and those of attempts that
 * came to nothing.
 *
 * <p>Safe only for who has just committed: the pages of every attempt still under way are then
 * either of an attempt already lost, or younger than that commit. Costs one LIST per thousand pages
 * and at most one GET per page above level 0.
 */
public final class PageCollector {
  private static final int AT_ONCE = 1000;

  private final ObjectStore store;
  private final IndexPages pages;

  public PageCollector(ObjectStore store, IndexPages pages) {
    this.store = store;
    this.pages = pages;
  }

  /**
   * @param roots what the newest version refers to, dropped pages that are still to stay included
   * @param before by the store's clock: younger pages stay
   * @return how many were deleted
   */
  public CompletableFuture<Integer> collect(
      TopicIdPartition partition, Collection<PageRef> roots, Instant before) {
    Set<ObjectKey> reachable = new HashSet<>();
    return reach(partition, roots, reachable)
        .thenCompose(all -> unreachable(partition, "", new Search(reachable, before)))
        .thenCompose(
            gone ->
                gone.isEmpty()
                    ? CompletableFuture.completedFuture(0)
                    : store.delete(gone).thenApply(deleted -> gone.size()));
  }

  private record Search(Set<ObjectKey> reachable, Instant before) {
    boolean wants(ObjectInfo info) {
      return !info.modified().isAfter(before) && !reachable.contains(info.key());
    }
  }

  private CompletableFuture<Void> reach(
      TopicIdPartition partition, Collection<PageRef> refs, Set<ObjectKey> reachable) {
    CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
    for (PageRef ref : refs) {
      reachable.add(ManifestKeys.page(partition, ref));
      if (ref.level() > 0) {
        // One after another: this is work that may take its time.
        all =
            all.thenCompose(done -> pages.load(partition, ref))
                .thenCompose(page -> reach(partition, page.pages(), reachable));
      }
    }
    return all;
  }

  private CompletableFuture<List<ObjectKey>> unreachable(
      TopicIdPartition partition, String after, Search search) {
    return store
        .list(ManifestKeys.pagePrefix(partition), after, AT_ONCE)
        .thenCompose(
            page -> {
              List<ObjectKey> gone =
                  new ArrayList<>(
                      page.objects().stream()
                          .filter(search::wants)
                          .map(ObjectInfo::key)
                          .limit(AT_ONCE)
                          .toList());
              if (!page.more() || page.objects().isEmpty() || gone.size() >= AT_ONCE) {
                return CompletableFuture.completedFuture(gone);
              }
              String last = page.objects().get(page.objects().size() - 1).key().value();
              return unreachable(partition, last, search)
                  .thenApply(
                      more -> {
                        gone.addAll(more);
                        return gone;
                      });
            });
  }
}
