package io.strandline.tiering.manifest.index;

import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Looks for the segment with the largest timestamp, the first of such, best page first: what a page
 * says of all below it is right, except where segments below the start still stand in it. Costs at
 * most two GETs a level.
 */
public final class NewestSegment {
  /** What is still in question, in order of offsets: a segment or a page. */
  private record Candidate(
      long maxTimestamp, @Nullable PageRef page, @Nullable SegmentEntry segment) {
    static Candidate of(PageRef page) {
      return new Candidate(page.maxTimestamp(), page, null);
    }

    static Candidate of(SegmentEntry segment) {
      return new Candidate(segment.maxTimestamp(), null, segment);
    }
  }

  private final long startOffset;
  private final Function<PageRef, CompletableFuture<IndexPage>> loader;

  private NewestSegment(long startOffset, Function<PageRef, CompletableFuture<IndexPage>> loader) {
    this.startOffset = startOffset;
    this.loader = loader;
  }

  /** Nothing if no segment from the start on has a timestamp. */
  public static CompletableFuture<Optional<SegmentEntry>> in(
      TierIndex index, long startOffset, Function<PageRef, CompletableFuture<IndexPage>> loader) {
    NewestSegment search = new NewestSegment(startOffset, loader);
    return search.best(search.candidates(index.pages(), index.segments()));
  }

  private List<Candidate> candidates(List<PageRef> pages, List<SegmentEntry> segments) {
    List<Candidate> candidates = new ArrayList<>();
    pages.stream()
        .filter(page -> page.endOffset() > startOffset)
        .forEach(page -> candidates.add(Candidate.of(page)));
    segments.stream()
        .filter(segment -> segment.endOffset() > startOffset)
        .forEach(segment -> candidates.add(Candidate.of(segment)));
    return candidates;
  }

  private CompletableFuture<Optional<SegmentEntry>> best(List<Candidate> candidates) {
    int best = -1;
    for (int at = 0; at < candidates.size(); at++) {
      long timestamp = candidates.get(at).maxTimestamp();
      if (timestamp >= 0 && (best < 0 || timestamp > candidates.get(best).maxTimestamp())) {
        best = at;
      }
    }
    if (best < 0) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    PageRef page = candidates.get(best).page();
    if (page == null) {
      return CompletableFuture.completedFuture(Optional.ofNullable(candidates.get(best).segment()));
    }
    int place = best;
    return loader
        .apply(page)
        .thenCompose(
            read -> {
              List<Candidate> closer = new ArrayList<>(candidates.subList(0, place));
              closer.addAll(candidates(read.pages(), read.segments()));
              closer.addAll(candidates.subList(place + 1, candidates.size()));
              return best(closer);
            });
  }
}
