package io.strandline.tiering;

import io.strandline.tiering.manifest.CommittedSegment;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.seal.SegmentSource;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.TestLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/** A hot log of sealed files with real batches and no active segment. */
final class TestHotLog implements SegmentSource, LocalSegments {
  private final Path directory;
  private final TopicIdPartition partition;
  private final List<SealedSegment> segments = new ArrayList<>();
  private long logStart;
  private long logEnd;

  TestHotLog(Path directory, int partition) throws IOException {
    this.directory = Files.createDirectories(directory.resolve("p" + partition));
    this.partition = new TopicIdPartition(new Uuid(7, 9), partition, "trips");
  }

  TestHotLog startAt(long offset) {
    logStart = offset;
    logEnd = offset;
    return this;
  }

  /** Empty, and what lies below is tiered. */
  TestHotLog goOnAt(long offset) {
    logEnd = offset;
    return this;
  }

  /** Seals another segment of so many batches; the seed tells their bytes. */
  TestHotLog seal(long seed, int batches) {
    TestLog written =
        TestLog.write(directory.resolve(logEnd + "-" + seed + ".log"), seed, logEnd, batches);
    return sealAs(written, logEnd);
  }

  /** Seals what another replica wrote, cut at a border of its own. */
  TestHotLog sealAs(TestLog written, long baseOffset) {
    long maxTimestamp =
        written.batches.stream().mapToLong(TestLog.Written::maxTimestamp).max().orElse(-1);
    segments.add(
        new SealedSegment(
            partition,
            baseOffset,
            written.endOffset,
            written.bytes,
            maxTimestamp,
            written.file,
            List.of(),
            Optional.empty(),
            List.of(new EpochStart(1, 0))));
    logEnd = written.endOffset;
    return this;
  }

  /** Seals what has been written elsewhere. */
  TestHotLog add(SealedSegment sealed) {
    segments.add(sealed);
    logEnd = sealed.endOffset();
    return this;
  }

  long end() {
    return logEnd;
  }

  List<SealedSegment> segments() {
    return segments;
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
    return logStart;
  }

  @Override
  public long localLogStartOffset() {
    long local = segments.isEmpty() ? logEnd : segments.get(0).baseOffset();
    return Math.max(logStart, local);
  }

  @Override
  public long logEndOffset() {
    return logEnd;
  }

  @Override
  public long sizeBytes() {
    return segments.stream().mapToLong(SealedSegment::logBytes).sum();
  }

  @Override
  public void advanceLogStart(long newStartOffset) {
    logStart = Math.max(logStart, newStartOffset);
    remove(logStart);
  }

  @Override
  public long release(CommittedSegment segment) {
    return remove(segment.entry().endOffset());
  }

  private long remove(long belowOffset) {
    long before = sizeBytes();
    for (SealedSegment s : List.copyOf(segments)) {
      if (s.endOffset() <= belowOffset) {
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

  /** Whether all of it is in the tier. */
  boolean isTiered(TierPipeline pipeline) {
    return pipeline.progress(partition).filter(p -> p.tieredEndOffset() == end()).isPresent();
  }
}
