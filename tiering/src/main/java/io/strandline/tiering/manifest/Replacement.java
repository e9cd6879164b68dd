package io.strandline.tiering.manifest;

import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.upload.UploadedSegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One step of compaction or merging: segments in the place of others that cover the same offsets,
 * and how far compaction has come with it.
 *
 * @param replaced a dense run, in order of offsets, exactly as the manifest names it
 * @param by covers the same offsets densely, in other objects; empty only together with {@code
 *     replaced}: progress alone
 */
public record Replacement(
    List<SegmentEntry> replaced, List<UploadedSegment> by, Compaction compaction) {
  public Replacement {
    replaced = List.copyOf(replaced);
    by = List.copyOf(by);
    List<SegmentEntry> fresh = entries(by);
    if (replaced.isEmpty() != fresh.isEmpty()
        || !dense(replaced)
        || !dense(fresh)
        || (!replaced.isEmpty()
            && (first(replaced) != first(fresh) || end(replaced) != end(fresh)))) {
      throw new IllegalArgumentException(
          replaced.size() + " segments are not the place of " + fresh.size());
    }
    Set<ObjectKey> objects = new HashSet<>();
    replaced.forEach(entry -> objects.add(entry.object()));
    if (fresh.stream().anyMatch(entry -> objects.contains(entry.object()))) {
      throw new IllegalArgumentException("an object takes its own place at " + first(fresh));
    }
  }

  /** No segment changes. */
  public static Replacement progress(Compaction compaction) {
    return new Replacement(List.of(), List.of(), compaction);
  }

  List<SegmentEntry> entries() {
    return entries(by);
  }

  private static List<SegmentEntry> entries(List<UploadedSegment> uploaded) {
    return uploaded.stream().map(UploadedSegment::entry).toList();
  }

  private static boolean dense(List<SegmentEntry> run) {
    for (int i = 1; i < run.size(); i++) {
      if (run.get(i).baseOffset() != run.get(i - 1).endOffset()) {
        return false;
      }
    }
    return true;
  }

  private static long first(List<SegmentEntry> run) {
    return run.get(0).baseOffset();
  }

  private static long end(List<SegmentEntry> run) {
    return run.get(run.size() - 1).endOffset();
  }
}
