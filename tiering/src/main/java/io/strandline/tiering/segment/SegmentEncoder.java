package io.strandline.tiering.segment;

import io.strandline.tiering.segment.SegmentFooter.Section;
import io.strandline.tiering.segment.SegmentFooter.SectionSum;
import io.strandline.tiering.store.Payload;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/** One pass over a log file: finds where the segment begins, sums, indexes. */
final class SegmentEncoder {
  private static final int PIECE_BYTES = 256 << 10;

  /** Where in the log file the segment's batches begin, and the offset it then begins with. */
  private record Start(long positionBytes, long baseOffset) {}

  private SegmentEncoder() {}

  static EncodedSegment encode(SegmentParts parts) throws IOException {
    Map<Section, ByteBuffer> sections = new EnumMap<>(Section.class);
    CRC32C crc = new CRC32C();
    IndexBuilder index;
    Start start;
    long dataBytes;
    try (FileChannel log = FileChannel.open(parts.log(), StandardOpenOption.READ)) {
      start = start(log, parts);
      dataBytes = parts.logBytes() - start.positionBytes();
      if (dataBytes > SegmentFormat.DATA_BYTES_MAX
          || parts.endOffset() - start.baseOffset() > 0xffff_ffffL) {
        throw new SegmentFormatException(
            "too large: " + dataBytes + " bytes, offsets " + start + " to " + parts.endOffset());
      }
      index = new IndexBuilder(start.baseOffset(), dataBytes);
      BatchScan scan = new BatchScan(start.baseOffset(), parts.endOffset(), index);
      readAll(log, start.positionBytes(), parts.logBytes(), crc, scan);
    }
    sections.put(Section.OFFSET_INDEX, index.offsetIndex());
    sections.put(Section.TIME_INDEX, index.timeIndex());
    sections.put(Section.TRANSACTION_INDEX, transactions(parts.abortedTransactions()));
    sections.put(Section.LEADER_EPOCHS, epochs(parts.leaderEpochs()));
    sections.put(Section.PRODUCER_SNAPSHOT, snapshot(parts));

    int dataCrc = (int) crc.getValue();
    List<SectionSum> sums = new ArrayList<>();
    List<Payload.Part> payload = new ArrayList<>();
    if (dataBytes > 0) {
      payload.add(new Payload.FileRange(parts.log(), start.positionBytes(), dataBytes));
    }
    ByteBuffer rest = concat(sections, sums);
    crc.update(rest.duplicate().flip());
    SegmentFooter footer =
        new SegmentFooter(index.facts(parts), dataBytes, dataCrc, sums, (int) crc.getValue());
    ByteBuffer end = footer.encode();
    crc.update(end.duplicate());
    payload.add(new Payload.Bytes(rest.put(end).flip()));
    return new EncodedSegment(
        parts.partition(), footer, new Payload(payload), (int) crc.getValue());
  }

  /** Skips batches that end below the start offset. */
  private static Start start(FileChannel log, SegmentParts parts) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(BatchHeader.BYTES);
    long at = 0;
    while (at < parts.logBytes()) {
      head.clear();
      readFully(log, head, at);
      BatchHeader batch = BatchHeader.parse(head.flip());
      if (batch.lastOffset() >= parts.startOffset()) {
        return new Start(at, Math.min(batch.baseOffset(), parts.startOffset()));
      }
      at += batch.sizeBytes();
    }
    if (at > parts.logBytes()) {
      throw new SegmentFormatException("the last batch is cut");
    }
    return new Start(at, parts.startOffset());
  }

  private static void readAll(
      FileChannel log, long fromBytes, long toBytes, CRC32C crc, BatchScan scan)
      throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    for (long at = fromBytes; at < toBytes; at += piece.limit()) {
      piece.clear().limit((int) Math.min(PIECE_BYTES, toBytes - at));
      readFully(log, piece, at);
      piece.flip();
      crc.update(piece.duplicate());
      scan.feed(piece);
    }
    scan.finish();
  }

  private static void readFully(FileChannel log, ByteBuffer into, long position)
      throws IOException {
    long at = position;
    while (into.hasRemaining()) {
      int n = log.read(into, at);
      if (n < 0) {
        throw new EOFException("the log file ends at " + at);
      }
      at += n;
    }
  }

  private static ByteBuffer transactions(List<AbortedTransaction> aborted) {
    ByteBuffer out = ByteBuffer.allocate(aborted.size() * Section.TRANSACTION_INDEX.entryBytes());
    for (AbortedTransaction t : aborted) {
      out.putLong(t.producerId()).putLong(t.firstOffset());
      out.putLong(t.lastOffset()).putLong(t.lastStableOffset());
    }
    return out.flip();
  }

  private static ByteBuffer epochs(List<EpochStart> epochs) {
    ByteBuffer out = ByteBuffer.allocate(epochs.size() * Section.LEADER_EPOCHS.entryBytes());
    epochs.forEach(e -> out.putInt(e.leaderEpoch()).putLong(e.startOffset()));
    return out.flip();
  }

  private static ByteBuffer snapshot(SegmentParts parts) throws IOException {
    if (parts.producerSnapshot().isEmpty()) {
      return ByteBuffer.allocate(0);
    }
    Path file = parts.producerSnapshot().get();
    long bytes = Files.size(file);
    if (bytes > SegmentFormat.TAIL_BYTES_MAX / 2) {
      throw new SegmentFormatException("a producer snapshot of " + bytes + " bytes");
    }
    return ByteBuffer.wrap(Files.readAllBytes(file));
  }

  /** Joins the sections, with room for the footer, and notes their sums. */
  private static ByteBuffer concat(Map<Section, ByteBuffer> sections, List<SectionSum> sums) {
    int bytes = sections.values().stream().mapToInt(ByteBuffer::remaining).sum();
    if (bytes > SegmentFormat.TAIL_BYTES_MAX - SegmentFooter.BYTES) {
      throw new SegmentFormatException("a tail of " + bytes + " bytes");
    }
    ByteBuffer all = ByteBuffer.allocate(bytes + SegmentFooter.BYTES);
    for (Section section : Section.values()) {
      ByteBuffer part = sections.getOrDefault(section, ByteBuffer.allocate(0));
      CRC32C crc = new CRC32C();
      crc.update(part.duplicate());
      sums.add(new SectionSum(part.remaining(), (int) crc.getValue()));
      all.put(part);
    }
    return all;
  }
}
