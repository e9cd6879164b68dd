package io.strandline.tiering.manifest.index;

import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectKey;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.ByteUtils;
import org.apache.kafka.common.utils.Crc32C;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of segments, references and pages; the schema is docs/formats/manifest.md. Reading
 * allocates no more than the bytes at hand could hold and fails with {@link
 * CorruptManifestException} and nothing else.
 */
public final class EntryCodec {
  /** First bytes of a page: "SLip". */
  static final int PAGE_MAGIC = 0x534c6970;

  /** Written by this release. */
  static final short PAGE_VERSION = 1;

  private static final int ABORTED = 1;
  private static final int SAME_OWNER = 2;
  private static final int SAME_ORIGIN = 4;
  private static final int MIN_SEGMENT_BYTES = 16;
  private static final int MIN_REF_BYTES = 28;

  private EntryCodec() {}

  /** Something that writes into memory. */
  public interface Body {
    void write(DataOutputStream out) throws IOException;
  }

  /**
   * A byte of flags, of which only these are known: what a later one means for the bytes behind it
   * nobody here can say.
   *
   * @throws CorruptManifestException if there are others
   */
  public static int readFlags(ByteBuffer in, int known) {
    int flags = in.get();
    if ((flags & ~known) != 0) {
      throw new CorruptManifestException("unknown flags " + Integer.toBinaryString(flags & 0xff));
    }
    return flags;
  }

  /** The body's bytes with their CRC32C behind them. */
  public static ByteBuffer sealed(Body body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(4096);
    try {
      DataOutputStream out = new DataOutputStream(bytes);
      body.write(out);
      byte[] soFar = bytes.toByteArray();
      out.writeInt((int) Crc32C.compute(soFar, 0, soFar.length));
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return ByteBuffer.wrap(bytes.toByteArray()).asReadOnlyBuffer();
  }

  /** Reads what {@link #sealed} wrote; every oddity becomes a {@link CorruptManifestException}. */
  public static <T> T opened(ByteBuffer bytes, Function<ByteBuffer, T> body) {
    ByteBuffer in = bytes.slice();
    if (in.remaining() < Integer.BYTES) {
      throw new CorruptManifestException("only " + in.remaining() + " bytes");
    }
    int length = in.remaining() - Integer.BYTES;
    if ((int) Crc32C.compute(in, 0, length) != in.getInt(length)) {
      throw new CorruptManifestException("checksum does not match");
    }
    in.limit(length);
    try {
      T value = body.apply(in);
      if (in.hasRemaining()) {
        throw new CorruptManifestException(in.remaining() + " bytes too many");
      }
      return value;
    } catch (IllegalArgumentException | BufferUnderflowException | IndexOutOfBoundsException e) {
      throw new CorruptManifestException("not what the format says", e);
    }
  }

  static ByteBuffer encode(IndexPage page) {
    return sealed(
        out -> {
          out.writeInt(PAGE_MAGIC);
          out.writeShort(PAGE_VERSION);
          out.writeByte(page.level());
          if (page.level() == 0) {
            writeSegments(out, page.segments());
          } else {
            writePages(out, page.pages());
          }
        });
  }

  static IndexPage decodePage(ByteBuffer bytes) {
    return opened(
        bytes,
        in -> {
          if (in.getInt() != PAGE_MAGIC) {
            throw new CorruptManifestException("not an index page");
          }
          short version = in.getShort();
          if (version != PAGE_VERSION) {
            throw new CorruptManifestException("index page of format " + version);
          }
          int level = in.get();
          return level == 0
              ? IndexPage.ofSegments(readSegments(in))
              : IndexPage.ofPages(level, readPages(in));
        });
  }

  public static void writeSegments(DataOutputStream out, List<SegmentEntry> segments)
      throws IOException {
    ByteUtils.writeUnsignedVarint(segments.size(), out);
    SegmentEntry previous = null;
    for (SegmentEntry segment : segments) {
      writeSegment(out, segment, previous);
      previous = segment;
    }
  }

  public static List<SegmentEntry> readSegments(ByteBuffer in) {
    int count = readCount(in, MIN_SEGMENT_BYTES);
    List<SegmentEntry> segments = new ArrayList<>(count);
    SegmentEntry previous = null;
    for (int i = 0; i < count; i++) {
      previous = readSegment(in, previous);
      segments.add(previous);
    }
    return segments;
  }

  private static void writeSegment(
      DataOutputStream out, SegmentEntry entry, @Nullable SegmentEntry previous)
      throws IOException {
    boolean sameOwner = previous != null && previous.ownerCluster().equals(entry.ownerCluster());
    boolean sameOrigin = previous != null && previous.origin().equals(entry.origin());
    out.writeByte(
        (entry.abortedTransactions() ? ABORTED : 0)
            | (sameOwner ? SAME_OWNER : 0)
            | (sameOrigin ? SAME_ORIGIN : 0));
    if (!sameOwner) {
      writeString(out, entry.ownerCluster());
    }
    if (!sameOrigin) {
      writePartition(out, entry.origin());
    }
    String before = previous == null ? "" : previous.object().value();
    int shared = sharedPrefix(before, entry.object().value());
    ByteUtils.writeUnsignedVarint(shared, out);
    writeString(out, entry.object().value().substring(shared));
    ByteUtils.writeVarlong(entry.positionBytes(), out);
    ByteUtils.writeVarlong(entry.lengthBytes(), out);
    ByteUtils.writeVarlong(entry.dataBytes(), out);
    ByteUtils.writeUnsignedVarint(entry.footerBytes(), out);
    out.writeInt(entry.crc32c());
    ByteUtils.writeVarlong(entry.baseOffset() - (previous == null ? 0 : previous.endOffset()), out);
    ByteUtils.writeVarlong(entry.endOffset() - entry.baseOffset(), out);
    ByteUtils.writeVarlong(
        entry.maxTimestamp() - (previous == null ? 0 : previous.maxTimestamp()), out);
    ByteUtils.writeVarint(entry.leaderEpoch(), out);
  }

  private static SegmentEntry readSegment(ByteBuffer in, @Nullable SegmentEntry previous) {
    int flags = readFlags(in, ABORTED | SAME_OWNER | SAME_ORIGIN);
    String owner = (flags & SAME_OWNER) != 0 ? of(previous).ownerCluster() : readString(in);
    TopicIdPartition origin =
        (flags & SAME_ORIGIN) != 0 ? of(previous).origin() : readPartition(in);
    int shared = ByteUtils.readUnsignedVarint(in);
    String before = previous == null ? "" : previous.object().value();
    ObjectKey object = ObjectKey.of(before.substring(0, shared) + readString(in));
    long position = ByteUtils.readVarlong(in);
    long length = ByteUtils.readVarlong(in);
    long data = ByteUtils.readVarlong(in);
    int footer = ByteUtils.readUnsignedVarint(in);
    int crc32c = in.getInt();
    long base = ByteUtils.readVarlong(in) + (previous == null ? 0 : previous.endOffset());
    long end = ByteUtils.readVarlong(in) + base;
    long timestamp = ByteUtils.readVarlong(in) + (previous == null ? 0 : previous.maxTimestamp());
    int epoch = ByteUtils.readVarint(in);
    boolean aborted = (flags & ABORTED) != 0;
    return new SegmentEntry(
        owner, origin, object, position, length, data, footer, crc32c, base, end, timestamp, epoch,
        aborted);
  }

  private static SegmentEntry of(@Nullable SegmentEntry previous) {
    if (previous == null) {
      throw new CorruptManifestException("the first segment refers to one before it");
    }
    return previous;
  }

  public static void writePages(DataOutputStream out, List<PageRef> pages) throws IOException {
    ByteUtils.writeUnsignedVarint(pages.size(), out);
    for (PageRef page : pages) {
      writePage(out, page);
    }
  }

  public static List<PageRef> readPages(ByteBuffer in) {
    int count = readCount(in, MIN_REF_BYTES);
    List<PageRef> pages = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      pages.add(readPage(in));
    }
    return pages;
  }

