package io.strandline.replay.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.cache.ChunkKey;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class ChunkPlanTest {
  @Property
  void runsHoldEachMissingChunkOnceInOrderAndAreAsFewAsTheLimitAllows(
      @ForAll @Size(max = 60) List<Boolean> missing,
      @ForAll @IntRange(min = 1, max = 9) int limit) {
    ChunkPlan plan = new ChunkPlan(10, 10 * limit);
    List<ChunkKey> keys =
        java.util.stream.IntStream.range(0, missing.size())
            .mapToObj(i -> new ChunkKey("o", 7 + 10L * i, 10))
            .toList();
    Set<ChunkKey> wanted =
        keys.stream().filter(k -> missing.get(keys.indexOf(k))).collect(Collectors.toSet());
    List<ChunkPlan.Run> runs = plan.coalesce(keys, wanted::contains);
    assertThat(runs.stream().flatMap(r -> r.chunks().stream()).toList())
        .containsExactlyElementsOf(keys.stream().filter(wanted::contains).toList());
    long end = Long.MIN_VALUE;
    int length = 0;
    for (ChunkPlan.Run run : runs) {
      assertThat(run.lengthBytes())
          .isEqualTo(10 * run.chunks().size())
          .isLessThanOrEqualTo(10 * limit);
      assertThat(run.positionBytes()).isEqualTo(run.chunks().get(0).positionBytes());
      assertThat(run.positionBytes() == end && length + 10 <= 10 * limit).isFalse();
      end = run.positionBytes() + run.lengthBytes();
      length = run.lengthBytes();
    }
  }
}
