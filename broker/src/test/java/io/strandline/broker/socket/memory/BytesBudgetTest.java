package io.strandline.broker.socket.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;

class BytesBudgetTest {
  private static final int MIB = 1 << 20;

  private long nowNanos;

  private BytesBudget budget(long maxBytes, long largeMaxBytes) {
    return new BytesBudget(maxBytes, largeMaxBytes, () -> nowNanos);
  }

  @Test
  void aLargeClaimIsMetThoughSmallOnesComeWithoutEnd() {
    BytesBudget budget = budget(100 * MIB, 50 * MIB);
    Deque<BytesBudget.Claim> small = new ArrayDeque<>();
    for (int i = 0; i < 100; i++) {
      small.add(budget.claim(MIB, () -> {}));
    }
    boolean[] granted = {false};
    BytesBudget.Claim large = budget.claim(50 * MIB, () -> granted[0] = true);
    for (int i = 0; i < 100; i++) { // for each that ends another comes
      small.add(budget.claim(MIB, () -> {}));
      small.remove().end();
    }
    assertThat(granted[0]).isTrue();
    assertThat(large.granted()).isTrue();
    assertThat(small).filteredOn(BytesBudget.Claim::granted).hasSize(50);
    large.end();
    assertThat(small).allMatch(BytesBudget.Claim::granted);
  }

  @Test
  void largeClaimsLeaveRoomForSmallOnes() {
    BytesBudget budget = budget(100 * MIB, 50 * MIB);
    budget.claim(40 * MIB, () -> {});
    BytesBudget.Claim waits = budget.claim(40 * MIB, () -> {});
    assertThat(waits.granted()).isFalse();
    for (int i = 0; i < 60; i++) {
      assertThat(budget.claim(MIB, () -> {}).granted()).isTrue();
    }
    assertThat(budget.claim(MIB, () -> {}).granted()).isFalse();
  }

  @Test
  void aClaimIsMetWhenNothingElseIsHeldHoweverLongItIs() {
    BytesBudget budget = budget(10, 5);
    BytesBudget.Claim one = budget.claim(3, () -> {});
    BytesBudget.Claim huge = budget.claim(5 * MIB, () -> {});
    assertThat(huge.granted()).isFalse();
    one.end();
    assertThat(huge.granted()).isTrue();
  }

  @Test
  void whoEndsTwiceGivesBackOnceAndWhoWaitsInVainLetsOthersPass() {
    BytesBudget budget = budget(10, 10);
    BytesBudget.Claim first = budget.claim(6, () -> {});
    BytesBudget.Claim second = budget.claim(6, () -> {});
    BytesBudget.Claim third = budget.claim(4, () -> {});
    assertThat(third.granted()).as("in turn").isFalse();
    second.end();
    assertThat(third.granted()).isTrue();
    first.end();
    first.end();
    assertThat(budget.usedBytes()).isEqualTo(4);
  }

  @Test
  void bytesAreNeededOnceSomebodyHasWaitedForThem() {
    BytesBudget budget = budget(10, 10);
    BytesBudget.Claim holds = budget.claim(10, () -> {});
    assertThat(holds.needed(nowNanos + 10_000_000_000L)).isFalse();
    BytesBudget.Claim waits = budget.claim(1, () -> {});
    assertThat(holds.needed(nowNanos)).isFalse();
    assertThat(holds.needed(nowNanos + 1_100_000_000L)).isTrue();
    waits.end();
    assertThat(holds.needed(nowNanos + 1_100_000_000L)).isFalse();
  }
}
