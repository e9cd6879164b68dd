package io.strandline.tiering.rewrite;

import io.strandline.tiering.compact.CompactionRound.LastOfProducer;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A led partition as compaction sees it.
 *
 * @param policy of the topic as it is configured now; does not block
 * @param lastOfProducers what each active producer wrote last, by producer id; does not block
 */
public record Compactable(
    Supplier<CompactionPolicy> policy, Supplier<Map<Long, LastOfProducer>> lastOfProducers) {
  private static final long SEGMENT_BYTES = 1L << 30;

  /** A partition that is not compacted, with segments of Kafka's default length. */
  public static final Compactable NEVER =
      new Compactable(() -> CompactionPolicy.never(SEGMENT_BYTES), Map::of);
}
