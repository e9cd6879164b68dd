package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.record.internal.RecordBatch;

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

  private static final long UNKNOWN = Long.MIN_VALUE;

  /** Added to the holds for the moment in which files that nobody has a hold on are closed. */
  private static final int CLOSING = Integer.MIN_VALUE / 2;

  private final OpenSegments all;
  private final SegmentFiles files;
  private final long baseOffset;
  private volatile long createdMs;
  private final OffsetIndex offsets = new OffsetIndex();
  private final TimeIndex times = new TimeIndex();
  private final AbortedIndex aborted;
  private final AtomicInteger holds = new AtomicInteger(1);
  private final AtomicInteger cuts = new AtomicInteger();
  private volatile End end;
  private volatile boolean sealed;
  private volatile boolean left;
  private volatile boolean indexed;
  private volatile boolean touched;
  private volatile boolean asStored;
  private volatile long maxTimestamp;
  private long maxTimestampOffset;
  private long firstTimestamp = UNKNOWN;
  private int bytesSinceEntry;

  private LogSegment(
      OpenSegments all, SegmentFiles files, long baseOffset, End end, long createdMs) {
    this.all = all;
    this.files = files;
    this.baseOffset = baseOffset;
    this.end = end;
    this.createdMs = createdMs;
    this.aborted = new AbortedIndex(all.disk(), files.path(LogFiles.TXN_INDEX));
    this.maxTimestampOffset = baseOffset;
  }

  /** A new, empty one; a file that is there already is emptied. */
  public static LogSegment create(OpenSegments on, Path directory, long baseOffset, long nowMs)
      throws IOException {
    return create(on, new SegmentFiles(on.disk(), directory, baseOffset, ""), baseOffset, nowMs);
  }

  /** A cleaner's copy, which is not the log's until it is renamed. */
  public static LogSegment createCleaned(
      OpenSegments on, Path directory, long baseOffset, long nowMs) throws IOException {
    SegmentFiles files = new SegmentFiles(on.disk(), directory, baseOffset, LogFiles.CLEANED);
    return create(on, files, baseOffset, nowMs);
  }

  private static LogSegment create(OpenSegments on, SegmentFiles files, long baseOffset, long nowMs)
      throws IOException {
    LogSegment segment = new LogSegment(on, files, baseOffset, new End(0, baseOffset), nowMs);
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
  public static LogSegment stored(OpenSegments on, Path directory, long baseOffset, End end)
      throws IOException {
    SegmentFiles files = new SegmentFiles(on.disk(), directory, baseOffset, "");
    long writtenMs = Files.getLastModifiedTime(files.path(LogFiles.LOG)).toMillis();
    LogSegment segment = new LogSegment(on, files, baseOffset, end, writtenMs);
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
    return files.path(LogFiles.LOG);
  }

  public AbortedIndex aborted() {
    return aborted;
  }

  /** How often it was cut; told after its end. */
  int cuts() {
    return cuts.get();
  }

  /**
   * Takes a hold, to be given back by {@link #release}; false once the segment is gone. A sealed
   * one is used under a hold only: without it, its files may be closed at any time.
   */
  public boolean retain() {
    int now = holds.get();
    while (now != 0 && now != CLOSING) {
      if (now < 0) {
        Thread.onSpinWait();
      } else if (holds.compareAndSet(now, now + 1)) {
        return true;
      }
      now = holds.get();
    }
    return false;
  }

  /**
   * As {@link #retain}, for a caller who can only miss it because the log was closed.
   *
   * @throws KafkaStorageException once the segment is gone
   */
  public void require() {
    if (!retain()) {
      throw new KafkaStorageException(this + " is closed");
    }
  }

  /** The log gives its own hold back, which every segment begins with; readers go on. */
  public void leave() {
    left = true; // first: the one hold that is left may be a reader's
    release();
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
   * Closes the files of a sealed segment that nobody has a hold on; they open again on use, for
   * which {@link #retain} waits meanwhile.
   */
  public boolean closeUnused() {
    if (!sealed || !files.anyOpen() || !holds.compareAndSet(1, 1 + CLOSING)) {
      return false;
    }
    boolean still = sealed && !left; // and stays so: who makes it active has a hold
    if (still) {
      closeFiles();
    }
    if (holds.addAndGet(-CLOSING) == 0) {
      closeFiles(); // it was left meanwhile, by who could not know that nobody else closes it
    }
    return still;
  }

  /**
   * As {@link #rest}, whatever its state, while nobody but the caller knows the segment. What an
   * active one has of indexes is in memory and stays there.
   */
  public void closeUnshared() {
    closeFiles();
  }

  private void closeFiles() {
    synchronized (this) {
      indexed = !sealed;
      files.close();
    }
    all.closed(this);
  }

  /** For readers with a hold. */
  public FileChannel channel() throws IOException {
    touched = true;
    return log(false).channel();
  }

  private Disk.File log(boolean create) throws IOException {
    Disk.File now = files.log();
    if (now == null) {
      synchronized (this) {
        now = files.openLog(create);
      }
      opened();
    }
    return now;
  }

  private void opened() {
    if (sealed) {
      all.opened(this);
    }
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
      opened();
    }
  }

  private synchronized void openStoredIndexes() throws IOException {
    if (indexed) {
      return;
    }
    Disk.File file = files.openIndex(LogFiles.INDEX);
    offsets.storeIn(file, (int) (file.sizeBytes() / OffsetIndex.ENTRY_BYTES));
    file = files.openIndex(LogFiles.TIME_INDEX);
    times.storeIn(file, (int) (file.sizeBytes() / TimeIndex.ENTRY_BYTES));
    indexed = true;
  }

  /** Largest timestamp in ms, or -1; may read the time index: for those with a hold. */
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

  public boolean fits(int sizeBytes, int segmentBytes) {
    return end.sizeBytes <= segmentBytes - sizeBytes;
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

  /** The next one takes the appends; this one waits for {@link #seal}. */
  public void rolled() {
    all.rolled(this);
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
    all.settled(this);
    opened();
  }

  private synchronized void writeIndexes() throws IOException {
    if (maxTimestamp >= 0) {
      times.append(maxTimestamp, (int) (maxTimestampOffset - baseOffset));
    }
    files.store(LogFiles.INDEX, offsets.encode());
    files.store(LogFiles.TIME_INDEX, times.encode());
    indexed = false;
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
    files.deleteIndexes();
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
    all.settled(this);
    if (!sealed) {
      return;
    }
    require();
    try {
      offsets().load();
      times().load();
      sealed = false;
      indexed = true;
      noteTail();
      all.closed(this);
    } finally {
      release();
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
    files.rename(newSuffix);
    aborted.moved(files.path(LogFiles.TXN_INDEX));
  }

  /** The directory was renamed; open files stay so. */
  public synchronized void moved(Path newDirectory) {
    files.moved(newDirectory);
    aborted.moved(files.path(LogFiles.TXN_INDEX));
  }

  /** Deletes the files, whatever their suffix. Readers with a hold go on. */
  public synchronized void delete() throws IOException {
    files.delete();
  }

  @Override
  public String toString() {
    return path() + " to " + end.nextOffset;
  }
}
