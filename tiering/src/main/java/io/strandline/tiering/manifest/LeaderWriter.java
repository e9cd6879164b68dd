package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.ManifestLog.Outcome;
import io.strandline.tiering.manifest.ManifestLog.Stored;
import io.strandline.tiering.manifest.retired.RetiredQueue;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.upload.UploadedSegment;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The writer of one leader epoch: draft, check, append, look; again on what is newest if another
 * was faster. Calls queue up behind one another, so that all state but the newest version is
 * touched by one call at a time.
 */
final class LeaderWriter implements ManifestWriter {
  private static final int ATTEMPTS = 8;

  /** So much a clock may be corrected by all the time. */
  private static final long CLOCK_MS = 60_000;

  /** One change, drafted anew for each attempt. */
  private interface Change
      extends Function<VersionDraft, CompletableFuture<Optional<ManifestVersion>>> {}

  /** The newest, while nothing is under way: a broker leads many partitions. */
  private record Kept(PackedVersion packed, String mark, Instant modified, long seenMs) {
    static Kept of(Stored stored) {
      return new Kept(
          new PackedVersion(stored.version()), stored.mark(), stored.modified(), stored.seenMs());
    }

    Stored stored() {
      return new Stored(packed.version(), mark, modified, seenMs);
    }
  }

  private final StoreManifests.Shared shared;
  private final int leaderEpoch;
  private volatile Kept newest;
  private volatile boolean fenced;
  private boolean uncertain;
  private CompletableFuture<@Nullable Void> last = CompletableFuture.completedFuture(null);

  LeaderWriter(StoreManifests.Shared shared, int leaderEpoch, Stored newest) {
    this.shared = shared;
    this.leaderEpoch = leaderEpoch;
    this.newest = Kept.of(newest);
  }

  /** Raises the epoch in the manifest. */
  CompletableFuture<ManifestView> claim() {
    return queued(() -> change(VersionDraft::claim, true)).thenApply(done -> view());
  }

  @Override
  public ManifestView view() {
    return new IndexedView(newest.packed(), shared.pages());
  }

  @Override
  public CompletableFuture<List<CommittedSegment>> add(List<UploadedSegment> segments) {
    List<SegmentEntry> entries = segments.stream().map(UploadedSegment::entry).toList();
    if (entries.isEmpty()) {
      return CompletableFuture.completedFuture(List.of());
    }
    return queued(() -> change(draft -> draft.add(entries), false))
        .thenApply(version -> committed(entries, version));
  }

  @Override
  public CompletableFuture<List<CommittedSegment>> committed(long fromOffset, int max) {
    return queued(
        () ->
            fresh()
                .thenCompose(
                    stored ->
                        new IndexedView(stored.version(), shared.pages())
                            .from(fromOffset, max)
                            .thenApply(entries -> committed(entries, stored.version()))));
  }

  @Override
  public CompletableFuture<ManifestView> advanceStart(long logStartOffset) {
    return queued(() -> change(draft -> draft.advanceStart(logStartOffset), false))
        .thenApply(version -> new IndexedView(version, shared.pages()));
  }

  @Override
  public CompletableFuture<ManifestView> replace(Replacement replacement) {
    return queued(() -> change(draft -> draft.replace(replacement), false))
        .thenApply(version -> new IndexedView(version, shared.pages()));
  }

  @Override
  public CompletableFuture<ManifestView> drop(long startOffset) {
    return queued(() -> change(draft -> draft.drop(startOffset), false))
        .thenApply(version -> new IndexedView(version, shared.pages()));
  }

  @Override
  public CompletableFuture<List<RetiredSegment>> retired(int max) {
    long latestMs = shared.clock().millis() - shared.config().retiredGraceMs();
    return queued(() -> fresh().thenCompose(stored -> queue(stored).due(latestMs, max)));
  }

  @Override
  public CompletableFuture<ManifestView> forget(List<RetiredSegment> segments) {
    return queued(() -> change(draft -> draft.forget(segments), true))
        .thenApply(version -> new IndexedView(version, shared.pages()));
  }

  @Override
  public CompletableFuture<ManifestView> delete() {
    return queued(() -> change(VersionDraft::delete, true))
        .thenApply(version -> new IndexedView(version, shared.pages()));
  }

  private RetiredQueue queue(Stored stored) {
    return new RetiredQueue(
        stored.version().retired(), ref -> shared.pages().load(stored.version().partition(), ref));
  }

  private static List<CommittedSegment> committed(
      List<SegmentEntry> entries, ManifestVersion version) {
    return entries.stream().map(entry -> new CommittedSegment(entry, version.number())).toList();
  }

