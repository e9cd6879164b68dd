package io.strandline.broker.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.control.PartitionState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Readers of a partition whose leader answers late. */
@Timeout(30)
class LeaderLaneTest {
  private static final PartitionState STATE =
      new PartitionState(
          new TopicIdPartition(new Uuid(3, 4), 0, "orders"),
          2,
          5,
          5,
          List.of(2),
          List.of(2),
          List.of(),
          List.of(),
          List.of(),
          new Uuid(1, 1),
          false);

  private final List<List<Long>> sent = new ArrayList<>();
  private final CompletableFuture<Void> first = new CompletableFuture<>();
  private final LeaderLane<Long, String> lane =
      new LeaderLane<>(
          batch -> {
            sent.add(batch.stream().map(LeaderLane.Wanted::asked).toList());
            batch.forEach(one -> one.answer().complete("from " + one.asked()));
            return sent.size() == 1 ? first : CompletableFuture.completedFuture(null);
          });

  private CompletableFuture<String> ask(long offset, AtomicBoolean gone) {
    return lane.ask(STATE, offset, gone::get);
  }

  private void asks(long offset, AtomicBoolean gone) {
    var unused = ask(offset, gone);
  }

  @Test
  void equalQuestionsThatWaitAreSentOnceAndAnsweredToAll() {
    AtomicBoolean stays = new AtomicBoolean();
    asks(7, stays);
    CompletableFuture<String> one = ask(7, stays);
    CompletableFuture<String> other = ask(8, stays);
    CompletableFuture<String> same = ask(7, stays);
    assertThat(one).as("a later request than that under way").isNotDone();
    first.complete(null);
    assertThat(sent).containsExactly(List.of(7L), List.of(7L), List.of(8L));
    assertThat(List.of(one, same))
        .allSatisfy(answer -> assertThat(answer).isCompletedWithValue("from 7"));
    assertThat(other).isCompletedWithValue("from 8");
    assertThat(ask(7, stays)).isCompletedWithValue("from 7");
  }

  @Test
  void whatNobodyWaitsForAnyMoreIsNotSent() {
    AtomicBoolean stays = new AtomicBoolean();
    AtomicBoolean leaves = new AtomicBoolean();
    asks(1, stays);
    for (long offset = 2; offset < 1_000; offset++) {
      asks(offset, leaves);
    }
    CompletableFuture<String> left = ask(1_000, leaves);
    CompletableFuture<String> shared = ask(2, stays);
    leaves.set(true);
    first.complete(null);
    assertThat(sent).containsExactly(List.of(1L), List.of(2L));
    assertThat(shared).isCompletedWithValue("from 2");
    assertThat(left).isCompletedExceptionally();
  }
}
