package io.strandline.tests.cost;

import io.strandline.tiering.manifest.CommittedSegment;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.seal.SegmentSource;
import io.strandline.tiering.segment.EpochStart;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** A hot log of long sealed segments, made of one batch over and over under rising offsets. */
final class SealedFiles implements SegmentSource, LocalSegments {
  private static final int BATCH_BYTES = 1 << 20;

  private final Path directory;
  private final TopicIdPartition partition =
      new TopicIdPartition(new Uuid(3, 5), 0, "a-gib-of-history");
  private final List<SealedSegment> segments = new ArrayList<>();
  private final ByteBuffer batch;
  private long end;

  SealedFiles(Path directory) {
    this.directory = directory;
    byte[] value = new byte[BATCH_BYTES - 80];
    new Random(1).nextBytes(value);
    MemoryRecords records =
        MemoryRecords.withRecords(
            (byte) 2,
            0,
            Compression.NONE,
            TimestampType.CREATE_TIME,
            new SimpleRecord(1_000, null, value));
    batch = ByteBuffer.allocateDirect(records.sizeInBytes());
    batch.put(records.buffer().duplicate()).flip();
  }

  /** Seals a segment of at least so many bytes. */
  void seal(long bytes) {
    long base = end;
    long written = 0;
    Path file = directory.resolve(base + ".log");
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      while (written < bytes) {
        batch.putLong(0, end++);
        written += out.write(batch.duplicate());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    segments.add(
        new SealedSegment(
            partition,
            base,
            end,
            written,
            1_000,
            file,
            List.of(),
            Optional.empty(),
            List.of(new EpochStart(0, 0))));
  }

  int batchBytes() {
    return batch.remaining();
  }

  long end() {
    return end;
  }

  @Override
  public TopicIdPartition partition() {
    return partition;
  }

  @Override
  public List<SealedSegment> sealedSegments(long fromOffset, long limitOffset, int max) {
    return segments.stream()
        .filter(s -> s.endOffset() > fromOffset && s.endOffset() <= limitOffset)
        .limit(max)
        .toList();
  }

  @Override
  public long logStartOffset() {
    return 0;
  }

  @Override
  public long localLogStartOffset() {
    return segments.isEmpty() ? end : segments.get(0).baseOffset();
  }

  @Override
  public long logEndOffset() {
    return Long.MAX_VALUE; // more is written all the time
  }

  @Override
  public long sizeBytes() {
    return segments.stream().mapToLong(SealedSegment::logBytes).sum();
  }

  @Override
  public void advanceLogStart(long newStartOffset) {
    throw new UnsupportedOperationException("nothing expires here");
  }

  @Override
  public long release(CommittedSegment segment) {
    long before = sizeBytes();
    for (SealedSegment s : List.copyOf(segments)) {
      if (s.endOffset() <= segment.entry().endOffset()) {
        try {
          Files.delete(s.log());
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        segments.remove(s);
      }
    }
    return before - sizeBytes();
  }
}
