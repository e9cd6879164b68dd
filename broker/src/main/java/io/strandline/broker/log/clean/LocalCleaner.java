package io.strandline.broker.log.clean;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.log.CleanableLog;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.segment.LogSegment;
import io.strandline.tiering.compact.CompactionConfig;
import io.strandline.tiering.compact.CompactionRound;
import io.strandline.tiering.compact.KeyCompactor;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts the dirtiest of the local logs that are due, one at a time: {@code
 * min.cleanable.dirty.ratio}, {@code min.compaction.lag.ms}, {@code max.compaction.lag.ms}, {@code
 * delete.retention.ms}. Sealed segments below the last stable offset only. Not thread-safe; one
 * thread calls it again while it finds work.
 */
public final class LocalCleaner {
  private static final Logger LOG = LoggerFactory.getLogger(LocalCleaner.class);

  private final Supplier<CompactionConfig> config;
  private final InstantSource clock;
  private final Set<TopicIdPartition> uncleanable = new HashSet<>();
  private final Counter bytesRead;
  private final Counter bytesKept;

  /**
   * @param config as it is now, asked for at each round
   */
  public LocalCleaner(
      Supplier<CompactionConfig> config, InstantSource clock, MeterRegistry meters) {
    this.config = config;
    this.clock = clock;
    this.bytesRead = meters.counter("strandline.log.clean.read.bytes");
    this.bytesKept = meters.counter("strandline.log.clean.kept.bytes");
  }

  /**
   * How much of a log may go.
   *
   * @param stableOffset nothing above is touched: the last stable offset, never above the high
   *     watermark
   * @param tombstonesBelow tombstones and transaction markers from this offset on stay, however old
   */
  public record Reach(long stableOffset, long tombstonesBelow) {}

  /**
   * One round.
   *
   * @param logs those led or followed here; only compacted ones are looked at
   * @return whether there was something to compact
   * @throws KafkaStorageException when a disk fails; its directory is offline then
   */
  public boolean cleanDirtiest(Collection<PartitionLog> logs, Function<PartitionLog, Reach> reach) {
    Dirt dirtiest = null;
    for (PartitionLog log : logs) {
      if (log.config().compact
          && log.directory().online()
          && !uncleanable.contains(log.partition())) {
        Optional<Dirt> dirt = look(log, reach.apply(log));
        if (dirt.isPresent() && (dirtiest == null || dirt.get().ratio > dirtiest.ratio)) {
          dirtiest = dirt.get();
        }
      }
    }
    if (dirtiest == null) {
      return false;
    }
    clean(dirtiest);
    return true;
  }

  /** A log that cannot be compacted is left alone from then on: it must not keep others waiting. */
  private void clean(Dirt dirt) {
    try {
      dirt.log.whenDiskFails("compact", () -> compact(dirt));
    } catch (Segments.GoneException e) {
      LOG.atInfo()
          .addKeyValue("partition", dirt.log.partition())
          .addKeyValue("reason", e.getMessage())
          .log("compaction given up");
    } catch (KafkaException e) {
      if (!dirt.log.directory().online()) {
        throw e;
      }
      if (dirt.files.parted()) {
        return; // deleted, or moved: it is looked at where it lies by now
      }
      uncleanable.add(dirt.log.partition());
      LOG.atError()
          .addKeyValue("partition", dirt.log.partition())
          .setCause(e)
          .log("cannot be compacted, left alone");
    }
  }

  /**
   * What could be compacted of a log.
   *
   * @param segments sealed ones, clean and dirty
   * @param cleanedOffset where the dirty part begins
   */
  private record Dirt(
      PartitionLog log,
      CleanableLog files,
      Reach reach,
      List<LogSegment> segments,
      long cleanedOffset,
      long dirtyBytes,
      double ratio) {}

  private Optional<Dirt> look(PartitionLog log, Reach reach) {
    try {
      return log.whenDiskFails("look for dirt", () -> dirt(log, reach));
    } catch (Segments.GoneException e) {
      return Optional.empty();
    }
  }

