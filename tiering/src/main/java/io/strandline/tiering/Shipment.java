package io.strandline.tiering;

import io.strandline.tiering.manifest.CommittedSegment;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.seal.DueSegment;
import io.strandline.tiering.upload.UploadIntent;
import io.strandline.tiering.upload.UploadedSegment;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One partition's segments on their way: uploaded side by side, committed in order. Remembers what
 * is durable and not yet known to be named, so that a failed commit uploads nothing twice.
 */
final class Shipment {
  private final TierShared shared;
  private final int leaderEpoch;

  /** By the offset at which the segment was due. */
  private final NavigableMap<Long, UploadedSegment> uploaded = new ConcurrentSkipListMap<>();

  private volatile long gotOnMs;

  Shipment(TierShared shared, int leaderEpoch) {
    this.shared = shared;
    this.leaderEpoch = leaderEpoch;
  }

  /** When a segment last became durable. */
  long gotOnMs() {
    return gotOnMs;
  }

  boolean hasOpenOutcome() {
    return !uploaded.isEmpty();
  }

  boolean carries(UploadIntent intent) {
    return uploaded.values().stream().anyMatch(u -> u.entry().object().equals(intent.object()));
  }

  /** Finds out what an earlier commit, whose outcome is open, has named. */
  CompletableFuture<Void> settle(ManifestWriter writer) {
    if (uploaded.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    long from = uploaded.firstEntry().getValue().entry().baseOffset();
    return writer
        .committed(from, uploaded.size() + 1)
        .thenCompose(
            named -> {
              List<CompletableFuture<Void>> abandoned = new ArrayList<>();
              uploaded.forEach(
                  (start, segment) -> settle(writer.view(), start, segment, named, abandoned));
              return CompletableFuture.allOf(abandoned.toArray(CompletableFuture[]::new));
            });
  }

  private void settle(
      ManifestView view,
      long start,
      UploadedSegment segment,
      List<CommittedSegment> named,
      List<CompletableFuture<Void>> abandoned) {
    if (named.stream().anyMatch(c -> c.entry().object().equals(segment.entry().object()))) {
      shared.uploader().committed(segment);
      uploaded.remove(start);
    } else if (segment.entry().endOffset() <= view.endOffset()) {
      uploaded.remove(start);
      shared.uploader().openIntents().stream()
          .filter(i -> i.object().equals(segment.entry().object()))
          .forEach(i -> abandoned.add(shared.intents().giveUp(i, view)));
    }
  }

  /**
   * Uploads what is due and commits the longest run that succeeded.
   *
   * @param stopped asked before the commit: an upload that ends after leadership did is not named
   * @return how many were committed; fails if an upload or the commit did
   */
  CompletableFuture<Integer> ship(
      ManifestWriter writer, List<DueSegment> due, BooleanSupplier stopped) {
    List<CompletableFuture<UploadedSegment>> uploads = due.stream().map(this::upload).toList();
    return CompletableFuture.allOf(uploads.toArray(CompletableFuture[]::new))
        .handle((all, failure) -> failure)
        .thenCompose(
            failure -> {
              List<UploadedSegment> run = successfulRun(uploads);
              if (run.isEmpty() || stopped.getAsBoolean()) {
                return failedOr(failure, 0);
              }
              return commit(writer, due, run).thenCompose(n -> failedOr(failure, n));
            });
  }

  private CompletableFuture<UploadedSegment> upload(DueSegment due) {
    UploadedSegment done = uploaded.get(due.startOffset());
    if (done != null && done.entry().endOffset() == due.endOffset()) {
      return CompletableFuture.completedFuture(done);
    }
    return shared
        .uploader()
        .upload(due, leaderEpoch)
        .thenApply(
            segment -> {
              uploaded.put(due.startOffset(), segment);
              gotOnMs = shared.steadyMs();
              return segment;
            });
  }

  private CompletableFuture<Integer> commit(
      ManifestWriter writer, List<DueSegment> due, List<UploadedSegment> run) {
    return writer
        .add(run)
        .thenApply(
            committed -> {
              for (int i = 0; i < run.size(); i++) {
                shared.uploader().committed(run.get(i));
                uploaded.remove(due.get(i).startOffset());
              }
              shared.metrics().commits.increment();
              shared.board().report(writer.view());
              return committed.size();
            });
  }

  private static List<UploadedSegment> successfulRun(
      List<CompletableFuture<UploadedSegment>> uploads) {
    List<UploadedSegment> run = new ArrayList<>();
    for (CompletableFuture<UploadedSegment> upload : uploads) {
      if (upload.isCompletedExceptionally()) {
        break;
      }
      run.add(upload.join());
    }
    return run;
  }

  private static CompletableFuture<Integer> failedOr(@Nullable Throwable failure, int count) {
    return failure == null
        ? CompletableFuture.completedFuture(count)
        : CompletableFuture.failedFuture(failure);
  }
}
