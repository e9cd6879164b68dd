package io.strandline.broker.log;

import io.strandline.broker.log.LogState.Opened;
import io.strandline.broker.log.segment.BatchScanner;
import io.strandline.broker.log.segment.LeftOvers;
import io.strandline.broker.log.segment.LogFiles;
import io.strandline.broker.log.segment.LogSegment;
import io.strandline.broker.log.segment.OffsetIndex;
import io.strandline.broker.log.segment.SegmentReader;
import io.strandline.broker.log.segment.TimeIndex;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the files of one log.
 *
 * <p>After a clean stop everything is as the files say. Otherwise segments that reach above the
 * recovery point are read batch by batch with their checksums; indexes, aborted transactions,
 * producers and epochs are rebuilt on the way; the first batch that is not whole ends the log. An
 * index that is missing or absurd has its segment read too, wherever it lies. Damage below the
 * recovery point, where all was durable, is no torn tail: the log is refused, and its batches are
 * left as they are. By then what a crash left under way has been finished or undone, and indexes,
 * snapshots of producers and leader epochs may have gone that a scan of the batches makes again.
 */
final class LogRecovery {
  private static final Logger LOG = LoggerFactory.getLogger(LogRecovery.class);

  private final TopicPartition partition;
  private final Path path;
  private final LogConfig config;
  private final LogDirectory directory;
  private final Start start;
  private final LogRuntime runtime;
  private final TreeMap<Long, LogSegment> segments = new TreeMap<>();

  /** What the checkpoints tell; offsets are -1 when they tell nothing. */
  record Start(boolean clean, long logStart, long recoveryPoint) {}

  LogRecovery(
      TopicPartition partition, Path path, LogConfig config, LogDirectory directory, Start start) {
    this.partition = partition;
    this.path = path;
    this.config = config;
    this.directory = directory;
    this.start = start;
    this.runtime = directory.runtime();
  }

  /**
   * @throws KafkaStorageException when durable batches are damaged
   */
  Opened open() throws IOException {
    try {
      return recover();
    } catch (RuntimeException refused) {
      segments.values().forEach(LogSegment::closeUnshared);
      throw refused instanceof ApiException damage ? refusal(damage) : refused;
    }
  }

  /** A header or an index that cannot be is told as such by whoever reads it. */
  private KafkaStorageException refusal(ApiException damage) {
    return damage instanceof KafkaStorageException known
        ? known
        : new KafkaStorageException(
            "log of " + partition + " is damaged: " + damage.getMessage(), damage);
  }

  private Opened recover() throws IOException {
    new LeftOvers(runtime.disk(), path).tidy();
    List<Long> bases = bases();
    LeaderEpochFileCache epochs = directory.openEpochs(partition, path);
    long logStart = start.logStart >= 0 ? start.logStart : bases.isEmpty() ? 0 : bases.get(0);
    ProducerStates producers = new ProducerStates(partition, path, runtime);
    producers.removeStraySnapshots(bases);
    long now = runtime.clock().millis();
    long scanFrom = scanFrom(bases);
    openBelow(bases, scanFrom);
    producers.load(logStart, scanFrom == Long.MAX_VALUE ? endOfLast() : scanFrom, now);
    if (scanFrom != Long.MAX_VALUE) {
      replay(segments, producers, scanFrom);
      scan(bases, scanFrom, producers, epochs);
    }
    boolean asStored = start.clean && scanFrom == Long.MAX_VALUE && !segments.isEmpty();
    if (segments.isEmpty()) {
      segments.put(logStart, LogSegment.create(runtime.open(), path, logStart, now));
    }
    long end = endOfLast();
    if (end < logStart) {
      restartAt(logStart, producers, epochs);
      end = logStart;
      asStored = false;
    }
    if (scanFrom == Long.MAX_VALUE) {
      replay(segments, producers, end);
    }
    if (bases.isEmpty() && end == 0) {
      producers.beginComplete();
    }
    producers.advanceTo(end);
    asStored &= !producers.snapshot(true);
    epochs.truncateFromEndAsyncFlush(end);
    epochs.truncateFromStartAsyncFlush(logStart);
    long recovered = start.clean ? end : Math.min(Math.max(start.recoveryPoint, 0), end);
    // Opened again by the first who reads or appends: thousands of logs may never see either.
    segments.values().forEach(LogSegment::closeUnshared);
    return new Opened(
        List.copyOf(segments.values()), producers, epochs, logStart, recovered, asStored);
  }

