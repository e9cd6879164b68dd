package io.strandline.tiering.mount;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.upload.UploadedSegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Takes another partition's segments over into an empty manifest, by name: the objects stay where
 * they are and as they are. Begun again where it stopped, or, if the source has put others into
 * their place meanwhile, from the beginning. To be done by the partition's leader before it serves,
 * so that nothing was appended yet.
 */
public final class Adoption {
  /** At most so many segments in one version: as many as a head holds without a page. */
  private static final int PAGE = 100;

  /** And so many at a time are compared: the steps of a comparison stand on one stack. */
  private static final int STRETCH = 4096;

  /** How what was named before stands to what the source names now. */
  private enum Standing {
    /** The same, and the source goes on where it ends. */
    CONTINUED,
    /** The source names others: what was named is going to be deleted there, or is no prefix. */
    REPLACED,
    /** All was named once, and the partition served: what was done here since must stay. */
    SERVED
  }

  private Adoption() {}

  /**
   * Whether all was taken over, so that the source need not be there any more: the partition has
   * segments of its own, or copies, or what retention left of them.
   */
  public static CompletableFuture<Boolean> done(ManifestView view) {
    if (view.segmentCount() == 0) {
      return CompletableFuture.completedFuture(view.endOffset() > 0);
    }
    return view.from(view.endOffset() - 1, 1)
        .thenApply(last -> last.get(0).appendedTo(view.partition()));
  }

  /**
   * Names all that {@code source} holds; if that is nothing any more, begins where it ended.
   *
   * @return the version that does; nothing changes once the partition has segments of its own, or
   *     retention emptied it
   */
  public static CompletableFuture<ManifestView> adopt(ManifestWriter writer, ManifestView source) {
    ManifestView view = writer.view();
    if (source.endOffset() == 0) {
      return CompletableFuture.completedFuture(view);
    }
    return done(view)
        .thenCompose(
            all -> all ? CompletableFuture.completedFuture(view) : begin(writer, view, source));
  }

  private static CompletableFuture<ManifestView> begin(
      ManifestWriter writer, ManifestView view, ManifestView source) {
    if (view.segmentCount() == 0 || source.segmentCount() == 0) {
      return goOn(writer, source, source.startOffset());
    }
    return standing(view, source)
        .thenCompose(
            standing ->
                switch (standing) {
                  case CONTINUED -> goOn(writer, source, view.endOffset());
                  case SERVED -> CompletableFuture.completedFuture(view);
                  // To 0, where nothing counts as taken over, should this stop again.
                  case REPLACED ->
                      writer
                          .drop(0)
                          .thenCompose(dropped -> goOn(writer, source, source.startOffset()));
                });
  }

  /** Costs the pages of both indexes, but only where a log begins that has nothing of its own. */
  private static CompletableFuture<Standing> standing(ManifestView view, ManifestView source) {
    long from = Math.max(view.startOffset(), source.startOffset());
    boolean moved = view.startOffset() > source.startOffset();
    boolean apart = from > view.endOffset() || view.endOffset() > source.endOffset();
    return differs(view, source, from, apart)
        .thenApply(
            differs ->
                !differs.orElse(true)
                    ? Standing.CONTINUED
                    : differs.isEmpty() || moved ? Standing.SERVED : Standing.REPLACED);
  }

  /** Nothing if some are copies in this cluster's store: they are made once all are named. */
  private static CompletableFuture<Optional<Boolean>> differs(
      ManifestView view, ManifestView source, long from, boolean before) {
    if (from >= view.endOffset()) {
      return CompletableFuture.completedFuture(Optional.of(before));
    }
    return view.from(from, STRETCH)
        .thenCompose(
            mine ->
                mine.stream().anyMatch(entry -> entry.appendedTo(view.partition()))
                    ? CompletableFuture.completedFuture(Optional.<Boolean>empty())
                    : source
                        .from(from, STRETCH)
                        .thenCompose(
                            theirs ->
                                differs(view, source, end(mine), before || !begins(theirs, mine))));
  }

  private static boolean begins(List<SegmentEntry> all, List<SegmentEntry> with) {
    if (all.size() < with.size()) {
      return false;
    }
    for (int i = 0; i < with.size(); i++) {
      SegmentEntry a = all.get(i);
      SegmentEntry b = with.get(i);
      if (!a.object().equals(b.object())
          || a.positionBytes() != b.positionBytes()
          || a.endOffset() != b.endOffset()) {
        return false;
      }
    }
    return true;
  }

  private static CompletableFuture<ManifestView> goOn(
      ManifestWriter writer, ManifestView source, long from) {
    if (source.segmentCount() == 0 || from >= source.endOffset()) {
      return writer.advanceStart(source.startOffset());
    }
    return source
        .from(from, PAGE)
        .thenCompose(
            page ->
                writer
                    .add(page.stream().map(UploadedSegment::new).toList())
                    .thenCompose(added -> goOn(writer, source, end(page))));
  }

  private static long end(List<SegmentEntry> page) {
    return page.get(page.size() - 1).endOffset();
  }
}
