package io.strandline.tiering;

import io.strandline.tiering.manifest.FencedException;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.Deletions.Deletion;
import io.strandline.tiering.restore.RestoredEpochs;
import io.strandline.tiering.scrub.PartitionScrub.Swept;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.upload.UploadIntent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tier of a partition whose topic was deleted: terminal version, then, after the grace, the
 * objects, retired or orphaned. A pass at a time; the fields below belong to it.
 *
 * <p>Any leader that was before is taken over from, but a restored cluster's: who deletes the topic
 * then is a node of the lost one that has not heard of the restore (design D15).
 */
final class Burial {
  private static final Logger LOG = LoggerFactory.getLogger(Burial.class);
  private static final int PAGE = 64;

  private final TierShared shared;
  private final Deletion deletion;
  private final long notBeforeMs;
  private final CompletableFuture<Void> terminal = new CompletableFuture<>();
  private @Nullable ManifestWriter writer;
  private volatile boolean over;
  private long nextSweepMs;

  /**
   * @param notBeforeMs until when, by the steady clock, it is left to another broker
   */
  Burial(TierShared shared, Deletion deletion, long notBeforeMs) {
    this.shared = shared;
    this.deletion = deletion;
    this.notBeforeMs = notBeforeMs;
  }

  /** Completes when the terminal version is durable, or there was nothing tiered. */
  CompletableFuture<Void> terminal() {
    return terminal;
  }

  /** Nothing is left in the store but the manifest that says so. */
  boolean over() {
    return over;
  }

  /**
   * @return segments deleted
   */
  CompletableFuture<Integer> pass() {
    if (shared.steadyMs() < notBeforeMs) {
      return CompletableFuture.completedFuture(0);
    }
    ManifestWriter had = writer;
    CompletableFuture<Integer> passed =
        had != null
            ? clear(had)
            : shared
                .services()
                .manifests()
                .read(deletion.partition())
                .thenCompose(view -> view.version() == 0 ? nothingThere() : end(view));
    return passed.exceptionallyCompose(this::again);
  }

  private CompletableFuture<Integer> nothingThere() {
    terminal.complete(null);
    return finish();
  }

  private CompletableFuture<Integer> end(ManifestView view) {
    if (RestoredEpochs.restoredSince(deletion.leaderEpoch(), view.leaderEpoch())) {
      LOG.atWarn()
          .addKeyValue("partition", deletion.partition())
          .addKeyValue("epoch", view.leaderEpoch())
          .log("not deleted: a cluster that was restored since has this partition's tier");
      return nothingThere();
    }
    int epoch = Math.max(deletion.leaderEpoch(), view.leaderEpoch());
    return shared
        .services()
        .manifests()
        .acquire(view.partition(), epoch)
        .thenCompose(
            w ->
                w.delete()
                    .thenCompose(
                        deleted -> {
                          writer = w;
                          terminal.complete(null);
                          return clear(w);
                        }));
  }

  /** A leader that was faster than the news of the deletion is no reason to give up. */
  private CompletableFuture<Integer> again(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (!(cause instanceof FencedException)) {
      return CompletableFuture.failedFuture(cause);
    }
    writer = null;
    return CompletableFuture.failedFuture(
        new StoreException.Unavailable("a later leader has written", cause));
  }

  private CompletableFuture<Integer> clear(ManifestWriter w) {
    return shared
        .retired()
        .delete(w, PAGE)
        .thenCompose(
            n -> {
              shared.metrics().forgottenSegments.increment(n);
              return n > 0 ? CompletableFuture.completedFuture(n) : sweep(w);
            });
  }

  private CompletableFuture<Integer> sweep(ManifestWriter w) {
    return w.view()
        .retired(1)
        .thenCompose(
            left ->
                left.isEmpty() && shared.steadyMs() >= nextSweepMs
                    ? resolveIntents(w.view()).thenCompose(resolved -> sweepOrphans(w.view()))
                    : CompletableFuture.completedFuture(0));
  }

  private CompletableFuture<Void> resolveIntents(ManifestView view) {
    List<CompletableFuture<Void>> resolved = new ArrayList<>();
    for (UploadIntent intent : shared.uploader().openIntents()) {
      if (intent.partition().topicId().equals(view.partition().topicId())
          && intent.partition().partition() == view.partition().partition()) {
        resolved.add(shared.intents().resolve(intent, view, shared.nowMs()));
      }
    }
    return CompletableFuture.allOf(resolved.toArray(CompletableFuture[]::new));
  }

  private CompletableFuture<Integer> sweepOrphans(ManifestView view) {
    return shared
        .scrubs()
        .lists()
        .sweep(view.partition(), view.leaderEpoch(), object -> false)
        .thenCompose(this::finishUnlessLeft);
  }

  /** A sweep sees so many objects at most, and what it deletes may leave versions behind. */
  private CompletableFuture<Integer> finishUnlessLeft(Swept swept) {
    int done = swept.deleted() + swept.leftovers();
    if (done > 0) {
      return CompletableFuture.completedFuture(done);
    }
    if (swept.young() == 0) {
      return finish();
    }
    nextSweepMs = shared.steadyMs() + shared.config().scrub().listMs();
    return CompletableFuture.completedFuture(0);
  }

  private CompletableFuture<Integer> finish() {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            shared.services().deletions().end(deletion.partition());
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          over = true;
          return 0;
        },
        shared.services().disk());
  }
}
