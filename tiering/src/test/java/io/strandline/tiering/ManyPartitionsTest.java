package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.store.StoreCall;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker that leads more partitions than anybody writes to. */
class ManyPartitionsTest {
  private static final int PARTITIONS = 10_000;

  @Test
  void partitionsThatNobodyTouchesCostTheStoreNothing(@TempDir Path directory) throws Exception {
    TestTier tier = new TestTier(directory, 1);
    List<StoreCall> calls = tier.recordCalls();
    List<TestHotLog> logs = new ArrayList<>();
    for (int i = 0; i < PARTITIONS; i++) {
      logs.add(new TestHotLog(directory.resolve("logs"), i));
      tier.join(logs.get(i), 1, new TierPolicy(-1, -1, 0, 0, true));
    }
    assertThat(calls).as("before the first turn").isEmpty();

    tier.time.advance(5_000);
    assertThat(calls).as("after many turns").isEmpty();

    TestHotLog touched = logs.get(PARTITIONS / 2).seal(1, 20);
    tier.time.advance(5_000);
    assertThat(calls).as("one has a segment").isNotEmpty().hasSizeLessThan(20);
    assertThat(tier.entries(touched.partition())).hasSize(1);
  }
}
