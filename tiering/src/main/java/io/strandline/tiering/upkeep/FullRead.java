package io.strandline.tiering.upkeep;

import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.scrub.FullScrub;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicIdPartition;

/** Reads the partition's segments from end to end, one a turn, beside everything else. */
public final class FullRead implements Chore {
  private final FullScrub scrub;
  private final TopicIdPartition partition;
  private final long firstMs;

  /**
   * @param firstMs pause before the first one, so that partitions spread
   */
  public FullRead(FullScrub scrub, TopicIdPartition partition, long firstMs) {
    this.scrub = scrub;
    this.partition = partition;
    this.firstMs = firstMs;
  }

  @Override
  public String name() {
    return "scrub";
  }

  @Override
  public boolean beside() {
    return true;
  }

  @Override
  public long firstPauseMs() {
    return firstMs;
  }

  @Override
  public long pauseMs(int done) {
    return scrub.pauseMs(partition, done);
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    return scrub.readOn(writer, left);
  }
}
