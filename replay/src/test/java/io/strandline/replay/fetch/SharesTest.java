package io.strandline.replay.fetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.replay.fetch.Shares.Holding;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class SharesTest {
  private final Shares shares = new Shares(90);

  private CompletableFuture<Holding> enter(String reader, long bytes) {
    return shares.enter(reader, bytes, () -> false);
  }

  /** Takes tens for as long as there is room. */
  private List<Holding> fill(String reader) {
    List<Holding> held = new ArrayList<>();
    for (CompletableFuture<Holding> next = enter(reader, 10);
        next.isDone();
        next = enter(reader, 10)) {
      held.add(next.join());
    }
    return held;
  }

  @Test
  void oneAloneHasTwoThirdsAndTwoHaveTwoFifthsEachAndSomeIsLeft() {
    assertThat(fill("a")).hasSize(6);
    assertThat(fill("b")).hasSize(2);
    assertThat(fill("c")).hasSize(1);
    assertThat(shares.takenBytes()).isEqualTo(90);
    assertThat(fill("d")).as("one answer at a time").hasSize(1);
  }

  @Test
  void whoHasItsShareWaitsForAnswersOfItsOwn() {
    List<Holding> held = fill("a"); // and one that waits
    CompletableFuture<Holding> second = enter("a", 10);
    shares.leave(held.get(0));
    assertThat(second).isNotDone();
    shares.leave(held.get(1));
    assertThat(second).isCompleted();
  }

  @Test
  void aLargeAnswerComesAloneAndIsNotOvertakenByItsReadersNext() {
    Holding small = enter("a", 10).join();
    CompletableFuture<Holding> large = enter("a", 90);
    CompletableFuture<Holding> next = enter("a", 10);
    assertThat(large).isNotDone();
    assertThat(next).isNotDone();
    shares.leave(small);
    assertThat(large).isCompleted();
    assertThat(next).isNotDone();
    shares.leave(large.join());
    assertThat(next).isCompleted();
  }

  @Test
  void moreIsHadWhileThereIsRoomAndGivenBackWithTheRest() {
    Holding held = enter("a", 10).join();
    for (int tens = 2; tens <= 6; tens++) {
      assertThat(shares.more(held, 10)).isTrue();
    }
    assertThat(shares.more(held, 10)).isFalse();
    shares.leave(held);
    assertThat(shares.takenBytes()).isZero();
  }

  @Test
  void whoIsGoneOrLeavesIsNotLetIn() {
    List<Holding> held = fill("a"); // and one that waits
    boolean[] gone = {false};
    shares.left("a");
    CompletableFuture<Holding> dead = shares.enter("a", 10, () -> gone[0]);
    CompletableFuture<Holding> live = enter("a", 10);
    gone[0] = true;
    held.forEach(shares::leave);
    assertThat(dead).isCancelled();
    assertThat(live).isCompleted();
    shares.leave(live.join());
    assertThat(shares.takenBytes()).isZero();
  }
}
