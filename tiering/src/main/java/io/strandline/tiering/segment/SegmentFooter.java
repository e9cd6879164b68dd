package io.strandline.tiering.segment;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.apache.kafka.common.Uuid;

/**
 * The fixed-size end of a tiered segment; docs/formats/segment.md tells its fields byte by byte.
 *
 * @param facts what the segment says of itself
 * @param dataBytes length of the batches
 * @param dataCrc32c of the batches
 * @param sections length and checksum of each {@link Section}, by ordinal
 * @param segmentCrc32c of everything before the footer
 */
public record SegmentFooter(
    Facts facts, long dataBytes, int dataCrc32c, List<SectionSum> sections, int segmentCrc32c) {
  public SegmentFooter {
    sections = List.copyOf(sections);
  }

  /** Length of the footer in format version 1. */
  public static final int BYTES = 136;

  /** How many bytes at the very end every version has: checksum, length of the footer, magic. */
  static final int TRAILER_BYTES = 12;

  static final int MAGIC = 0x5354_5244;
  static final int FLAG_ABORTED = 1;

  private static final int CHECKED_BYTES = BYTES - TRAILER_BYTES;

  /** What lies between batches and footer, in this order and without gaps. */
  public enum Section {
    OFFSET_INDEX(8),
    TIME_INDEX(12),
    TRANSACTION_INDEX(32),
    LEADER_EPOCHS(12),
    PRODUCER_SNAPSHOT(1);

    private final int entryBytes;

    Section(int entryBytes) {
      this.entryBytes = entryBytes;
    }

    int entryBytes() {
      return entryBytes;
    }
  }

  /** Length and checksum of a section. */
  public record SectionSum(int lengthBytes, int crc32c) {}

  /**
   * @param maxTimestamp largest record timestamp in ms, or -1
   * @param leaderEpoch of the last batch, or -1
   */
  public record Facts(
      Uuid topicId,
      int partition,
      long baseOffset,
      long endOffset,
      long maxTimestamp,
      int leaderEpoch,
      int batchCount,
      long recordCount,
      boolean abortedTransactions) {}

  /** Length of one section. */
  public int lengthBytes(Section section) {
    return sections.get(List.of(Section.values()).indexOf(section)).lengthBytes();
  }

  /** Length of all sections. */
  public int sectionsBytes() {
    int sum = 0;
    for (SectionSum s : sections) {
      sum = Math.addExact(sum, s.lengthBytes());
    }
    return sum;
  }

  ByteBuffer encode() {
    ByteBuffer b = ByteBuffer.allocate(BYTES);
    b.putInt(MAGIC).putShort(SegmentFormat.VERSION);
    b.putShort((short) (facts.abortedTransactions ? FLAG_ABORTED : 0));
    b.putLong(facts.topicId.getMostSignificantBits());
    b.putLong(facts.topicId.getLeastSignificantBits());
    b.putInt(facts.partition).putInt(facts.leaderEpoch);
    b.putLong(facts.baseOffset).putLong(facts.endOffset).putLong(facts.maxTimestamp);
    b.putInt(facts.batchCount).putLong(facts.recordCount);
    b.putLong(dataBytes).putInt(dataCrc32c);
    for (SectionSum s : sections) {
      b.putInt(s.lengthBytes).putInt(s.crc32c);
    }
    b.putInt(segmentCrc32c);
    b.putInt(crc(b.array(), CHECKED_BYTES)).putInt(BYTES).putInt(MAGIC);
    return b.flip();
  }

  /**
   * Reads the footer that ends the buffer.
   *
   * @throws SegmentFormatException if there is none that this release understands
   */
  public static SegmentFooter decode(ByteBuffer end) {
    if (end.remaining() < BYTES) {
      throw new SegmentFormatException("a footer is cut at " + end.remaining() + " bytes");
    }
    ByteBuffer b = end.slice(end.limit() - BYTES, BYTES);
    int length = b.getInt(BYTES - 8);
    if (b.getInt(BYTES - 4) != MAGIC || length != BYTES || b.getInt(0) != MAGIC) {
      throw new SegmentFormatException("not a footer: no magic, or " + length + " bytes long");
    }
    short version = b.getShort(4);
    if (version < SegmentFormat.VERSION_MIN || version > SegmentFormat.VERSION) {
      throw new SegmentFormatException("format version " + version + " is not known here");
    }
    byte[] copy = new byte[BYTES];
    b.duplicate().get(copy);
    if (crc(copy, CHECKED_BYTES) != b.getInt(CHECKED_BYTES)) {
      throw new SegmentFormatException("the footer is damaged");
    }
    return read(b);
  }

  private static SegmentFooter read(ByteBuffer b) {
    int flags = b.getShort(6);
    if ((flags & ~FLAG_ABORTED) != 0) {
      throw new SegmentFormatException("unknown flags " + Integer.toHexString(flags & 0xffff));
    }
    b.position(8);
    Uuid topicId = new Uuid(b.getLong(), b.getLong());
    int partition = b.getInt();
    int leaderEpoch = b.getInt();
    Facts facts =
        new Facts(
            topicId,
            partition,
            b.getLong(),
            b.getLong(),
            b.getLong(),
            leaderEpoch,
            b.getInt(),
            b.getLong(),
            (flags & FLAG_ABORTED) != 0);
    if (partition < 0
        || facts.baseOffset < 0
        || facts.endOffset <= facts.baseOffset
        || facts.batchCount < 0
        || facts.recordCount < 0) {
      throw new SegmentFormatException("impossible segment " + facts);
    }
    long dataBytes = b.getLong();
    int dataCrc = b.getInt();
    List<SectionSum> sections = new ArrayList<>();
    for (Section s : Section.values()) {
      SectionSum sum = new SectionSum(b.getInt(), b.getInt());
      if (sum.lengthBytes < 0
          || sum.lengthBytes > SegmentFormat.TAIL_BYTES_MAX
          || sum.lengthBytes % s.entryBytes() != 0) {
        throw new SegmentFormatException("section " + s + " of " + sum.lengthBytes + " bytes");
      }
      sections.add(sum);
    }
    return new SegmentFooter(facts, dataBytes, dataCrc, sections, b.getInt());
  }

  private static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
