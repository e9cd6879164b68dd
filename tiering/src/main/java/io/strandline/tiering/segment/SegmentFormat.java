package io.strandline.tiering.segment;

import io.strandline.tiering.segment.SegmentFooter.Facts;
import io.strandline.tiering.segment.SegmentFooter.Section;
import io.strandline.tiering.segment.SegmentFooter.SectionSum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.Map;
import java.util.zip.CRC32C;

/** The codec of a tiered segment; the schema is docs/formats/segment.md. Threads: any. */
public final class SegmentFormat {
  /** Written by this release; readers accept it and the one before. */
  public static final short VERSION = 1;

  static final short VERSION_MIN = 1;

  /** No sane producer snapshot makes a tail longer. */
  static final int TAIL_BYTES_MAX = 64 << 20;

  /** Positions are unsigned 32-bit numbers. */
  static final long DATA_BYTES_MAX = 0xffff_ffffL;

  private SegmentFormat() {}

  /**
   * Reads the log file once, in pieces, and makes the rest of the segment from it. The payload
   * names the file; it is not loaded.
   *
   * @throws SegmentFormatException if the file does not hold sound batches of magic 2 within the
   *     offsets
   */
  public static EncodedSegment encode(SegmentParts parts) throws IOException {
    return SegmentEncoder.encode(parts);
  }

  /** Where in the object the tail (indexes and footer) of a segment begins. */
  public static long tailPositionBytes(SegmentEntry entry) {
    return entry.positionBytes() + entry.dataBytes();
  }

  /**
   * Length of the tail.
   *
   * @throws SegmentFormatException if no sane tail is that long
   */
  public static int tailBytes(SegmentEntry entry) {
    long bytes = entry.lengthBytes() - entry.dataBytes();
    if (bytes > TAIL_BYTES_MAX || bytes < SegmentFooter.BYTES) {
      throw new SegmentFormatException("a tail of " + bytes + " bytes");
    }
    return (int) bytes;
  }

  /**
   * Reads the tail of a segment, from {@link #tailPositionBytes} to its end.
   *
   * @throws SegmentFormatException if it is damaged or not the one that the entry names
   */
  public static SegmentIndex decode(SegmentEntry entry, ByteBuffer tail) {
    SegmentFooter footer = SegmentFooter.decode(tail);
    if (!isThatOf(entry, footer) || tail.remaining() != tailBytes(entry)) {
      throw new SegmentFormatException(
          "the object " + entry.object() + " is another than the manifest names: " + footer);
    }
    return decodeSections(footer, tail);
  }

  /**
   * Reads a tail whose entry is not known.
   *
   * @param tail ends with the segment; may begin before the tail does
   * @throws SegmentFormatException if it is damaged, or begins too late
   */
  public static SegmentIndex decode(ByteBuffer tail) {
    SegmentFooter footer = SegmentFooter.decode(tail);
    int bytes = footer.sectionsBytes() + SegmentFooter.BYTES;
    if (tail.remaining() < bytes) {
      throw new SegmentFormatException(
          "the tail has " + bytes + " bytes, here are " + tail.remaining());
    }
    return decodeSections(footer, tail.slice(tail.limit() - bytes, bytes));
  }

  private static SegmentIndex decodeSections(SegmentFooter footer, ByteBuffer tail) {
    if (footer.sectionsBytes() + SegmentFooter.BYTES != tail.remaining()
        || footer.dataBytes() < 0
        || footer.dataBytes() > DATA_BYTES_MAX) {
      throw new SegmentFormatException("the sections do not fill the tail");
    }
    Map<Section, ByteBuffer> sections = new EnumMap<>(Section.class);
    int at = tail.position();
    Iterator<SectionSum> sums = footer.sections().iterator();
    for (Section section : Section.values()) {
      SectionSum sum = sums.next();
      ByteBuffer bytes = tail.slice(at, sum.lengthBytes());
      CRC32C crc = new CRC32C();
      crc.update(bytes.duplicate());
      if ((int) crc.getValue() != sum.crc32c()) {
        throw new SegmentFormatException("section " + section + " is damaged");
      }
      sections.put(section, bytes);
      at += sum.lengthBytes();
    }
    return new SegmentIndex(footer, sections);
  }

  private static boolean isThatOf(SegmentEntry entry, SegmentFooter footer) {
    Facts facts = footer.facts();
    return facts.topicId().equals(entry.origin().topicId())
        && facts.partition() == entry.origin().partition()
        && facts.baseOffset() == entry.baseOffset()
        && facts.endOffset() == entry.endOffset()
        && facts.maxTimestamp() == entry.maxTimestamp()
        && facts.leaderEpoch() == entry.leaderEpoch()
        && facts.abortedTransactions() == entry.abortedTransactions()
        && footer.dataBytes() == entry.dataBytes();
  }
}
