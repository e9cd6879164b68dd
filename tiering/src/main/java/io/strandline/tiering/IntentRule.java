package io.strandline.tiering;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.upload.UploadIntent;
import io.strandline.tiering.upload.Uploader;
import java.util.concurrent.CompletableFuture;

/**
 * What becomes of an upload whose outcome a crash, a lost leadership or the store left open.
 *
 * <p>Nothing is decided until no commit of it can arrive any more: a higher leader epoch has
 * written, its records are below the manifest's start, its writer gave it up, or the grace is over.
 * Then an object that the manifest names stays, and one that it does not name is deleted; one below
 * the manifest's start, or one that another has taken the place of, may be retired and within its
 * grace: then it goes with the retired.
 */
final class IntentRule {
  private final Uploader uploader;
  private final long graceMs;

  IntentRule(Uploader uploader, long graceMs) {
    this.uploader = uploader;
    this.graceMs = graceMs;
  }

  /**
   * @param intent of {@link Uploader#undecidedIntents}, asked before the view was read
   * @param view read after the intent's process died, its leadership ended or its put failed
   */
  CompletableFuture<Void> resolve(UploadIntent intent, ManifestView view, long nowMs) {
    if (view.deleted()) {
      return giveUp(intent, view); // What it held until then is retired: replays may still read it.
    }
    boolean over =
        view.leaderEpoch() > intent.leaderEpoch()
            || intent.endOffset() <= view.startOffset()
            || uploader.decided(intent, view.version());
    if (!over && nowMs - intent.sinceMs() < graceMs) {
      return CompletableFuture.completedFuture(null);
    }
    // The start may lie within the segment.
    return view.find(Math.max(intent.baseOffset(), view.startOffset()))
        .thenCompose(
            entry -> {
              if (entry.isPresent() && entry.get().object().equals(intent.object())) {
                uploader.settle(intent);
                return CompletableFuture.completedFuture(null);
              }
              return giveUp(intent, view);
            });
  }

  /**
   * Of an object that the view does not name as held: deletes it, unless it was named and has been
   * replaced or retired since, so that its grace runs.
   */
  CompletableFuture<Void> giveUp(UploadIntent intent, ManifestView view) {
    return view.retired(Integer.MAX_VALUE)
        .thenCompose(
            retired -> {
              if (retired.stream().anyMatch(r -> r.entry().object().equals(intent.object()))) {
                uploader.settle(intent);
                return CompletableFuture.completedFuture(null);
              }
              return uploader.abandon(intent);
            });
  }
}