  /** Runs a call after all earlier ones, on the executor. */
  private synchronized <T> CompletableFuture<T> queued(Supplier<CompletableFuture<T>> call) {
    CompletableFuture<T> result =
        last.thenComposeAsync(nothing -> fenced ? stopped() : call.get(), shared.executor());
    // Not the result itself: an idle writer would keep the version in it.
    last = result.handle((done, failure) -> null);
    return result.copy();
  }

  private <T> CompletableFuture<T> stopped() {
    return CompletableFuture.failedFuture(
        new FencedException(
            "leader epoch "
                + leaderEpoch
                + " of "
                + newest.packed().facts().partition()
                + " is over: "
                + newest.packed().facts().leaderEpoch()
                + " has written"));
  }

  private CompletableFuture<ManifestVersion> change(Change change, boolean evenDeleted) {
    long known = newest.packed().facts().number();
    return fresh()
        .thenCompose(base -> attempt(change, evenDeleted, base, ATTEMPTS))
        .exceptionallyCompose(
            failure ->
                CompletableFuture.failedFuture(blame(ChainedVersions.cause(failure), known)));
  }

  /**
   * The caller could not know of a version that was not there when it asked: an attempt of this
   * writer that had been given up and came through late, the simulation found. Nor is anything
   * refused for certain while an attempt is out.
   */
  private Throwable blame(Throwable failure, long known) {
    boolean refused =
        failure instanceof IllegalArgumentException || failure instanceof IllegalStateException;
    if (uncertain && refused) {
      return new StoreException.Unavailable("what became of an attempt is not known", failure);
    }
    return failure instanceof IllegalArgumentException && newest.packed().facts().number() != known
        ? new StoreException.Unavailable("an earlier attempt has come through meanwhile", failure)
        : failure;
  }

  /**
   * The newest version this writer knows, read again if an outcome is open, or if it is so old that
   * the version after it could have been collected.
   */
  private CompletableFuture<Stored> fresh() {
    long ageMs = shared.clock().millis() - newest.seenMs();
    // Seen in the future: the clock has been set back, and nobody knows how old it is.
    boolean old = ageMs >= shared.config().keptMs() / 2 || ageMs < -CLOCK_MS;
    if (!old && !uncertain) {
      return CompletableFuture.completedFuture(newest.stored());
    }
    return shared
        .log()
        .newest(newest.packed().facts().partition())
        .thenCompose(
            read ->
                adopt(
                    read.orElseGet(
                        () ->
                            ManifestLog.nothing(
                                newest.packed().facts().partition(), shared.clock().millis()))));
  }

  private CompletableFuture<ManifestVersion> attempt(
      Change change, boolean evenDeleted, Stored base, int attempts) {
    if (base.version().deleted() && !evenDeleted) {
      return CompletableFuture.failedFuture(
          new IllegalStateException(base.version().partition() + " is deleted"));
    }
    VersionDraft.Author author =
        new VersionDraft.Author(
            leaderEpoch, shared.nonce(), shared.clock().millis(), base.modified().toEpochMilli());
    return change
        .apply(new VersionDraft(base.version(), author, shared.config(), shared.pages()))
        .thenCompose(
            next ->
                next.isEmpty()
                    ? CompletableFuture.completedFuture(base.version())
                    : commit(base, next.get())
                        .thenCompose(
                            outcome ->
                                outcome.won()
                                    ? CompletableFuture.completedFuture(outcome.newest().version())
                                    : again(change, evenDeleted, outcome.newest(), attempts)));
  }

  private CompletableFuture<ManifestVersion> again(
      Change change, boolean evenDeleted, Stored base, int attempts) {
    shared.meters().conflicts().increment();
    return attempts > 1
        ? attempt(change, evenDeleted, base, attempts - 1)
        : CompletableFuture.failedFuture(
            new StoreException.Unavailable("others were faster " + ATTEMPTS + " times", null));
  }

  private CompletableFuture<Outcome> commit(Stored base, ManifestVersion next) {
    ManifestInvariants.check(base.version(), next);
    uncertain = true;
    return shared
        .log()
        .append(base, next)
        .thenCompose(outcome -> adopt(outcome.newest()).thenApply(stored -> outcome))
        .thenApply(
            outcome -> {
              if (outcome.won()) {
                shared.meters().commits().increment();
                shared.collectAfter(outcome.newest());
              }
              return outcome;
            });
  }

  private CompletableFuture<Stored> adopt(Stored read) {
    newest = Kept.of(read);
    uncertain = false;
    if (read.version().leaderEpoch() > leaderEpoch) {
      fenced = true;
      shared.meters().fenced().increment();
      return stopped();
    }
    return CompletableFuture.completedFuture(read);
  }
}
