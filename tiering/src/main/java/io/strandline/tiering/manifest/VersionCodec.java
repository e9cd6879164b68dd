package io.strandline.tiering.manifest;

import static io.strandline.tiering.manifest.index.EntryCodec.readCount;
import static io.strandline.tiering.manifest.index.EntryCodec.readPage;
import static io.strandline.tiering.manifest.index.EntryCodec.readPages;
import static io.strandline.tiering.manifest.index.EntryCodec.readPartition;
import static io.strandline.tiering.manifest.index.EntryCodec.readSegments;
import static io.strandline.tiering.manifest.index.EntryCodec.readUuid;
import static io.strandline.tiering.manifest.index.EntryCodec.writePage;
import static io.strandline.tiering.manifest.index.EntryCodec.writePages;
import static io.strandline.tiering.manifest.index.EntryCodec.writePartition;
import static io.strandline.tiering.manifest.index.EntryCodec.writeSegments;
import static io.strandline.tiering.manifest.index.EntryCodec.writeUuid;

import io.strandline.tiering.manifest.ManifestVersion.Dropped;
import io.strandline.tiering.manifest.ManifestVersion.Step;
import io.strandline.tiering.manifest.index.CorruptManifestException;
import io.strandline.tiering.manifest.index.EntryCodec;
import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.manifest.index.TierIndex;
import io.strandline.tiering.manifest.retired.RetiredRun;
import io.strandline.tiering.segment.SegmentEntry;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.ByteUtils;

/** The bytes of a version; the schema is docs/formats/manifest.md. */
final class VersionCodec {
  /** First bytes: "SLmf". */
  static final int MAGIC = 0x534c6d66;

  /** Written by this release; readers accept it and, once there is one, the one before. */
  static final short VERSION = 1;

  /** No head is longer. */
  static final int MAX_BYTES = 64 << 10;

  private static final int DELETED = 1;
  private static final int UUID_BYTES = 16;
  private static final int MIN_RUN_BYTES = 10;
  private static final int RUN_NAMED = 0;
  private static final int RUN_PAGED = 1;
  private static final int RUN_LISTED = 2;

  private VersionCodec() {}

  static ByteBuffer encode(ManifestVersion version) {
    return EntryCodec.sealed(out -> write(out, version));
  }

  /**
   * @throws CorruptManifestException if the bytes are anything but a version of this partition
   */
  static ManifestVersion decode(TopicIdPartition partition, ByteBuffer bytes) {
    ManifestVersion version = EntryCodec.opened(bytes, VersionCodec::read);
    if (!version.partition().topicId().equals(partition.topicId())
        || version.partition().partition() != partition.partition()) {
      throw new CorruptManifestException(
          "manifest of " + version.partition() + " where " + partition + " should be");
    }
    return version;
  }

  private static void write(DataOutputStream out, ManifestVersion version) throws IOException {
    out.writeInt(MAGIC);
    out.writeShort(VERSION);
    writePartition(out, version.partition());
    out.writeLong(version.number());
    out.writeInt(version.leaderEpoch());
    writeUuid(out, version.nonce());
    ByteUtils.writeUnsignedVarint(version.ancestry().size(), out);
    for (Uuid ancestor : version.ancestry()) {
      writeUuid(out, ancestor);
    }
    ByteUtils.writeVarlong(version.createdMs(), out);
    out.writeByte(version.step().code());
    out.writeByte(version.deleted() ? DELETED : 0);
    ByteUtils.writeVarlong(version.startOffset(), out);
    ByteUtils.writeVarlong(version.endOffset(), out);
    ByteUtils.writeUnsignedVarint(version.segments(), out);
    ByteUtils.writeVarlong(version.segmentBytes(), out);
    ByteUtils.writeUnsignedVarint(version.retiredSegments(), out);
    ByteUtils.writeVarlong(version.compaction().cleanedOffset(), out);
    ByteUtils.writeVarlong(version.compaction().roundEndOffset(), out);
    ByteUtils.writeVarlong(version.compaction().roundOffset(), out);
    out.writeByte(version.index().levels().size());
    for (List<PageRef> level : version.index().levels()) {
      writePages(out, level);
    }
    writeSegments(out, version.index().segments());
    ByteUtils.writeUnsignedVarint(version.retired().size(), out);
    for (RetiredRun run : version.retired()) {
      writeRun(out, run);
    }
    ByteUtils.writeUnsignedVarint(version.dropped().size(), out);
    for (Dropped dropped : version.dropped()) {
      ByteUtils.writeVarlong(dropped.sinceMs(), out);
      writePage(out, dropped.page());
    }
  }