  public static void writePage(DataOutputStream out, PageRef page) throws IOException {
    writeUuid(out, page.writer());
    ByteUtils.writeUnsignedVarint(page.sequence(), out);
    out.writeByte(page.level());
    ByteUtils.writeUnsignedVarint(page.lengthBytes(), out);
    out.writeInt(page.crc32c());
    ByteUtils.writeVarlong(page.baseOffset(), out);
    ByteUtils.writeVarlong(page.endOffset() - page.baseOffset(), out);
    ByteUtils.writeVarlong(page.maxTimestamp(), out);
    ByteUtils.writeUnsignedVarint(page.segments(), out);
    ByteUtils.writeVarlong(page.segmentBytes(), out);
  }

  public static PageRef readPage(ByteBuffer in) {
    Uuid writer = readUuid(in);
    int sequence = ByteUtils.readUnsignedVarint(in);
    int level = in.get();
    int length = ByteUtils.readUnsignedVarint(in);
    int crc32c = in.getInt();
    long base = ByteUtils.readVarlong(in);
    long end = base + ByteUtils.readVarlong(in);
    long timestamp = ByteUtils.readVarlong(in);
    int segments = ByteUtils.readUnsignedVarint(in);
    long bytes = ByteUtils.readVarlong(in);
    return new PageRef(
        writer, sequence, level, length, crc32c, base, end, timestamp, segments, bytes);
  }

  public static void writePartition(DataOutputStream out, TopicIdPartition partition)
      throws IOException {
    writeUuid(out, partition.topicId());
    ByteUtils.writeUnsignedVarint(partition.partition(), out);
    writeString(out, partition.topic());
  }

  public static TopicIdPartition readPartition(ByteBuffer in) {
    Uuid topicId = readUuid(in);
    int partition = ByteUtils.readUnsignedVarint(in);
    return new TopicIdPartition(topicId, partition, readString(in));
  }

  public static void writeUuid(DataOutputStream out, Uuid uuid) throws IOException {
    out.writeLong(uuid.getMostSignificantBits());
    out.writeLong(uuid.getLeastSignificantBits());
  }

  public static Uuid readUuid(ByteBuffer in) {
    return new Uuid(in.getLong(), in.getLong());
  }

  /** A count of things of which each takes at least so many bytes. */
  public static int readCount(ByteBuffer in, int minBytes) {
    int count = ByteUtils.readUnsignedVarint(in);
    if (count < 0 || count > in.remaining() / minBytes) {
      throw new CorruptManifestException(count + " items in " + in.remaining() + " bytes");
    }
    return count;
  }

  private static void writeString(DataOutputStream out, String value) throws IOException {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    ByteUtils.writeUnsignedVarint(bytes.length, out);
    out.write(bytes);
  }

  private static String readString(ByteBuffer in) {
    byte[] bytes = new byte[readCount(in, 1)];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static int sharedPrefix(String a, String b) {
    int shared = 0;
    while (shared < a.length() && shared < b.length() && a.charAt(shared) == b.charAt(shared)) {
      shared++;
    }
    return shared;
  }
}