  private long endOfLast() {
    return segments.isEmpty() ? 0 : segments.lastEntry().getValue().end().nextOffset();
  }

  private List<Long> bases() throws IOException {
    List<Long> bases = new ArrayList<>();
    for (Path file : runtime.disk().list(path)) {
      if (LogFiles.is(file, LogFiles.LOG)) {
        bases.add(LogFiles.offsetOf(file));
      }
    }
    return bases;
  }

  /** Base of the first segment to be read batch by batch; {@code Long.MAX_VALUE} for none. */
  private long scanFrom(List<Long> bases) throws IOException {
    for (int i = 0; i < bases.size(); i++) {
      boolean last = i == bases.size() - 1;
      long end = last ? Long.MAX_VALUE : bases.get(i + 1);
      boolean unsure = !start.clean && end > start.recoveryPoint;
      if (unsure || !indexed(bases.get(i))) {
        return bases.get(i);
      }
    }
    return Long.MAX_VALUE;
  }

  /** Whether both index files are there and end within the segment. */
  private boolean indexed(long base) throws IOException {
    Path index = LogFiles.of(path, base, LogFiles.INDEX);
    Path times = LogFiles.of(path, base, LogFiles.TIME_INDEX);
    if (!Files.exists(index) || !Files.exists(times)) {
      return false;
    }
    long size = Files.size(index);
    long timesSize = Files.size(times);
    if (size % OffsetIndex.ENTRY_BYTES != 0
        || timesSize % TimeIndex.ENTRY_BYTES != 0
        || Math.max(size, timesSize) > Integer.MAX_VALUE) {
      return false;
    }
    long log = Files.size(LogFiles.of(path, base, LogFiles.LOG));
    return size == 0 || lastPositionWithin(index, size, log);
  }

