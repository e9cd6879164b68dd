package io.strandline.tiering.manifest;

import static io.strandline.tiering.manifest.ManifestBench.GRACE;
import static io.strandline.tiering.manifest.ManifestBench.KEPT;
import static io.strandline.tiering.manifest.ManifestBench.PARTITION;
import static io.strandline.tiering.manifest.ManifestBench.entry;
import static io.strandline.tiering.manifest.ManifestBench.segments;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.manifest.ManifestConfig.Fencing;
import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.upload.UploadedSegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a manifest promises, whichever conditional write it rests on. */
abstract class ManifestContract {
  final ManifestBench bench = new ManifestBench(fencing());

  abstract Fencing fencing();

  @Test
  void nothingCommittedIsAnEmptyView() {
    ManifestView view = bench.view();

    assertThat(view.version()).isZero();
    assertThat(view.leaderEpoch()).isEqualTo(-1);
    assertThat(view.find(0).join()).isEmpty();
  }

  @Test
  void whatIsAddedIsFoundByOffsetAndByTime() {
    List<CommittedSegment> committed = bench.writer(4).add(segments(100, 3)).join();

    ManifestView view = bench.view();
    assertThat(committed).extracting(c -> c.entry().baseOffset()).containsExactly(100L, 110L, 120L);
    assertThat(view.leaderEpoch()).isEqualTo(4);
    assertThat(List.of(view.startOffset(), view.endOffset())).containsExactly(100L, 130L);
    assertThat(view.segmentCount()).isEqualTo(3);
    assertThat(view.sizeBytes()).isEqualTo(3000);
    assertThat(view.find(119).join()).contains(entry(110, 120));
    assertThat(view.find(130).join()).isEmpty();
    assertThat(view.find(99).join()).isEmpty();
    assertThat(view.from(105, 2).join()).containsExactly(entry(100, 110), entry(110, 120));
    assertThat(view.firstReaching(1101).join()).contains(entry(110, 120));
    assertThat(view.firstReaching(1301).join()).isEmpty();
  }