  private Optional<Dirt> dirt(PartitionLog log, Reach reach) throws IOException {
    CleanableLog files = log.cleanable();
    long cleanedOffset = files.cleanedOffset();
    List<LogSegment> segments = oldEnough(files, reach.stableOffset());
    long dirtyBytes = 0;
    long allBytes = 0;
    long firstDirtyMs = Long.MAX_VALUE;
    for (LogSegment segment : segments) {
      int size = segment.end().sizeBytes();
      allBytes += size;
      if (files.endOf(segment) > cleanedOffset) {
        dirtyBytes += size;
        firstDirtyMs = Math.min(firstDirtyMs, segment.createdMs());
      }
    }
    if (dirtyBytes == 0) {
      return Optional.empty();
    }
    double ratio = (double) dirtyBytes / allBytes;
    boolean overdue = clock.millis() - firstDirtyMs > files.config().maxCompactionLagMs;
    return ratio >= files.config().minCleanableRatio || overdue
        ? Optional.of(new Dirt(log, files, reach, segments, cleanedOffset, dirtyBytes, ratio))
        : Optional.empty();
  }

  private List<LogSegment> oldEnough(CleanableLog files, long stableOffset) throws IOException {
    List<LogSegment> all = files.sealedBelow(stableOffset);
    long lagMs = files.config().compactionLagMs;
    int count = 0;
    while (count < all.size()
        && (lagMs <= 0 || newest(files, all.get(count)) <= clock.millis() - lagMs)) {
      count++;
    }
    return all.subList(0, count);
  }

  private static long newest(CleanableLog files, LogSegment segment) throws IOException {
    if (!segment.retain()) {
      throw new Segments.GoneException(segment);
    }
    try {
      return segment.maxTimestampMs();
    } catch (NoSuchFileException e) {
      if (files.holds(segment)) {
        throw e;
      }
      throw new Segments.GoneException(segment);
    } finally {
      segment.release();
    }
  }

  private boolean compact(Dirt dirt) throws IOException {
    KeyCompactor compactor = new KeyCompactor(config.get().forBytes(dirt.dirtyBytes));
    CleanableLog files = dirt.files;
    for (LogSegment segment : dirt.segments) {
      long end = files.endOf(segment);
      if (end > dirt.cleanedOffset
          && !Segments.with(
              files, segment, source -> compactor.index(source, dirt.cleanedOffset, end))) {
        break;
      }
    }
    long end = compactor.indexedEndOffset();
    if (end <= dirt.cleanedOffset) {
      throw new KafkaException(
          "a segment of " + dirt.log + " has more keys than the cleaner's map holds");
    }
    CompactionRound round =
        new CompactionRound(
            clock.millis(),
            files.config().deleteRetentionMs,
            dirt.reach.tombstonesBelow(),
            end,
            files.lastOfProducers());
    List<LogSegment> touched =
        dirt.segments.stream().filter(segment -> segment.baseOffset() < end).toList();
    for (List<LogSegment> group : groups(files, touched)) {
      if (!replace(files, group, compactor, round)) {
        return true;
      }
    }
    files.cleanedTo(end);
    LOG.atInfo()
        .addKeyValue("partition", dirt.log.partition())
        .addKeyValue("offset", end)
        .addKeyValue("count", touched.size())
        .log("compacted");
    return true;
  }

  /** Successive segments that make one again, as in Kafka: by bytes and by range of offsets. */
  private static List<List<LogSegment>> groups(CleanableLog files, List<LogSegment> segments) {
    List<List<LogSegment>> groups = new ArrayList<>();
    long bytes = 0;
    for (LogSegment segment : segments) {
      List<LogSegment> last = groups.isEmpty() ? List.of() : groups.get(groups.size() - 1);
      bytes += segment.end().sizeBytes();
      if (last.isEmpty()
          || bytes > files.config().segmentSize()
          || files.endOf(segment) - last.get(0).baseOffset() > Integer.MAX_VALUE) {
        last = new ArrayList<>();
        groups.add(last);
        bytes = segment.end().sizeBytes();
      }
      last.add(segment);
    }
    return groups;
  }

  private boolean replace(
      CleanableLog files, List<LogSegment> group, KeyCompactor compactor, CompactionRound round)
      throws IOException {
    LogSegment copy = files.copy(group.get(0).baseOffset());
    boolean done = false;
    try {
      CopySink sink = new CopySink(copy, files.config().indexInterval);
      for (LogSegment segment : group) {
        var stats = Segments.with(files, segment, source -> compactor.filter(source, sink, round));
        bytesRead.increment((double) stats.bytesRead());
        bytesKept.increment((double) stats.bytesKept());
      }
      copy.publish(copy.end().sizeBytes(), files.endOf(group.get(group.size() - 1)));
      copy.seal();
      done = true;
    } finally {
      if (!done) {
        files.discard(copy);
      }
    }
    return files.replace(group, copy);
  }
}
