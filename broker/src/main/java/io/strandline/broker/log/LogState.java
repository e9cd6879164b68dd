package io.strandline.broker.log;

import io.strandline.broker.log.check.LogMeters;
import io.strandline.broker.log.disk.DirectoryHealth;
import io.strandline.broker.log.segment.LogSegment;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * What the parts of one log share.
 *
 * <p>Two locks, taken in this order: {@link #sealing}, under which files are forced and which
 * whoever cuts the log holds too; {@link #lock}, under which fields and the list of segments
 * change. Neither is taken by readers. Volatile fields are written under {@code lock} only.
 */
final class LogState {
  final TopicIdPartition partition;
  final LogDirectory directory;
  final LogRuntime runtime;
  final DirectoryHealth health;
  final LogMeters meters;
  final Object sealing;
  final Object lock;

  /** By base offset; never empty; the last one is active. */
  final ConcurrentNavigableMap<Long, LogSegment> segments = new ConcurrentSkipListMap<>();

  final ProducerStates producers;
  final LeaderEpochFileCache epochs;
  final HotWindow.OfLog hot;

  volatile Path path;
  volatile LogConfig config;
  volatile long logStart;
  volatile long localStart;
  volatile long logEnd;
  volatile long recoveryPoint;
  volatile boolean closed;

  /** Its files are on the way elsewhere: whoever still opens one by name may miss it. */
  volatile boolean leaving;

  /** How often it was cut at its end; told when that is done. */
  final AtomicInteger cuts = new AtomicInteger();

  /** Segments were rolled or recovered and wait for their seal. */
  volatile boolean sealDue;

  /** Names of files that were made since the directory was forced. */
  volatile boolean namesDue;

  /**
   * The newest leader epoch, when an append has just found it so, else -1: appends ask and note it
   * here, whoever else changes {@link #epochs} forgets it.
   */
  volatile int appendEpoch = -1;

  private volatile LogSegment active;

  long jitterMs;
  final AtomicLong unflushedRecords = new AtomicLong();
  volatile long lastFlushMs;

  LogState(
      TopicIdPartition partition,
      LogDirectory directory,
      Path path,
      LogConfig config,
      Opened opened) {
    this(
        new Locks(new Object(), new Object()),
        new Place(partition, directory, path),
        config,
        opened,
        directory.runtime().hot().ofLog());
  }

  /**
   * The same log in another directory. Its producers come along, and whoever still waits for the
   * lock of the state that it leaves is to find them guarded: both states have the same locks.
   */
  LogState(LogState before, LogDirectory directory, Path path, Opened opened) {
    this(
        new Locks(before.sealing, before.lock),
        new Place(before.partition, directory, path),
        before.config,
        opened,
        before.hot);
  }

  private LogState(Locks locks, Place place, LogConfig config, Opened opened, HotWindow.OfLog hot) {
    this.sealing = locks.sealing;
    this.lock = locks.lock;
    this.partition = place.partition;
    this.directory = place.directory;
    this.runtime = directory.runtime();
    this.health = directory.health();
    this.meters = directory.meters();
    this.path = place.path;
    this.config = config;
    this.producers = opened.producers;
    this.epochs = opened.epochs;
    this.hot = hot;
    for (LogSegment segment : opened.segments) {
      segments.put(segment.baseOffset(), segment);
    }
    this.active = segments.lastEntry().getValue();
    this.logStart = opened.logStart;
    this.localStart = Math.max(opened.logStart, segments.firstKey());
    this.logEnd = active().end().nextOffset();
    this.recoveryPoint = Math.min(opened.recoveryPoint, logEnd);
    this.namesDue = !opened.asStored;
    this.sealDue =
        segments.headMap(active().baseOffset()).values().stream().anyMatch(s -> !s.sealed());
    this.lastFlushMs = runtime.clock().millis();
    drawJitter();
  }

  private record Locks(Object sealing, Object lock) {}

  private record Place(TopicIdPartition partition, LogDirectory directory, Path path) {}

  /**
   * A log as found on disk.
   *
   * @param asStored the last process ended in order, and nothing was changed since
   */
  record Opened(
      List<LogSegment> segments,
      ProducerStates producers,
      LeaderEpochFileCache epochs,
      long logStart,
      long recoveryPoint,
      boolean asStored) {}

  LogSegment active() {
    return active;
  }

  /** Whether the segment is still part of the log, and not another with its base offset. */
  boolean holds(LogSegment segment) {
    return segments.get(segment.baseOffset()) == segment;
  }

  /** Under the lock; in the place of the one with its base offset, if there is. */
  void add(LogSegment segment) {
    segments.put(segment.baseOffset(), segment);
    active = segments.lastEntry().getValue();
  }

  /** Under the lock; unless another has its place. The last one is active until the next comes. */
  void remove(LogSegment segment) {
    segments.remove(segment.baseOffset(), segment);
    Map.Entry<Long, LogSegment> last = segments.lastEntry();
    if (last != null) {
      active = last.getValue();
    }
  }

  /** Offset after the segment: the base of the next, or the log's end. */
  long endOf(LogSegment segment) {
    Map.Entry<Long, LogSegment> next = segments.higherEntry(segment.baseOffset());
    return next == null ? logEnd : next.getKey();
  }

  void check() {
    health.check();
    if (closed) {
      throw gone();
    }
  }

  /** Whether a file that is missing may have gone with the log, and is no failure of the disk. */
  boolean parted() {
    return leaving || closed;
  }

  /** What a caller is told who may find the log elsewhere. */
  KafkaStorageException gone() {
    return new KafkaStorageException("log of " + partition + " is closed");
  }

  /** Nobody uses its files any more, which are there now; under both locks. */
  void parting(Path gone) {
    leaving = true;
    path = gone;
    segments.values().forEach(segment -> segment.moved(gone));
    close();
  }

  /** Readers with a hold go on; under both locks. */
  void close() {
    if (!closed) {
      closed = true;
      segments.values().forEach(LogSegment::leave);
    }
  }

  /** {@code segment.jitter.ms}: spreads rolls of many partitions. */
  void drawJitter() {
    long most = Math.min(config.segmentJitterMs, config.segmentMs);
    jitterMs = most <= 0 ? 0 : runtime.random().nextLong(most);
  }

  /** Closes the active segment and makes an empty one at the log's end. Under the lock. */
  LogSegment roll(long nowMs) throws IOException {
    return roll(logEnd, nowMs);
  }

  /** As above; the next batch begins at the offset, at or above the log's end. */
  LogSegment roll(long nextOffset, long nowMs) throws IOException {
    LogSegment next = LogSegment.create(runtime.open(), path, nextOffset, nowMs);
    producers.advanceTo(nextOffset);
    producers.snapshot(false);
    namesDue = true;
    active.rolled();
    add(next);
    sealDue = true;
    drawJitter();
    meters.rolls.increment();
    return next;
  }

  long sizeBytes() {
    long sum = 0;
    for (LogSegment segment : segments.values()) {
      sum += segment.end().sizeBytes();
    }
    return sum;
  }
}