  private static boolean lastPositionWithin(Path index, long size, long logBytes)
      throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(index.toFile(), "r")) {
      file.seek(size - OffsetIndex.ENTRY_BYTES / 2);
      int position = file.readInt();
      // A preallocated index of Kafka's ends in zeroes after a crash.
      return position > 0 && position < logBytes;
    }
  }

  private void openBelow(List<Long> bases, long scanFrom) throws IOException {
    for (int i = 0; i < bases.size() && bases.get(i) < scanFrom; i++) {
      long base = bases.get(i);
      boolean last = i == bases.size() - 1;
      int size = sizeOf(base);
      long end = last ? base : bases.get(i + 1);
      LogSegment segment =
          LogSegment.stored(runtime.open(), path, base, new LogSegment.End(size, end));
      segments.put(base, segment);
      if (last) {
        reopen(segment, size);
      }
    }
  }

  /** After a clean stop: the tail behind the last index entry tells where the log ends. */
  private void reopen(LogSegment segment, int size) throws IOException {
    segment.reopen();
    BatchScanner scanner = new BatchScanner(segment.channel(), segment.lastEntryPosition(), size);
    long end = segment.baseOffset();
    for (RecordBatch batch = scanner.next(); batch != null; batch = scanner.next()) {
      end = batch.lastOffset() + 1;
    }
    if (scanner.positionBytes() != size) {
      throw new KafkaStorageException(
          "after a clean stop " + segment + " ends in no batch at " + scanner.positionBytes());
    }
    segment.publish(size, end);
  }

  private int sizeOf(long base) throws IOException {
    Path file = LogFiles.of(path, base, LogFiles.LOG);
    long size = Files.size(file);
    if (size > Integer.MAX_VALUE) {
      throw new KafkaStorageException(
          file
              + " has "
              + size
              + " bytes; positions in a segment are of 32 bits, as in Kafka, and end at "
              + Integer.MAX_VALUE);
    }
    return (int) size;
  }

  private void scan(
      List<Long> bases, long scanFrom, ProducerStates producers, LeaderEpochFileCache epochs)
      throws IOException {
    boolean torn = false;
    boolean sealed = true; // as all are that lie below the first to be read
    for (long base : bases) {
      if (base < scanFrom) {
        continue;
      }
      if (torn || (!segments.isEmpty() && (gapBefore(base, sealed) || endOfLast() > base))) {
        torn = true;
        requireUnsure(base, "a hole before the segment, or what was cut off in it");
        LeftOvers.delete(runtime.disk(), path, base);
        continue;
      }
      producers.advanceTo(base);
      producers.snapshot(false);
      sealed = indexed(base); // before the scan deletes them
      int size = sizeOf(base);
      directory.meters().scannedBytes.increment(size);
      LogSegment segment =
          LogSegment.stored(runtime.open(), path, base, new LogSegment.End(size, base));
      segments.put(base, segment);
      long valid = scan(segment, size, producers, epochs);
      if (valid < size) {
        torn = true;
        requireUnsure(segment.end().nextOffset(), "a damaged batch at byte " + valid);
        cutTail(segment, size, valid);
      }
    }
  }

  /**
   * A cleaner leaves holes lawfully, and so does the deletion of what lies below the log start; a
   * power failure between two renames does not. Nor does one after a truncation, when the names
   * that it took away are back and what was written since reaches beyond them. A hole that no
   * segment could have filled is a cleaner's, though the topic be compacted no more, and so is one
   * behind an empty segment that was sealed; what was never sealed is empty because its bytes were
   * lost.
   */
  private boolean gapBefore(long base, boolean lastWasSealed) {
    return !config.compact
        && !start.clean
        && endOfLast() < base
        && OffsetIndex.reaches(endOfLast(), base)
        && base > Math.max(start.recoveryPoint, start.logStart)
        && (!lastWasSealed || segments.lastEntry().getValue().end().sizeBytes() > 0);
  }

  private void requireUnsure(long offset, String what) {
    if (start.clean || offset < start.recoveryPoint) {
      throw new KafkaStorageException(
          "log of "
              + partition
              + " in "
              + path
              + " was durable up to "
              + start.recoveryPoint
              + " and has "
              + what
              + " at offset "
              + offset
              + "; restore the file, or delete it with all that follow; if the tier holds more than is"
              + " left then, delete the whole directory: the log goes on at the tier's end");
    }
  }

  private long scan(
      LogSegment segment, int size, ProducerStates producers, LeaderEpochFileCache epochs)
      throws IOException {
    segment.restart();
    BatchScanner scanner = new BatchScanner(segment.channel(), 0, size);
    long valid = 0;
    long next = segment.baseOffset();
    for (RecordBatch batch = scanner.next(); batch != null; batch = scanner.next()) {
      if (!batch.isValid()) {
        break;
      }
      requireInPlace(batch, segment, next);
      int position = (int) scanner.batchPositionBytes();
      segment.index(
          batch.lastOffset(),
          batch.maxTimestamp(),
          position,
          batch.sizeInBytes(),
          config.indexInterval);
      believe(batch, epochs);
      producers.replay(batch, segment.aborted());
      valid = scanner.positionBytes();
      next = batch.lastOffset() + 1;
      segment.publish((int) valid, next);
    }
    return valid;
  }

  /**
   * The batch knows better than the checkpoint, which is forced at once: after a power cut what was
   * cut off may be back without what a later leader wrote in its place. Were it taken for that
   * leader's, nobody would ever see that it is not.
   */
  private static void believe(RecordBatch batch, LeaderEpochFileCache epochs) {
    int epoch = batch.partitionLeaderEpoch();
    OptionalInt known = epochs.epochForOffset(batch.baseOffset());
    if (epoch < 0 || (known.isPresent() && known.getAsInt() == epoch)) {
      return;
    }
    epochs.truncateFromEndAsyncFlush(batch.baseOffset());
    if (epochs.latestEpoch().filter(latest -> latest >= epoch).isEmpty()) {
      epochs.assign(epoch, batch.baseOffset());
    }
  }

  /**
   * A batch whose checksum holds was written whole, and no crash moves it: where it lies is damage
   * of another kind, and what lies behind it may be sound. Within a segment offsets rise; the first
   * batch may begin below its segment, where a follower began within it.
   */
  private void requireInPlace(RecordBatch batch, LogSegment segment, long next) {
    long base = segment.baseOffset();
    long first = batch.magic() < RecordBatch.MAGIC_VALUE_V2 ? next : batch.baseOffset();
    if ((first < next && next > base)
        || batch.lastOffset() < Math.max(next, first)
        || !OffsetIndex.reaches(base, batch.lastOffset())) {
      throw new KafkaStorageException(
          "log of "
              + partition
              + " has in segment "
              + base
              + " a batch out of place, of offsets "
              + first
              + " to "
              + batch.lastOffset());
    }
  }

  private void cutTail(LogSegment segment, int size, long valid) throws IOException {
    LOG.atWarn()
        .addKeyValue("partition", partition)
        .addKeyValue("segment", segment.baseOffset())
        .addKeyValue("offset", segment.end().nextOffset())
        .addKeyValue("bytes", size - valid)
        .log("torn tail cut off");
    directory.meters().tornBytes.increment((double) (size - valid));
    segment.truncate((int) valid, segment.end().nextOffset());
  }

  /** Files were lost: nothing local is left of what the log start promises. */
  private void restartAt(long logStart, ProducerStates producers, LeaderEpochFileCache epochs)
      throws IOException {
    LOG.atWarn()
        .addKeyValue("partition", partition)
        .addKeyValue("offset", logStart)
        .log("log ends below its start, begun anew");
    for (long base : List.copyOf(segments.keySet())) {
      segments.remove(base).leave();
      LeftOvers.delete(runtime.disk(), path, base);
    }
    epochs.clearAndFlush();
    producers.truncateFullyAndStartAt(logStart);
    segments.put(
        logStart, LogSegment.create(runtime.open(), path, logStart, runtime.clock().millis()));
  }

  /** Brings producers from the end of their map up to the offset, from the headers of batches. */
  static void replay(
      NavigableMap<Long, LogSegment> segments, ProducerStates producers, long endOffset)
      throws IOException {
    long from = producers.mapEndOffset();
    if (from >= endOffset || segments.isEmpty()) {
      return;
    }
    Long first = segments.floorKey(from);
    for (LogSegment segment :
        segments.subMap(first == null ? 0L : first, true, endOffset, false).values()) {
      segment.require();
      try {
        replay(segment, producers, from, endOffset);
      } finally {
        segment.release();
      }
    }
  }

  private static void replay(
      LogSegment held, ProducerStates producers, long fromOffset, long endOffset)
      throws IOException {
    long begin = new SegmentReader(held).positionOf(Math.max(fromOffset, held.baseOffset()));
    BatchScanner scanner = new BatchScanner(held.channel(), begin, held.end().sizeBytes());
    RecordBatch batch = scanner.next();
    while (batch != null && batch.baseOffset() < endOffset) {
      if (batch.lastOffset() >= fromOffset) {
        producers.replay(batch, null);
      }
      batch = scanner.next();
    }
  }
}