  private static ManifestVersion read(ByteBuffer in) {
    if (in.getInt() != MAGIC) {
      throw new CorruptManifestException("not a manifest");
    }
    short format = in.getShort();
    if (format != VERSION) {
      throw new CorruptManifestException("manifest of format " + format);
    }
    TopicIdPartition partition = readPartition(in);
    long number = in.getLong();
    int leaderEpoch = in.getInt();
    Uuid nonce = readUuid(in);
    List<Uuid> ancestry = new ArrayList<>();
    for (int left = readCount(in, UUID_BYTES); left > 0; left--) {
      ancestry.add(readUuid(in));
    }
    long createdMs = ByteUtils.readVarlong(in);
    byte code = in.get();
    Step step =
        Step.of(code).orElseThrow(() -> new CorruptManifestException("unknown step " + code));
    boolean deleted = EntryCodec.readFlags(in, DELETED) != 0;
    long startOffset = ByteUtils.readVarlong(in);
    long endOffset = ByteUtils.readVarlong(in);
    int segments = ByteUtils.readUnsignedVarint(in);
    long segmentBytes = ByteUtils.readVarlong(in);
    int retiredSegments = ByteUtils.readUnsignedVarint(in);
    Compaction compaction =
        new Compaction(
            ByteUtils.readVarlong(in), ByteUtils.readVarlong(in), ByteUtils.readVarlong(in));
    TierIndex index = readIndex(in);
    List<RetiredRun> retired = readRuns(in);
    List<Dropped> dropped = readDropped(in);
    if (number <= 0 || startOffset < 0 || endOffset < startOffset || segments < 0) {
      throw new CorruptManifestException("impossible version " + number);
    }
    return new ManifestVersion(
        partition,
        number,
        leaderEpoch,
        nonce,
        ancestry,
        createdMs,
        step,
        deleted,
        startOffset,
        endOffset,
        segments,
        segmentBytes,
        retiredSegments,
        compaction,
        index,
        retired,
        dropped);
  }

  private static List<RetiredRun> readRuns(ByteBuffer in) {
    List<RetiredRun> runs = new ArrayList<>();
    for (int left = readCount(in, MIN_RUN_BYTES); left > 0; left--) {
      runs.add(readRun(in));
    }
    return runs;
  }

  private static List<Dropped> readDropped(ByteBuffer in) {
    List<Dropped> dropped = new ArrayList<>();
    for (int left = readCount(in, MIN_RUN_BYTES); left > 0; left--) {
      long sinceMs = ByteUtils.readVarlong(in);
      dropped.add(new Dropped(readPage(in), sinceMs));
    }
    return dropped;
  }

  private static TierIndex readIndex(ByteBuffer in) {
    int levelCount = in.get();
    if (levelCount < 0 || levelCount > PageRef.MAX_LEVELS) {
      throw new CorruptManifestException(levelCount + " levels of index pages");
    }
    List<List<PageRef>> levels = new ArrayList<>();
    for (int level = 0; level < levelCount; level++) {
      levels.add(readPages(in));
    }
    return new TierIndex(levels, readSegments(in));
  }

  private static void writeRun(DataOutputStream out, RetiredRun run) throws IOException {
    ByteUtils.writeVarlong(run.sinceMs(), out);
    if (run instanceof RetiredRun.Named named) {
      out.writeByte(RUN_NAMED);
      writeSegments(out, named.segments());
    } else if (run instanceof RetiredRun.Paged paged) {
      out.writeByte(RUN_PAGED);
      writePage(out, paged.page());
      ByteUtils.writeVarlong(paged.fromOffset(), out);
      ByteUtils.writeVarlong(paged.toOffset(), out);
    } else if (run instanceof RetiredRun.Listed listed) {
      out.writeByte(RUN_LISTED);
      writePage(out, listed.page());
      ByteUtils.writeUnsignedVarint(listed.forgotten(), out);
    }
  }

  private static RetiredRun readRun(ByteBuffer in) {
    long sinceMs = ByteUtils.readVarlong(in);
    int kind = in.get();
    if (kind == RUN_NAMED) {
      List<SegmentEntry> segments = readSegments(in);
      return new RetiredRun.Named(segments, sinceMs);
    }
    if (kind != RUN_PAGED && kind != RUN_LISTED) {
      throw new CorruptManifestException("unknown kind of run " + kind);
    }
    PageRef page = readPage(in);
    if (kind == RUN_LISTED) {
      return new RetiredRun.Listed(page, ByteUtils.readUnsignedVarint(in), sinceMs);
    }
    long from = ByteUtils.readVarlong(in);
    long to = ByteUtils.readVarlong(in);
    return new RetiredRun.Paged(page, from, to, sinceMs);
  }
}
