package io.strandline.replay.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ByteBudgetTest {
  private long nanos;
  private final ByteBudget budget = new ByteBudget(100, () -> nanos);
  private final List<String> granted = new ArrayList<>();

  private void ask(String reader, long bytes) {
    CompletableFuture<?> unused =
        budget.reserve(reader, bytes, () -> false).thenRun(() -> granted.add(reader));
  }

  @Test
  void readersTakeTurnsHoweverManyRequestsEachHas() {
    ask("x", 100);
    for (int i = 0; i < 5; i++) {
      ask("greedy", 50);
    }
    ask("a", 50);
    ask("b", 50);
    granted.clear();
    for (int i = 0; i < 5; i++) {
      budget.release(50);
    }
    assertThat(granted).containsExactly("greedy", "a", "b", "greedy", "greedy");
    assertThat(budget.usedBytes()).isEqualTo(100);
    assertThat(budget.waiting()).isEqualTo(2);
  }

  @Test
  void whoOnlyTriesDoesNotPassThoseWhoWait() {
    ask("x", 60);
    ask("y", 60);
    assertThat(budget.tryReserve(10)).isFalse();
    budget.release(60);
    assertThat(granted).containsExactly("x", "y");
    assertThat(budget.tryReserve(40)).isTrue();
    assertThat(budget.tryReserve(1)).isFalse();
  }

  @Test
  void moreThanAllCanNeverBeHad() {
    assertThatIllegalArgumentException().isThrownBy(() -> ask("x", 101));
  }

  @Test
  void whoIsGoneIsGrantedNothingAndItsReaderKeepsItsPlace() {
    ask("x", 100);
    boolean[] gone = {false};
    CompletableFuture<Void> dead = budget.reserve("a", 50, () -> gone[0]);
    ask("b", 50);
    gone[0] = true;
    ask("a", 50); // as a client asks again
    assertThat(dead).isCancelled();
    assertThat(budget.waiting()).isEqualTo(2);
    granted.clear();
    budget.release(50);
    budget.release(50);
    assertThat(granted).containsExactly("a", "b");
    assertThat(budget.usedBytes()).isEqualTo(100);
  }

  @Test
  void whoIsGoneKeepsNobodyFromWhatIsFree() {
    ask("x", 60);
    CompletableFuture<Void> dead = budget.reserve("a", 50, () -> true);
    assertThat(dead).isCancelled();
    assertThat(budget.tryReserve(40)).isTrue();
    assertThat(budget.waiting()).isZero();
  }

  @Test
  void whoLeavesWaitsNoMore() {
    ask("x", 100);
    CompletableFuture<Void> left = budget.reserve("a", 100, () -> false);
    ask("b", 10);
    budget.left("a");
    assertThat(left).isCancelled();
    budget.release(10);
    assertThat(granted).containsExactly("x", "b");
    assertThat(budget.waiting()).isZero();
  }

  @Test
  void itIsToldForHowLongTheFirstHasHadNothing() {
    ask("x", 100);
    assertThat(budget.waitsSince(0)).isFalse();
    ask("a", 10);
    ask("a", 100);
    nanos = 7;
    assertThat(budget.waitsSince(7)).isTrue();
    assertThat(budget.waitsSince(8)).isFalse();
    budget.release(10);
    assertThat(budget.waitsSince(1)).isFalse();
    nanos = 8;
    assertThat(budget.waitsSince(1)).isTrue();
  }
}
