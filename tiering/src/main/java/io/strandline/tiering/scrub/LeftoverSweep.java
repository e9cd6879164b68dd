package io.strandline.tiering.scrub;

import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.Leftover.After;
import io.strandline.tiering.store.Leftover.Kind;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Deletes what a store keeps beside objects, page by page: each page has a deadline of its own, and
 * what was deleted stays so whatever becomes of the next. Used by one sweep of a partition, for one
 * kind after another.
 *
 * <p>A page's leftovers go when the next page is listed, which begins at the end of this one. A
 * marker goes after all versions of its key: if it went first, its object would be back; so those
 * of a page's last key wait for the next page.
 */
final class LeftoverSweep {
  /**
   * In one call, which has a deadline of ten seconds: Ceph takes ten milliseconds for each version
   * of one key.
   */
  static final int PURGED_AT_ONCE = 200;

  private final ObjectStore store;
  private final Predicate<Leftover> ours;
  private final Supplier<CompletableFuture<Instant>> young;
  private int deleted;
  private int kept;
  private @Nullable Throwable unlisted;

  /**
   * @param ours what may be deleted
   * @param young what became a leftover then or later stays; asked when there is anything of ours
   */
  LeftoverSweep(
      ObjectStore store, Predicate<Leftover> ours, Supplier<CompletableFuture<Instant>> young) {
    this.store = store;
    this.ours = ours;
    this.young = young;
  }

  /** How many went, up to now; also when the run failed. */
  int deleted() {
    return deleted;
  }

  /** Of ours, and too young. */
  int kept() {
    return kept;
  }

  /** Why the store did not tell all; null if it did. */
  @Nullable Throwable unlisted() {
    return unlisted;
  }

  /**
   * @return fails if something can not be deleted, and not if it can not be listed
   */
  CompletableFuture<Void> run(String prefix, Leftover.Of of) {
    return page(prefix, of, After.START, List.of(), List.of());
  }

  /**
   * @param due of the pages before, to go now that this one's begin is known
   * @param markers of the last key of the pages before
   */
  private CompletableFuture<Void> page(
      String prefix, Leftover.Of of, After after, List<Leftover> due, List<Leftover> markers) {
    return store
        .leftovers(prefix, of, after)
        .handle(
            (page, failure) -> {
              unlisted = failure == null ? unlisted : failure;
              return Optional.ofNullable(page);
            })
        .thenCompose(page -> purge(due).thenApply(done -> page))
        .thenCompose(
            page ->
                page.isEmpty()
                    ? CompletableFuture.completedFuture(null)
                    : old(page.get().leftovers())
                        .thenCompose(old -> goOn(prefix, of, page.get(), join(markers, old))));
  }

  private CompletableFuture<Void> goOn(
      String prefix, Leftover.Of of, Leftover.Page page, List<Leftover> old) {
    if (page.next().isEmpty()) {
      return purge(old);
    }
    List<Leftover> waiting = markersOfLastKey(old);
    List<Leftover> due = old.stream().filter(left -> !waiting.contains(left)).toList();
    return page(prefix, of, page.next().get(), due, waiting);
  }

  private static List<Leftover> join(List<Leftover> before, List<Leftover> after) {
    return Stream.concat(before.stream(), after.stream()).toList();
  }

  private CompletableFuture<List<Leftover>> old(List<Leftover> listed) {
    List<Leftover> candidates = listed.stream().filter(ours).toList();
    if (candidates.isEmpty()) {
      return CompletableFuture.completedFuture(List.of());
    }
    return young
        .get()
        .thenApply(
            since -> {
              List<Leftover> old =
                  candidates.stream().filter(left -> left.since().isBefore(since)).toList();
              kept += candidates.size() - old.size();
              return old;
            });
  }

  private static List<Leftover> markersOfLastKey(List<Leftover> listed) {
    ObjectKey last = listed.stream().map(Leftover::key).max(Comparator.naturalOrder()).orElse(null);
    return listed.stream()
        .filter(left -> left.kind() == Kind.MARKER && left.key().equals(last))
        .toList();
  }

  private CompletableFuture<Void> purge(List<Leftover> due) {
    return purge(
        Stream.concat(
                due.stream().filter(left -> left.kind() != Kind.MARKER),
                due.stream().filter(left -> left.kind() == Kind.MARKER))
            .toList(),
        0);
  }

  /** From here on, a call after the other; what is behind stays deleted if one fails. */
  private CompletableFuture<Void> purge(List<Leftover> due, int from) {
    if (from >= due.size()) {
      return CompletableFuture.completedFuture(null);
    }
    List<Leftover> some = due.subList(from, Math.min(due.size(), from + PURGED_AT_ONCE));
    return store
        .purge(some)
        .thenCompose(
            purged -> {
              deleted += some.size();
              return purge(due, from + some.size());
            });
  }
}
