package io.strandline.replay.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ByteBudgetTest {
  private final ByteBudget budget = new ByteBudget(100);
  private final List<String> granted = new ArrayList<>();

  private void ask(String reader, long bytes) {
    CompletableFuture<?> unused = budget.reserve(reader, bytes).thenRun(() -> granted.add(reader));
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
}
