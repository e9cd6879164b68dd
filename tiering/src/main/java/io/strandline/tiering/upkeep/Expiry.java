package io.strandline.tiering.upkeep;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.reclaim.Retention;
import io.strandline.tiering.seal.SealedSegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Moves the log start past what {@code retention.ms} and {@code retention.bytes} let go. */
public final class Expiry implements Chore {
  private static final int PAGE = 1024;

  private final Upkept upkept;
  private final Consumer<ManifestView> progress;
  private final long everyMs;

  /**
   * @param progress told of each new version
   */
  public Expiry(Upkept upkept, Consumer<ManifestView> progress, long everyMs) {
    this.upkept = upkept;
    this.progress = progress;
    this.everyMs = everyMs;
  }

  @Override
  public String name() {
    return "expiry";
  }

  @Override
  public boolean afterCommit() {
    return true;
  }

  @Override
  public long pauseMs(int done) {
    return done >= Retention.SEGMENTS_MAX ? 0 : everyMs;
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    ManifestView view = writer.view();
    return CompletableFuture.supplyAsync(() -> untieredBytes(view), upkept.disk())
        .thenCompose(
            bytes ->
                Retention.startOffset(
                    view, upkept.policy().get(), bytes, upkept.clockMs().getAsLong()))
        .thenCompose(
            start ->
                left.getAsBoolean() || start <= view.startOffset()
                    ? CompletableFuture.completedFuture(0)
                    : moveStart(writer, start));
  }

  /** First the log, so that no reader is sent for what is going; then the tier. */
  private CompletableFuture<Integer> moveStart(ManifestWriter writer, long start) {
    int before = writer.view().segmentCount();
    return CompletableFuture.runAsync(() -> upkept.local().advanceLogStart(start), upkept.disk())
        .thenCompose(moved -> writer.advanceStart(start))
        .thenApply(
            view -> {
              progress.accept(view);
              return before - view.segmentCount();
            });
  }

  /** The active segment counts too, as it does in Kafka. */
  private long untieredBytes(ManifestView view) {
    if (upkept.policy().get().retentionBytes() < 0) {
      return 0;
    }
    LocalSegments local = upkept.local();
    long from = local.localLogStartOffset();
    long tieredToo = 0;
    while (from < view.endOffset()) {
      List<SealedSegment> page = upkept.source().sealedSegments(from, Long.MAX_VALUE, PAGE);
      // One at the seam, cut otherwise by an earlier leader, counts as tiered: the lesser evil.
      for (SealedSegment segment : page) {
        tieredToo += segment.baseOffset() < view.endOffset() ? segment.logBytes() : 0;
      }
      if (page.size() < PAGE) {
        break;
      }
      from = page.get(PAGE - 1).endOffset();
    }
    return Math.max(0, local.sizeBytes() - tieredToo);
  }
}
