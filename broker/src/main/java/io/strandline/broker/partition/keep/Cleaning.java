package io.strandline.broker.partition.keep;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.clean.LocalCleaner;
import io.strandline.broker.log.clean.LocalCleaner.Reach;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Tier;
import io.strandline.broker.replica.TierMark;
import io.strandline.tiering.compact.CompactionConfig;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts local logs, one after another: those that never leave the disk, which internal topics do
 * not (design D17).
 *
 * <p>What the tier holds of such a log, from when it was tiered or as its backup, keeps older
 * values of a key than the log does. So a tombstone that the tier has not got stays here, however
 * old: it goes up when something goes up again, and would else be missed there for ever.
 */
final class Cleaning {
  private static final Logger LOG = LoggerFactory.getLogger(Cleaning.class);

  private final Supplier<CompactionConfig> config;
  private final InstantSource clock;
  private final MeterRegistry meters;
  private final Tier tier;
  private @Nullable LocalCleaner cleaner;

  Cleaning(
      Supplier<CompactionConfig> config, InstantSource clock, MeterRegistry meters, Tier tier) {
    this.config = config;
    this.clock = clock;
    this.meters = meters;
    this.tier = tier;
  }

  /**
   * Compacts until nothing is dirty enough; blocks. One caller at a time.
   *
   * @return rounds done
   */
  int doWork(Collection<Partition> hosted) {
    Map<PartitionLog, Partition> logs =
        hosted.stream()
            .filter(partition -> partition.config().compact && stays(partition))
            .collect(Collectors.toMap(Partition::log, partition -> partition));
    if (logs.isEmpty()) {
      return 0;
    }
    if (cleaner == null) {
      cleaner = new LocalCleaner(config, clock, meters);
    }
    int rounds = 0;
    try {
      while (cleaner.cleanDirtiest(List.copyOf(logs.keySet()), log -> reach(logs.get(log)))) {
        rounds++;
      }
    } catch (KafkaStorageException failure) {
      LOG.atWarn().setCause(failure).log("compaction stopped by a failing disk");
    }
    return rounds;
  }

  private boolean stays(Partition partition) {
    return Topic.isInternal(partition.id().topic()) || whollyHere(partition);
  }

  /**
   * Not tiered, nor was it when its oldest records were written: those that lie in the tier alone
   * cannot be compacted here.
   */
  private boolean whollyHere(Partition partition) {
    return !tier.holds(partition) && partition.localLogStartOffset() <= partition.logStartOffset();
  }

  private Reach reach(@Nullable Partition partition) {
    return partition == null
        ? new Reach(0, 0)
        : new Reach(
            Math.min(partition.highWatermark(), partition.lastStableOffset()),
            tombstonesBelow(partition));
  }

  /** The tier's end, if it holds anything; the log start while nobody has said what it holds. */
  private long tombstonesBelow(Partition partition) {
    boolean copied = tier.holds(partition);
    long start = partition.logStartOffset();
    return partition
        .tiered()
        .map(TierMark::endOffset)
        .map(end -> copied || end > start ? end : Long.MAX_VALUE)
        .orElse(start);
  }
}
