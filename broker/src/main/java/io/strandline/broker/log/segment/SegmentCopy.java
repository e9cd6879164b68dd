package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * A segment's files in another directory, brought up to what the segment is, step by step, while it
 * is in use. Steps that read and steps that write are apart, because either disk may fail. Threads:
 * one at a time, beside the segment's writer; who reads has a hold of the segment.
 */
public final class SegmentCopy {
  private static final List<String> INDEXES =
      List.of(LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX);

  private final OpenSegments on;
  private final Disk disk;
  private final LogSegment from;
  private final int cuts;
  private final Path directory;
  private int copiedBytes;
  private boolean whole;

  private SegmentCopy(OpenSegments on, LogSegment from, Path directory) {
    this.on = on;
    this.disk = on.disk();
    this.from = from;
    this.cuts = from.cuts();
    this.directory = directory;
  }

  /** Begins with nothing; writes. What is there of another segment of that base goes. */
  public static SegmentCopy begin(OpenSegments on, LogSegment from, Path directory)
      throws IOException {
    SegmentCopy copy = new SegmentCopy(on, from, directory);
    copy.delete();
    copy.write(ByteBuffer.allocate(0));
    return copy;
  }

  /** Whether it is of this segment, and nothing was cut off that since. */
  public boolean of(LogSegment segment) {
    return segment == from && segment.cuts() == cuts;
  }

  /** Of batches that are not copied yet. */
  public int missingBytes() {
    return from.end().sizeBytes() - copiedBytes;
  }

  public int copiedBytes() {
    return copiedBytes;
  }

  /** Whether all of a sealed segment is here, indexes included, and durable but for its names. */
  public boolean whole() {
    return whole;
  }

  /** The next bytes, as many as there are or the buffer takes; to be written next. */
  public ByteBuffer read(ByteBuffer into) throws IOException {
    into.clear().limit(Math.max(0, Math.min(into.capacity(), missingBytes())));
    Channels.readFully(from.channel(), into, copiedBytes);
    return into.flip();
  }

  public void write(ByteBuffer bytes) throws IOException {
    int length = bytes.remaining();
    try (Disk.File file = disk.open(log(), true)) {
      file.write(bytes, copiedBytes);
    }
    copiedBytes += length;
  }

  /** A sealed segment's index files, by their kind. */
  public Map<String, ByteBuffer> readIndexes() throws IOException {
    Map<String, ByteBuffer> read = new LinkedHashMap<>();
    for (String kind : INDEXES) {
      Path file = LogFiles.of(parentOf(from.path()), from.baseOffset(), kind);
      if (disk.exists(file)) {
        read.put(kind, ByteBuffer.wrap(Files.readAllBytes(file)));
      }
    }
    return read;
  }

  private static Path parentOf(Path file) {
    Path parent = file.getParent();
    return parent == null ? file : parent;
  }

  /** The last step of a sealed segment all of whose batches are here. */
  public void writeIndexes(Map<String, ByteBuffer> indexes) throws IOException {
    for (var index : indexes.entrySet()) {
      try (Disk.File file = disk.open(of(index.getKey()), true)) {
        file.truncate(0);
        file.write(index.getValue(), 0);
        file.force();
      }
    }
    force();
    whole = true;
  }

  /** The batches that are here become durable. */
  public void force() throws IOException {
    try (Disk.File file = disk.open(log(), true)) {
      file.force();
    }
  }

  /** The segment of another log that is whole here, its files in that directory by now. */
  public LogSegment sealedIn(Path place) throws IOException {
    LogSegment segment = LogSegment.stored(on, place, from.baseOffset(), from.end());
    segment.begun(from.createdMs());
    return segment;
  }

  /**
   * The active segment of another log, of what is here; reads and checks all of it. Its index of
   * aborted transactions is written and durable.
   *
   * @throws KafkaStorageException when what was copied are no whole batches
   */
  public LogSegment activeIn(Path place, int indexIntervalBytes) throws IOException {
    LogSegment.End end = new LogSegment.End(copiedBytes, from.baseOffset());
    LogSegment segment = LogSegment.stored(on, place, from.baseOffset(), end);
    segment.restart();
    BatchScanner scanner = new BatchScanner(segment.channel(), 0, copiedBytes);
    for (RecordBatch batch = scanner.next(); batch != null; batch = scanner.next()) {
      batch.ensureValid();
      segment.index(
          batch.lastOffset(),
          batch.maxTimestamp(),
          (int) scanner.batchPositionBytes(),
          batch.sizeInBytes(),
          indexIntervalBytes);
      segment.publish((int) scanner.positionBytes(), batch.lastOffset() + 1);
    }
    if (scanner.positionBytes() != copiedBytes) {
      throw new KafkaStorageException("a copy of " + from + " ends at " + segment.end());
    }
    segment.publish(copiedBytes, from.end().nextOffset());
    for (var aborted : from.aborted().entries()) {
      segment.aborted().append(aborted);
    }
    segment.begun(from.createdMs());
    segment.force();
    return segment;
  }

  /** Nothing of it stays. */
  public void delete() throws IOException {
    disk.delete(log());
    for (String kind : INDEXES) {
      disk.delete(of(kind));
    }
  }

  private Path log() {
    return of(LogFiles.LOG);
  }

  private Path of(String kind) {
    return LogFiles.of(directory, from.baseOffset(), kind);
  }
}
