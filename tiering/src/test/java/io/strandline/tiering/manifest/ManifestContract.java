package io.strandline.tiering.manifest;

import static io.strandline.tiering.manifest.ManifestBench.GRACE;
import static io.strandline.tiering.manifest.ManifestBench.KEPT;
import static io.strandline.tiering.manifest.ManifestBench.compacted;
import static io.strandline.tiering.manifest.ManifestBench.entry;
import static io.strandline.tiering.manifest.ManifestBench.segments;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.manifest.ManifestConfig.Fencing;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.upload.UploadedSegment;
import java.time.Duration;
import java.util.List;
import java.util.Random;
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
  void whatAClockThatWasAheadRetiredWaitsForItsGraceAndNotForThatTime() {
    ManifestWriter ahead = bench.writer(1, Duration.ofDays(365));
    ahead.add(segments(0, 5)).join();
    ahead.advanceStart(25).join();
    ManifestWriter writer = bench.writer(2);
    writer.advanceStart(35).join();
    bench.pass(GRACE.minusMillis(1));
    assertThat(writer.retired(9).join()).isEmpty();
    bench.pass(GRACE.dividedBy(8).plusMillis(1));
    assertThat(writer.retired(9).join())
        .extracting(RetiredSegment::entry)
        .containsExactly(entry(0, 10), entry(10, 20), entry(20, 30));
  }

  @Test
  void aClockThatIsBehindShortensNoGraceThatRuns() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 5)).join();
    writer.advanceStart(25).join();
    bench.writer(2, Duration.ofDays(-365)).add(segments(50, 1)).join();
    ManifestWriter next = bench.writer(3);
    bench.pass(GRACE.minusMillis(1));
    assertThat(next.retired(9).join()).isEmpty();
    bench.pass(GRACE.dividedBy(8).plusMillis(1));
    assertThat(next.retired(9).join()).hasSize(2);
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
  void segmentsTakeThePlaceOfOthers() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 6)).join();
    ManifestView before = bench.view();

    Compaction half = new Compaction(0, 60, 40);
    writer.replace(replacement(10, 40, half, compacted(10, 30, 1), compacted(30, 40, 2))).join();

    ManifestView view = bench.view();
    assertThat(view.from(0, 9).join())
        .containsExactly(
            entry(0, 10),
            compacted(10, 30, 1).entry(),
            compacted(30, 40, 2).entry(),
            entry(40, 50),
            entry(50, 60));
    assertThat(List.of(view.startOffset(), view.endOffset())).containsExactly(0L, 60L);
    assertThat(view.segmentCount()).isEqualTo(5);
    assertThat(view.sizeBytes()).isEqualTo(3 * 1000 + 701 + 702);
    assertThat(view.compaction()).isEqualTo(half);
    assertThat(before.find(25).join()).as("an older view").contains(entry(20, 30));
    assertThat(view.retired(9).join())
        .extracting(RetiredSegment::entry)
        .containsExactly(entry(10, 20), entry(20, 30), entry(30, 40));
    assertThat(writer.retired(9).join()).as("within the grace").isEmpty();
    bench.pass(GRACE.plus(GRACE.dividedBy(8)));
    writer.forget(writer.retired(9).join()).join();
    assertThat(bench.view().retired(9).join()).isEmpty();
  }

  @Test
  void whatIsNoLongerNamedIsNotReplaced() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 6)).join();
    writer.replace(replacement(10, 30, Compaction.NONE, compacted(10, 30, 1))).join();
    writer.advanceStart(10).join();
    long version = writer.view().version();

    List<Replacement> late =
        List.of(
            replacement(20, 40, Compaction.NONE, compacted(20, 40, 2)),
            replacement(0, 20, Compaction.NONE, compacted(0, 20, 3)),
            replacement(50, 70, Compaction.NONE, compacted(50, 70, 4)));
    for (Replacement replacement : late) {
      assertThatThrownBy(() -> writer.replace(replacement).join())
          .hasCauseInstanceOf(IllegalArgumentException.class);
    }
    assertThat(writer.view().version()).isEqualTo(version);
    assertThat(writer.add(segments(60, 1)).join()).hasSize(1);
  }

  @Test
  void replacingTwiceCommitsOnce() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 6)).join();
    Replacement merge = replacement(0, 60, Compaction.cleanBelow(60), compacted(0, 60, 1));
    writer.replace(merge).join();
    long version = writer.view().version();

    assertThat(writer.replace(merge).join().version()).isEqualTo(version);
    assertThat(bench.view().segmentCount()).isEqualTo(1);
  }

  @Test
  void aReplacementThatCameThroughLateIsRecognised() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 2)).join();
    Replacement first = replacement(0, 20, Compaction.NONE, compacted(0, 20, 1));
    Replacement second = replacement(0, 20, Compaction.NONE, compacted(0, 20, 2));
    ManifestWriter other = bench.writer(1);
    other.replace(first).join();

    // The other stands for an attempt of one's own that was given up and arrived late.
    assertThatThrownBy(() -> writer.replace(second).join())
        .hasCauseInstanceOf(StoreException.Unavailable.class);
    assertThatThrownBy(() -> writer.replace(second).join())
        .hasCauseInstanceOf(IllegalArgumentException.class);
    assertThat(bench.view().from(0, 9).join()).containsExactly(compacted(0, 20, 1).entry());
  }

  @Test
  void aReplacementWhoseAnswerIsLostIsRecognised() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 2)).join();
    bench.once(bench.commit(false), Fault.Kind.LOST_ANSWER);

    writer.replace(replacement(0, 20, Compaction.NONE, compacted(0, 20, 1))).join();

    assertThat(bench.view().segmentCount()).isEqualTo(1);
    assertThat(bench.view().retired(9).join()).hasSize(2);
  }

  @Test
  void progressOfCompactionFollowsTheStartAndNeverFallsBack() {
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 10)).join();
    writer.replace(Replacement.progress(new Compaction(30, 80, 50))).join();

    assertThat(bench.view().compaction()).isEqualTo(new Compaction(30, 80, 50));
    assertThat(bench.writer(2).view().compaction()).isEqualTo(new Compaction(30, 80, 50));
    ManifestWriter next = bench.writer(3);
    for (Compaction wrong : List.of(Compaction.cleanBelow(20), Compaction.cleanBelow(101))) {
      assertThatThrownBy(() -> next.replace(Replacement.progress(wrong)).join())
          .hasCauseInstanceOf(IllegalArgumentException.class);
    }
    next.advanceStart(60).join();
    assertThat(bench.view().compaction()).isEqualTo(new Compaction(60, 80, 60));
    next.delete().join();
    assertThat(bench.view().compaction()).isEqualTo(Compaction.cleanBelow(100));
  }

  private static Replacement replacement(
      long from, long to, Compaction compaction, UploadedSegment... by) {
    List<SegmentEntry> replaced =
        segments(from, (int) (to - from) / 10).stream().map(UploadedSegment::entry).toList();
    return new Replacement(replaced, List.of(by), compaction);
  }

  @Test
  void randomWorkAgreesWithAListAndLeavesNothingBehind() {
    for (int seed = 0; seed < 6; seed++) {
      Random random = new Random(seed);
      ManifestModel model = new ManifestModel(new ManifestBench(fencing()), random);
      for (int i = 0; i < 400; i++) {
        model.act(random.nextInt(12), random.nextInt(20) == 0 ? 900 : 20);
        if (i % 10 == 0) {
          model.check();
        }
      }
      model.drain();
    }
  }
}
