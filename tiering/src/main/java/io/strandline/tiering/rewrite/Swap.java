package io.strandline.tiering.rewrite;

import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Replacement;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A rewritten file in the place of a run of segments: put, then named by one manifest version that
 * retires the run. A crash before the version leaves the old ones and an open intent; after it, the
 * new one. Never both, never neither. A refusal leaves the old ones and nothing else.
 */
final class Swap {
  private final Rewriting rewriting;
  private final ManifestWriter writer;

  Swap(Rewriting rewriting, ManifestWriter writer) {
    this.rewriting = rewriting;
    this.writer = writer;
  }

  /**
   * What the segment says of its end.
   *
   * @param epochs of leaders with batches up to there
   * @param producers Kafka's snapshot there
   */
  record End(List<EpochStart> epochs, Optional<ByteBuffer> producers) {}

  /**
   * Puts the file and has it named; blocks on disk.
   *
   * @param last of the last of the run: leader epochs and producer state are its
   */
  CompletableFuture<ManifestView> replace(
      List<SegmentEntry> run,
      RewrittenFile file,
      List<AbortedTransaction> aborted,
      SegmentIndex last,
      Compaction progress) {
    End end = new End(last.leaderEpochs(), last.producerSnapshot());
    return replace(run, file, aborted, end, progress);
  }

  /** As the other, with what the new segment is to say of its end. */
  CompletableFuture<ManifestView> replace(
      List<SegmentEntry> run,
      RewrittenFile file,
      List<AbortedTransaction> aborted,
      End last,
      Compaction progress) {
    try {
      SegmentParts parts = parts(run, file, aborted, last);
      return rewriting
          .uploader()
          .uploadRewritten(parts, writer.view().leaderEpoch())
          .thenCompose(uploaded -> name(run, uploaded, progress));
    } catch (IOException e) {
      return CompletableFuture.failedFuture(new UncheckedIOException(e));
    }
  }

  private SegmentParts parts(
      List<SegmentEntry> run, RewrittenFile file, List<AbortedTransaction> aborted, End last)
      throws IOException {
    Optional<ByteBuffer> snapshot = last.producers();
    Optional<Path> snapshotFile =
        snapshot.isEmpty() ? Optional.empty() : Optional.of(file.beside(snapshot.get()));
    return new SegmentParts(
        writer.view().partition(),
        file.path(),
        file.bytes(),
        run.get(0).baseOffset(),
        run.get(run.size() - 1).endOffset(),
        aborted,
        last.epochs(),
        snapshotFile);
  }

  private CompletableFuture<ManifestView> name(
      List<SegmentEntry> run, UploadedSegment uploaded, Compaction progress) {
    long before = writer.view().version();
    return CompletableFuture.completedFuture(uploaded)
        .thenCompose(put -> writer.replace(new Replacement(run, List.of(put), progress)))
        .thenApplyAsync(
            view -> {
              rewriting.uploader().committed(uploaded);
              return view;
            },
            rewriting.executor())
        .exceptionallyCompose(failure -> refused(failure, uploaded, before));
  }

  /**
   * A refusal, of which nothing is open any more, leaves no object behind: it would lie there until
   * its intent is resolved, and one more with each try. But it may have been refused the second
   * time, after it was named unnoticed the first, or nobody can tell now: then its intent is
   * decided by the view that is read for it. Every other failure leaves the outcome open.
   *
   * @param before number of the version that was newest before the object could be named
   */
  private CompletableFuture<ManifestView> refused(
      Throwable failure, UploadedSegment uploaded, long before) {
    Throwable inner = failure instanceof CompletionException ? failure.getCause() : null;
    Throwable cause = inner == null ? failure : inner;
    if (!(cause instanceof IllegalArgumentException || cause instanceof IllegalStateException)) {
      rewriting.uploader().leave(uploaded, writer.view().version());
      return CompletableFuture.failedFuture(failure);
    }
    ManifestView view = writer.view();
    CompletableFuture<Boolean> unnamed =
        view.version() == before
            ? CompletableFuture.completedFuture(true)
            : CompletableFuture.completedFuture(view)
                .thenCompose(seen -> unnamed(seen, uploaded.entry()));
    return unnamed
        .exceptionally(unknown -> false)
        .thenCompose(
            gone -> {
              if (gone) {
                return rewriting.uploader().abandon(uploaded);
              }
              rewriting.uploader().leave(uploaded, before);
              return CompletableFuture.completedFuture(null);
            })
        .handle((done, open) -> null) // what stays open is resolved with its intent
        .thenCompose(done -> CompletableFuture.failedFuture(failure));
  }

  /** Neither held nor retired: never named, or retired, deleted and forgotten since. */
  private static CompletableFuture<Boolean> unnamed(ManifestView view, SegmentEntry entry) {
    return view.find(entry.baseOffset())
        .thenCombine(
            view.retired(Integer.MAX_VALUE),
            (held, retired) ->
                held.filter(there -> there.object().equals(entry.object())).isEmpty()
                    && retired.stream().noneMatch(r -> r.entry().object().equals(entry.object())));
  }
}
