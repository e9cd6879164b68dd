package io.strandline.tiering.mount;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.upload.UploadedSegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Takes another partition's segments over into an empty manifest, by name: the objects stay where
 * they are and as they are. Begun again where it stopped. To be done by the partition's leader
 * before it serves, so that nothing was appended yet.
 */
public final class Adoption {
  /** At most so many segments in one version: as many as a head holds without a page. */
  private static final int PAGE = 100;

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
    long from = view.segmentCount() == 0 ? source.startOffset() : view.endOffset();
    return done(view)
        .thenCompose(
            all -> all ? CompletableFuture.completedFuture(view) : goOn(writer, source, from));
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
