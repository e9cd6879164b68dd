package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One {@code .log} file with its indexes.
 *
 * <p>Life: <i>active</i> (appended to, indexes in memory) → <i>closed</i> (by a roll) →
 * <i>sealed</i> ({@link #seal}: all of it durable, indexes in their files) → deleted. A truncation
 * makes it active again ({@link #reopen}).
 *
 * <p>Threads: one writer at a time. Readers take a hold ({@link #retain}) under which the files
 * stay open, and see batches up to {@link #end}, which is published after their bytes and index
 * entries.
 */
public final class LogSegment {
  /**
   * How far readers may go.
   *
   * @param sizeBytes length of whole batches
   * @param nextOffset after the last of them
   */
  public record End(int sizeBytes, long nextOffset) {}

  private static final Logger LOG = LoggerFactory.getLogger(LogSegment.class);
  private static final List<String> INDEXES =
      List.of(LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX);
  private static final long UNKNOWN = Long.MIN_VALUE;

  private final Disk disk;
  private final long baseOffset;
  private volatile long createdMs;
  private final OffsetIndex offsets = new OffsetIndex();
  private final TimeIndex times = new TimeIndex();
  private final AbortedIndex aborted;
  private final AtomicInteger holds = new AtomicInteger(1);
  private final AtomicInteger cuts = new AtomicInteger();
  private final List<Disk.File> open = new ArrayList<>();
  private volatile Disk.@Nullable File log;
  private volatile Path directory;
  private volatile String suffix = "";
  private volatile End end;
  private volatile boolean sealed;
  private volatile boolean indexed;
  private volatile boolean touched;
  private volatile boolean asStored;
  private volatile long maxTimestamp;
  private long maxTimestampOffset;
  private long firstTimestamp = UNKNOWN;
  private int bytesSinceEntry;

  private LogSegment(Disk disk, Path directory, long baseOffset, End end, long createdMs) {
    this.disk = disk;
    this.directory = directory;
    this.baseOffset = baseOffset;
    this.end = end;
    this.createdMs = createdMs;
    this.aborted = new AbortedIndex(disk, LogFiles.of(directory, baseOffset, LogFiles.TXN_INDEX));
    this.maxTimestampOffset = baseOffset;
  }

  /** A new, empty one; a file that is there already is emptied. */
  public static LogSegment create(Disk disk, Path directory, long baseOffset, long nowMs)
      throws IOException {
    return create(disk, directory, baseOffset, nowMs, "");
  }

  /** A cleaner's copy, which is not the log's until it is renamed. */
  public static LogSegment createCleaned(Disk disk, Path directory, long baseOffset, long nowMs)
      throws IOException {
    return create(disk, directory, baseOffset, nowMs, LogFiles.CLEANED);
  }

  private static LogSegment create(
      Disk disk, Path directory, long baseOffset, long nowMs, String suffix) throws IOException {
    LogSegment segment = new LogSegment(disk, directory, baseOffset, new End(0, baseOffset), nowMs);
    segment.suffix = suffix;
    segment.aborted.moved(segment.file(LogFiles.TXN_INDEX));
    segment.maxTimestamp = -1;
    segment.indexed = true;
    Disk.File file = segment.log(true);
    if (file.sizeBytes() > 0) {
      file.truncate(0);
    }
    segment.aborted.clear();
    return segment;
  }

  /** One whose files are there, sealed and sane; nothing is opened before it is used. */
  public static LogSegment stored(Disk disk, Path directory, long baseOffset, End end)
      throws IOException {
    Path file = LogFiles.of(directory, baseOffset, LogFiles.LOG);
    LogSegment segment =
        new LogSegment(
            disk, directory, baseOffset, end, Files.getLastModifiedTime(file).toMillis());
    segment.maxTimestamp = UNKNOWN;
    segment.sealed = true;
    segment.asStored = true;
    return segment;
  }

  public long baseOffset() {
    return baseOffset;
  }

  public End end() {
    return end;
  }

  public boolean sealed() {
    return sealed;
  }

  /**
   * Whether nothing was written since all of it was sealed: its files, indexes included, say what
   * is known of it, and are durable.
   */
  public boolean asStored() {
    return asStored;
  }

  public Path path() {
    return LogFiles.of(directory, baseOffset, LogFiles.LOG + suffix);
  }

  public AbortedIndex aborted() {
    return aborted;
  }

  /** How often it was cut; told after its end. */
  int cuts() {
    return cuts.get();
  }

  /** Takes a hold, to be given back by {@link #release}; false once the segment is gone. */
  public boolean retain() {
    int now = holds.get();
    while (now > 0) {
      if (holds.compareAndSet(now, now + 1)) {
        return true;
      }
      now = holds.get();
    }
    return false;
  }

  /** Gives a hold back; the last one closes the files. */
  public void release() {
    if (holds.decrementAndGet() == 0) {
      closeFiles();
    }
  }

  /** As {@link #closeUnused}, if nobody used the segment since the last call. */
  public boolean rest() {
    boolean used = touched;
    touched = false;
    return !used && closeUnused();
  }

  /**
   * Closes the files of a sealed segment that nobody has a hold on; they open again on use.
   * Meanwhile {@link #retain} fails: who finds the segment still in its list tries again. The
   * caller excludes deletion and all use without a hold.
   */
  public boolean closeUnused() {
    if (!sealed || (log == null && !indexed) || !holds.compareAndSet(1, 0)) {
      return false;
    }
    closeFiles();
    holds.set(1);
    return true;
  }

  /**
   * As {@link #rest}, whatever its state, while nobody but the caller knows the segment. What an
   * active one has of indexes is in memory and stays there.
   */
  public void closeUnshared() {
    closeFiles();
  }

  private synchronized void closeFiles() {
    log = null;
    indexed = !sealed;
    for (Disk.File file : open) {
      try {
        file.close();
      } catch (IOException e) {
        // Nothing was written through it that a force did not already answer for.
        LOG.atDebug().addKeyValue("segment", baseOffset).setCause(e).log("close failed");
      }
    }
    open.clear();
  }

  /** For readers with a hold. */
  public FileChannel channel() throws IOException {
    touched = true;
    return log(false).channel();
  }

  private Disk.File log(boolean create) throws IOException {
    Disk.File now = log;
    return now != null ? now : openLog(create);
  }

  private synchronized Disk.File openLog(boolean create) throws IOException {
    Disk.File now = log;
    if (now == null) {
      now = disk.open(path(), create);
      open.add(now);
      log = now;
    }
    return now;
  }

  /** The offset index, from its file if that is where it is. */
  OffsetIndex offsets() throws IOException {
    openIndexes();
    return offsets;
  }

  TimeIndex times() throws IOException {
    openIndexes();
    return times;
  }

  private void openIndexes() throws IOException {
    if (!indexed) {
      openStoredIndexes();
    }
  }

  private synchronized void openStoredIndexes() throws IOException {
    if (indexed) {
      return;
    }
    Disk.File file = disk.open(file(LogFiles.INDEX), false);
    open.add(file);
    offsets.storeIn(file, (int) (file.sizeBytes() / OffsetIndex.ENTRY_BYTES));
    file = disk.open(file(LogFiles.TIME_INDEX), false);
    open.add(file);
    times.storeIn(file, (int) (file.sizeBytes() / TimeIndex.ENTRY_BYTES));
    indexed = true;
  }

  private Path file(String kind) {
    return LogFiles.of(directory, baseOffset, kind + suffix);
  }

  /** Largest timestamp in ms, or -1; may read the time index. */
  public long maxTimestampMs() throws IOException {
    long known = maxTimestamp;
    if (known == UNKNOWN) {
      known = times().last().timestampMs();
      maxTimestamp = known;
    }
    return known;
  }

  /** Like Kafka's: by the first batch's timestamp if it has one, else since the file was made. */
  public long ageMs(long timestampMs, long nowMs) {
    return firstTimestamp >= 0 ? timestampMs - firstTimestamp : nowMs - createdMs;
  }

  /** When its first batch came, or, after a restart, when the file was last written. */
  public long createdMs() {
    return createdMs;
  }

  /** The first batch comes now. */
  public void begun(long nowMs) {
    createdMs = nowMs;
  }

  public boolean fits(long lastOffset, int sizeBytes, int segmentBytes) {
    return lastOffset - baseOffset <= Integer.MAX_VALUE
        && end.sizeBytes <= segmentBytes - sizeBytes;
  }

  /** Whether an index is as large as it may get; one slot of times is kept for the seal. */
  public boolean indexFull(int maxIndexBytes) {
    return offsets.count() >= maxIndexBytes / OffsetIndex.ENTRY_BYTES
        || times.count() >= maxIndexBytes / TimeIndex.ENTRY_BYTES - 1;
  }

  /** Bytes of whole batches behind the end; then {@link #index} each and {@link #publish}. */
  public void write(ByteBuffer batches) throws IOException {
    changes();
    log(false).write(batches, end.sizeBytes);
  }

  /** Indexes a batch that was written at the position, if the last entry is far enough before. */
  public void index(
      long lastOffset, long timestampMs, int positionBytes, int sizeBytes, int intervalBytes) {
    note(lastOffset, timestampMs, positionBytes);
    if (bytesSinceEntry > intervalBytes) {
      offsets.append((int) (lastOffset - baseOffset), positionBytes);
      times.append(maxTimestamp, (int) (maxTimestampOffset - baseOffset));
      bytesSinceEntry = 0;
    }
    bytesSinceEntry += sizeBytes;
  }

  private void note(long lastOffset, long timestampMs, int positionBytes) {
    if (positionBytes == 0) {
      firstTimestamp = timestampMs;
    }
    if (timestampMs > maxTimestamp) {
      maxTimestamp = timestampMs;
      maxTimestampOffset = lastOffset;
    }
  }

  public void publish(int sizeBytes, long nextOffset) {
    end = new End(sizeBytes, nextOffset);
  }

  /** Makes what was written durable; of the indexes only the list of aborted transactions. */
  public void force() throws IOException {
    if (!asStored) {
      log(false).force();
      aborted.force();
    }
  }

  /**
   * Writes the indexes and makes all files durable, but not their names. The segment is not
   * appended to any more, or is about to be closed.
   */
  public void seal() throws IOException {
    if (sealed) {
      return;
    }
    if (asStored) {
      indexed = false;
    } else {
      force();
      writeIndexes();
    }
    openStoredIndexes();
    asStored = true;
    sealed = true;
  }

  private synchronized void writeIndexes() throws IOException {
    if (maxTimestamp >= 0) {
      times.append(maxTimestamp, (int) (maxTimestampOffset - baseOffset));
    }
    store(LogFiles.INDEX, offsets.encode());
    store(LogFiles.TIME_INDEX, times.encode());
    indexed = false;
  }

  private void store(String kind, ByteBuffer bytes) throws IOException {
    try (Disk.File file = disk.open(file(kind), true)) {
      file.truncate(0);
      file.write(bytes, 0);
      file.force();
    }
  }

  /**
   * The index files, which appends do not keep up with, go before the first of them. Should a power
   * cut bring them back: what was not sealed since is scanned, and its indexes made again.
   */
  private void changes() throws IOException {
    if (asStored) {
      deleteIndexes();
    }
  }

  private void deleteIndexes() throws IOException {
    asStored = false;
    disk.delete(file(LogFiles.INDEX));
    disk.delete(file(LogFiles.TIME_INDEX));
  }

  /** Begins anew as an active, empty segment, to be filled by a scan of its file. */
  public void restart() throws IOException {
    deleteIndexes();
    offsets.clear();
    times.clear();
    aborted.clear();
    sealed = false;
    indexed = true;
    maxTimestamp = -1;
    maxTimestampOffset = baseOffset;
    bytesSinceEntry = 0;
    end = new End(0, baseOffset);
  }

  /** Active again, with its indexes in memory; their files stay until it is written to. */
  public void reopen() throws IOException {
    if (sealed) {
      offsets().load();
      times().load();
      sealed = false;
      indexed = true;
      noteTail();
    }
  }

  /**
   * Cuts an active segment behind its last whole batch below the offset. The caller knows where
   * that is.
   */
  public void truncate(int sizeBytes, long nextOffset) throws IOException {
    changes();
    offsets.truncate(sizeBytes);
    times.truncate(nextOffset - baseOffset);
    aborted.truncate(nextOffset);
    log(false).truncate(sizeBytes);
    end = new End(sizeBytes, nextOffset);
    cuts.incrementAndGet();
    noteTail();
  }

  /** Learns what only the batches behind the last index entry tell. */
  private void noteTail() throws IOException {
    TimeIndex.Entry time = times.last();
    maxTimestamp = time.timestampMs();
    maxTimestampOffset = baseOffset + time.relativeOffset();
    firstTimestamp = UNKNOWN;
    int from = end.sizeBytes == 0 ? 0 : lastEntryPosition();
    bytesSinceEntry = end.sizeBytes - from;
    BatchScanner scanner = new BatchScanner(channel(), from, end.sizeBytes);
    for (RecordBatch batch = scanner.next(); batch != null; batch = scanner.next()) {
      note(batch.lastOffset(), batch.maxTimestamp(), (int) scanner.batchPositionBytes());
    }
    if (from > 0) {
      RecordBatch first = new BatchScanner(channel(), 0, end.sizeBytes).next();
      firstTimestamp = first == null ? UNKNOWN : first.maxTimestamp();
    }
  }

  /** Where the batch of the last index entry begins; 0 without one. */
  public int lastEntryPosition() throws IOException {
    long last = offsets.last();
    return last == OffsetIndex.NONE ? 0 : OffsetIndex.position(last);
  }

  /**
   * Moves the files that exist to another suffix, in an order that a crash may cut: the log first
   * when it goes, last when it comes.
   */
  public synchronized void rename(String newSuffix) throws IOException {
    boolean goes = newSuffix.equals(LogFiles.DELETED);
    if (goes) {
      rename(LogFiles.LOG, newSuffix);
    }
    for (String kind : INDEXES) {
      rename(kind, newSuffix);
    }
    if (!goes) {
      rename(LogFiles.LOG, newSuffix);
    }
    suffix = newSuffix;
    aborted.moved(file(LogFiles.TXN_INDEX));
  }

  private void rename(String kind, String newSuffix) throws IOException {
    Path from = file(kind);
    if (disk.exists(from)) {
      disk.rename(from, LogFiles.of(directory, baseOffset, kind + newSuffix));
    }
  }

  /** The directory was renamed; open files stay so. */
  public synchronized void moved(Path newDirectory) {
    directory = newDirectory;
    aborted.moved(file(LogFiles.TXN_INDEX));
  }

  /** Deletes the files, whatever their suffix. Readers with a hold go on. */
  public synchronized void delete() throws IOException {
    disk.delete(file(LogFiles.LOG));
    for (String kind : INDEXES) {
      disk.delete(file(kind));
    }
  }

  @Override
  public String toString() {
    return path() + " to " + end.nextOffset;
  }
}
