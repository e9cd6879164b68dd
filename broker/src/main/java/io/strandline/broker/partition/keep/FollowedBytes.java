package io.strandline.broker.partition.keep;

import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Tier;
import io.strandline.broker.replica.TierMark;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Local bytes of replicas that follow and that the tier has, by their leaders' word (design D8). A
 * replica that leads has the tier's pipeline for that.
 */
final class FollowedBytes {
  private static final TierPolicy NOTHING_LOCAL = new TierPolicy(-1, -1, -1, 0, false);

  private final Collection<Partition> hosted;
  private final Tier tier;

  FollowedBytes(Collection<Partition> hosted, Tier tier) {
    this.hosted = hosted;
    this.tier = tier;
  }

  private static long tieredEnd(Partition partition) {
    return partition.tieredWhileFollowing().map(TierMark::endOffset).orElse(0L);
  }

  /**
   * Frees what local retention does not want and the leader has freed too: were the tier given up,
   * the log would begin with what the leader has, and this replica may lead next. Of a compacted
   * topic the leader frees what is clean in the tier, wanted or not, and so it goes here.
   */
  void retain(long nowMs) {
    for (Partition partition : hosted) {
      long tieredEnd =
          partition
              .tieredWhileFollowing()
              .map(mark -> Math.min(mark.endOffset(), mark.localStartOffset()))
              .orElse(0L);
      if (tieredEnd > 0 && partition.log().segmentCount() > 1) {
        var unused =
            tier.policy(partition)
                .map(
                    policy ->
                        partition.step(
                            () ->
                                partition
                                    .log()
                                    .releaseTiered(tieredEnd, local(partition, policy), nowMs)));
      }
    }
  }

  private static TierPolicy local(Partition partition, TierPolicy policy) {
    return partition.config().compact && mayGo(policy) ? NOTHING_LOCAL : policy;
  }

  /**
   * Frees what it can of the room that is wanted on a disk, whatever local retention says: a
   * segment of each replica in turn, the largest first. Blocks on that disk.
   *
   * @return bytes freed
   */
  long relieve(LogDirectory directory, long bytes) {
    List<Partition> there =
        hosted.stream()
            .filter(p -> p.log().directory() == directory && p.log().segmentCount() > 1)
            .filter(p -> tieredEnd(p) > 0 && mayGo(p))
            .sorted(Comparator.comparingLong(p -> -p.log().sizeBytes()))
            .toList();
    long freed = 0;
    long before = -1;
    while (freed < bytes && freed > before) {
      before = freed;
      for (Partition partition : there) {
        if (freed < bytes) {
          freed += partition.log().releaseOldestTiered(tieredEnd(partition));
        }
      }
    }
    return freed;
  }

  private boolean mayGo(Partition partition) {
    return tier.policy(partition).filter(FollowedBytes::mayGo).isPresent();
  }

  private static boolean mayGo(TierPolicy policy) {
    return !policy.keepsLocal() && policy.copying() == Copying.ON;
  }
}