  @Test
  void addingTwiceCommitsOnce() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 3)).join();
    long version = writer.view().version();

    List<CommittedSegment> again = writer.add(segments(10, 2)).join();

    assertThat(again).extracting(CommittedSegment::entry).contains(entry(20, 30));
    assertThat(writer.view().version()).isEqualTo(version);
    assertThat(writer.committed(10, 9).join()).hasSize(2);
  }

  @Test
  void whatDoesNotContinueIsRefused() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 1)).join();

    assertThatThrownBy(() -> writer.add(segments(20, 1)).join())
        .hasCauseInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.add(List.of(new UploadedSegment(entry(0, 20)))).join())
        .hasCauseInstanceOf(IllegalArgumentException.class);
    assertThat(writer.add(segments(10, 1)).join()).hasSize(1);
  }

  @Test
  void aHigherEpochStopsTheLowerForGood() {
    ManifestWriter old = bench.writer(1);
    old.add(segments(0, 1)).join();
    ManifestWriter young = bench.writer(2);

    assertThatThrownBy(() -> old.add(segments(10, 1)).join())
        .hasCauseInstanceOf(FencedException.class);
    assertThatThrownBy(() -> old.retired(1).join()).hasCauseInstanceOf(FencedException.class);
    assertThatThrownBy(() -> bench.writer(1)).hasCauseInstanceOf(FencedException.class);
    assertThat(young.add(segments(10, 1)).join()).hasSize(1);
    assertThat(bench.view().endOffset()).isEqualTo(20);
  }

  @Test
  void acquiringRaisesTheEpochAtOnce() {
    bench.writer(5);

    assertThat(bench.view().leaderEpoch()).isEqualTo(5);
  }

  @Test
  void twoWritersOfOneEpochDoNotLoseEachOthersWork() {
    ManifestWriter one = bench.writer(1);
    ManifestWriter two = bench.writer(1);
    one.add(segments(0, 1)).join();

    assertThat(two.add(segments(0, 2)).join()).hasSize(2);
    assertThat(one.add(segments(0, 3)).join()).hasSize(3);
    assertThat(bench.view().segmentCount()).isEqualTo(3);
  }

  @Test
  void retiredSegmentsAreGivenOutAfterTheGraceAndForgotten() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 5)).join();
    writer.advanceStart(25).join();

    assertThat(bench.view().segmentCount()).isEqualTo(3);
    assertThat(bench.view().startOffset()).isEqualTo(25);
    assertThat(bench.view().find(24).join()).isEmpty();
    assertThat(bench.view().find(25).join()).contains(entry(20, 30));
    assertThat(writer.retired(9).join()).isEmpty();

    bench.pass(GRACE.plus(GRACE.dividedBy(8)));
    List<RetiredSegment> retired = writer.retired(9).join();
    assertThat(retired)
        .extracting(RetiredSegment::entry)
        .containsExactly(entry(0, 10), entry(10, 20));
    writer.forget(retired.subList(0, 1)).join();
    assertThat(writer.retired(9).join()).hasSize(1);
  }

  @Test
  void aStartBeyondTheEndEmptiesTheTierAndTheNextSegmentMayBeginBelowIt() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 2)).join();
    writer.advanceStart(35).join();
    assertThat(bench.view().segmentCount()).isZero();
    assertThat(bench.view().endOffset()).isEqualTo(35);

    writer.add(segments(30, 1)).join();

    assertThat(bench.view().startOffset()).isEqualTo(35);
    assertThat(bench.view().find(34).join()).isEmpty();
    assertThat(bench.view().find(35).join()).contains(entry(30, 40));
    assertThatThrownBy(() -> writer.add(segments(50, 1)).join())
        .hasCauseInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void deletionIsTerminalButLetsTheDeadBeForgotten() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 2)).join();
    writer.delete().join();

    assertThat(bench.view().deleted()).isTrue();
    assertThat(bench.view().segmentCount()).isZero();
    assertThatThrownBy(() -> writer.add(segments(20, 1)).join())
        .hasCauseInstanceOf(IllegalStateException.class);
    bench.pass(GRACE.multipliedBy(2));
    ManifestWriter sweeper = bench.writer(2);
    sweeper.forget(sweeper.retired(9).join()).join();
    assertThat(sweeper.retired(9).join()).isEmpty();
    assertThat(bench.view().deleted()).isTrue();
  }

  @Test
  void aCommitWhoseAnswerIsLostIsRecognised() {
    ManifestWriter writer = bench.writer(1);
    bench.once(bench.commit(false), Fault.Kind.LOST_ANSWER);

    assertThat(writer.add(segments(0, 1)).join()).hasSize(1);
    assertThat(bench.view().version()).isEqualTo(2);
  }

  @Test
  void aCommitCarriedOutTwiceIsRecognised() {
    ManifestWriter writer = bench.writer(1);
    bench.once(bench.commit(false), Fault.Kind.REPEATED);

    assertThat(writer.add(segments(0, 1)).join()).hasSize(1);
    assertThat(bench.view().version()).isEqualTo(2);
  }

  @Test
  void aCommitThatNeverArrivedFailsAndTheNextOneGoesOn() {
    ManifestWriter writer = bench.writer(1);
    bench.once(bench.commit(false), Fault.Kind.LOST_REQUEST);

    assertThatThrownBy(() -> writer.add(segments(0, 1)).join())
        .hasCauseInstanceOf(StoreException.Unavailable.class);
    assertThat(writer.committed(0, 9).join()).isEmpty();
    assertThat(writer.add(segments(0, 1)).join()).hasSize(1);
  }

  @Test
  void aWriterThatSleptThroughTheCollectionOfVersionsIsStopped() {
    ManifestWriter sleeper = bench.writer(1);
    sleeper.add(segments(0, 1)).join();
    ManifestWriter other = bench.writer(2);
    for (int i = 1; i < 40; i++) {
      other.add(segments(i * 10L, 1)).join();
      bench.pass(KEPT.dividedBy(8));
    }

    assertThatThrownBy(() -> sleeper.add(segments(10, 1)).join())
        .hasCauseInstanceOf(FencedException.class);
    assertThat(bench.view().leaderEpoch()).isEqualTo(2);
    assertThat(bench.view().endOffset()).isEqualTo(400);
  }

  @Test
  void randomWorkAgreesWithAListAndLeavesNothingBehind() {
    for (int seed = 0; seed < 6; seed++) {
      new RandomWork(new ManifestBench(fencing()), new Random(seed)).run(400);
    }
  }

  /** Adds, retires and forgets at random, and compares what is found with a plain list. */
  private static final class RandomWork {
    private final ManifestBench bench;
    private final Random random;
    private final ManifestWriter writer;
    private final List<SegmentEntry> held = new ArrayList<>();
    private final List<SegmentEntry> retired = new ArrayList<>();
    private long start;
    private long end;

    RandomWork(ManifestBench bench, Random random) {
      this.bench = bench;
      this.random = random;
      this.writer = bench.writer(1);
    }

    void run(int steps) {
      for (int i = 0; i < steps; i++) {
        switch (random.nextInt(8)) {
          case 0, 1, 2, 3 -> add(1 + random.nextInt(random.nextInt(20) == 0 ? 900 : 20));
          case 4, 5 -> advance(start + random.nextInt((int) (end - start) / 3 + 2));
          case 6 -> forget(1 + random.nextInt(40));
          default -> bench.pass(GRACE.dividedBy(1 + random.nextInt(20)));
        }
        if (i % 10 == 0) {
          check();
        }
      }
      drain();
    }

    private void add(int count) {
      List<UploadedSegment> more = segments(end, count);
      writer.add(more).join();
      more.forEach(segment -> held.add(segment.entry()));
      end += count * 10L;
    }

    private void advance(long to) {
      writer.advanceStart(to).join();
      start = Math.max(start, to);
      end = Math.max(end, to);
      while (!held.isEmpty() && held.get(0).endOffset() <= start) {
        retired.add(held.remove(0));
      }
    }

    private void forget(int max) {
      List<RetiredSegment> due = writer.retired(max).join();
      assertThat(retired.subList(0, due.size()))
          .isEqualTo(due.stream().map(RetiredSegment::entry).toList());
      writer.forget(due).join();
      retired.subList(0, due.size()).clear();
    }

    private void check() {
      ManifestView view = bench.view();
      assertThat(view.from(0, Integer.MAX_VALUE).join()).isEqualTo(held);
      assertThat(view.segmentCount()).isEqualTo(held.size());
      assertThat(view.sizeBytes()).isEqualTo(held.size() * 1000L);
      assertThat(List.of(view.startOffset(), view.endOffset())).containsExactly(start, end);
      if (!held.isEmpty()) {
        SegmentEntry any = held.get(random.nextInt(held.size()));
        assertThat(view.find(Math.max(start, any.baseOffset())).join()).contains(any);
        assertThat(view.firstReaching(any.maxTimestamp()).join()).contains(any);
      }
    }

    private void drain() {
      writer.advanceStart(end).join();
      bench.pass(GRACE.multipliedBy(2));
      List<RetiredSegment> due = writer.retired(Integer.MAX_VALUE).join();
      writer.forget(due).join();
      check(Optional.of(due));
      for (int i = 0; i < 300; i++) {
        bench.pass(KEPT.dividedBy(100));
        add(1);
      }
      assertThat(bench.keys(ManifestKeys.versionPrefix(PARTITION)).size()).isLessThan(130);
      Set<Object> pages = new HashSet<>(bench.keys(ManifestKeys.pagePrefix(PARTITION)));
      assertThat(pages.size()).isLessThan(20);
    }

    private void check(Optional<List<RetiredSegment>> due) {
      retired.addAll(held);
      held.clear();
      assertThat(due.orElseThrow()).extracting(RetiredSegment::entry).isEqualTo(retired);
      retired.clear();
      start = end;
    }
  }
}
