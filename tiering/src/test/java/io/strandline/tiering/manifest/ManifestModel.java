package io.strandline.tiering.manifest;

import static io.strandline.tiering.manifest.ManifestBench.GRACE;
import static io.strandline.tiering.manifest.ManifestBench.KEPT;
import static io.strandline.tiering.manifest.ManifestBench.PARTITION;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.upload.UploadedSegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/** A manifest beside plain lists of what it must hold: adds, replaces, retires and forgets. */
final class ManifestModel {
  private final ManifestBench bench;
  private final Random random;
  private final ManifestWriter writer;
  private final List<SegmentEntry> held = new ArrayList<>();
  private final Set<SegmentEntry> retired = new HashSet<>();
  private Compaction compaction = Compaction.NONE;
  private int serial;
  private long start;
  private long end;

  ManifestModel(ManifestBench bench, Random random) {
    this.bench = bench;
    this.random = random;
    this.writer = bench.writer(1);
  }

  /**
   * @param kind from 0 to 11
   * @param size at most so many segments at once
   */
  void act(int kind, int size) {
    switch (kind) {
      case 0, 1, 2, 3 -> add(1 + random.nextInt(size));
      case 4, 5 -> advance(start + random.nextInt((int) (end - start) / 3 + 2));
      case 6 -> forget(1 + random.nextInt(size * 2));
      case 7, 8, 9 -> replace(1 + random.nextInt(size * 2));
      case 10 -> progress();
      default -> bench.pass(GRACE.dividedBy(1 + random.nextInt(20)));
    }
  }

  private void add(int count) {
    List<UploadedSegment> more = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      more.add(segment(end + i * 10L, end + i * 10L + 10));
    }
    writer.add(more).join();
    more.forEach(segment -> held.add(segment.entry()));
    end += count * 10L;
  }

  private void advance(long to) {
    writer.advanceStart(to).join();
    start = Math.max(start, to);
    end = Math.max(end, to);
    compaction = compaction.within(start, end);
    while (!held.isEmpty() && held.get(0).endOffset() <= start) {
      retired.add(held.remove(0));
    }
  }

  private void forget(int max) {
    List<RetiredSegment> due = writer.retired(max).join();
    due.forEach(segment -> assertThat(retired.remove(segment.entry())).isTrue());
    writer.forget(due).join();
  }

  private void replace(int max) {
    if (held.isEmpty()) {
      return;
    }
    int from = random.nextInt(held.size());
    int to = Math.min(held.size(), from + max);
    List<SegmentEntry> run = List.copyOf(held.subList(from, to));
    List<UploadedSegment> by = merged(run, 1 + random.nextInt(run.size()));
    writer.replace(new Replacement(run, by, compaction)).join();
    retired.addAll(run);
    held.subList(from, to).clear();
    held.addAll(from, by.stream().map(UploadedSegment::entry).toList());
  }

  private List<UploadedSegment> merged(List<SegmentEntry> run, int pieces) {
    List<UploadedSegment> by = new ArrayList<>();
    for (int i = 0; i < pieces; i++) {
      int first = run.size() * i / pieces;
      int last = run.size() * (i + 1) / pieces - 1;
      by.add(segment(run.get(first).baseOffset(), run.get(last).endOffset()));
    }
    return by;
  }

  /** Of a few timestamps only, so that some are equal, and sometimes of none. */
  private UploadedSegment segment(long base, long end) {
    return ManifestBench.segment(base, end, random.nextInt(40) - 1, serial++);
  }

  private void progress() {
    long cleaned = random.nextLong(compaction.cleanedOffset(), end + 1);
    long roundEnd = random.nextLong(end + 1);
    compaction = new Compaction(cleaned, roundEnd, random.nextLong(roundEnd + 1));
    writer.replace(Replacement.progress(compaction)).join();
    compaction = compaction.within(start, end);
  }

  /** Compares all that a reader can see. */
  void check() {
    ManifestView view = bench.view();
    assertThat(view.from(0, Integer.MAX_VALUE).join()).isEqualTo(held);
    assertThat(view.segmentCount()).isEqualTo(held.size());
    assertThat(view.sizeBytes())
        .isEqualTo(held.stream().mapToLong(SegmentEntry::lengthBytes).sum());
    assertThat(List.of(view.startOffset(), view.endOffset())).containsExactly(start, end);
    assertThat(view.retiredCount()).isEqualTo(retired.size());
    assertThat(view.compaction()).isEqualTo(compaction);
    assertThat(entries(view.retired(Integer.MAX_VALUE).join()))
        .hasSize(retired.size())
        .allMatch(retired::contains);
    if (!held.isEmpty()) {
      SegmentEntry any = held.get(random.nextInt(held.size()));
      assertThat(view.find(Math.max(start, any.baseOffset())).join()).contains(any);
    }
    int timestampMs = random.nextInt(41);
    assertThat(view.firstReaching(timestampMs).join()).isEqualTo(firstReaching(timestampMs));
    long newest = held.stream().mapToLong(SegmentEntry::maxTimestamp).max().orElse(-1);
    assertThat(view.maxTimestampSegment().join())
        .isEqualTo(newest < 0 ? Optional.empty() : firstReaching(newest));
  }

  private Optional<SegmentEntry> firstReaching(long timestampMs) {
    return held.stream().filter(entry -> entry.maxTimestamp() >= timestampMs).findFirst();
  }

  private static List<SegmentEntry> entries(List<RetiredSegment> segments) {
    return segments.stream().map(RetiredSegment::entry).toList();
  }

  /** Empties the tier; in the end neither old versions nor unused pages are left. */
  void drain() {
    check();
    advance(end);
    bench.pass(GRACE.multipliedBy(2));
    forget(Integer.MAX_VALUE);
    assertThat(retired).isEmpty();
    for (int i = 0; i < 300; i++) {
      bench.pass(KEPT.dividedBy(100));
      add(1);
    }
    check();
    assertThat(bench.keys(ManifestKeys.versionPrefix(PARTITION)).size()).isLessThan(130);
    assertThat(bench.keys(ManifestKeys.pagePrefix(PARTITION)).size()).isLessThan(20);
  }
}
