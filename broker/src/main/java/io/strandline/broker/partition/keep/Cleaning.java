package io.strandline.broker.partition.keep;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.clean.LocalCleaner;
import io.strandline.broker.partition.Partition;
import io.strandline.tiering.compact.CompactionConfig;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts local logs, one after another: those that never leave the disk, which internal topics do
 * not (design D17).
 */
final class Cleaning {
  private static final Logger LOG = LoggerFactory.getLogger(Cleaning.class);

  private final Supplier<CompactionConfig> config;
  private final InstantSource clock;
  private final MeterRegistry meters;
  private @Nullable LocalCleaner cleaner;

  Cleaning(Supplier<CompactionConfig> config, InstantSource clock, MeterRegistry meters) {
    this.config = config;
    this.clock = clock;
    this.meters = meters;
  }

  /**
   * Compacts until nothing is dirty enough; blocks. One caller at a time.
   *
   * @param stays whether a partition's local bytes stay, and so are ours to compact
   * @return rounds done
   */
  int doWork(Collection<Partition> hosted, Predicate<Partition> stays) {
    Map<PartitionLog, Partition> logs =
        hosted.stream()
            .filter(partition -> partition.config().compact && stays.test(partition))
            .collect(Collectors.toMap(Partition::log, partition -> partition));
    if (logs.isEmpty()) {
      return 0;
    }
    if (cleaner == null) {
      cleaner = new LocalCleaner(config, clock, meters);
    }
    int rounds = 0;
    try {
      while (cleaner.cleanDirtiest(List.copyOf(logs.keySet()), log -> stable(logs.get(log)))) {
        rounds++;
      }
    } catch (KafkaStorageException failure) {
      LOG.atWarn().setCause(failure).log("compaction stopped by a failing disk");
    }
    return rounds;
  }

  private static long stable(@Nullable Partition partition) {
    return partition == null
        ? 0
        : Math.min(partition.highWatermark(), partition.lastStableOffset());
  }
}
