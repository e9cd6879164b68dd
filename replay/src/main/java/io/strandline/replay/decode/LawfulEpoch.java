package io.strandline.replay.decode;

import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.SegmentEntry;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Batches that were appended to another partition, as a restored or mounted one shows them (design
 * D16): the leader epochs of another cluster mean nothing here, so all of them are shown in epoch
 * {@link SegmentEntry#FOREIGN_EPOCH}, which every partition has behind it. A batch's epoch lies
 * before its checksum's range.
 *
 * <p>A batch's first bytes are copied and the rest of it is not; small batches are copied whole,
 * since many slices cost more to send than few bytes to copy.
 */
public final class LawfulEpoch {
  private static final int EPOCH_AT = 12;
  private static final int HEAD_BYTES = EPOCH_AT + Integer.BYTES;
  private static final int COPIED_WHOLE_BYTES = 4096;

  private LawfulEpoch() {}

  /**
   * The batches in {@code [from, to)} of the run, which are whole, in epoch {@link
   * SegmentEntry#FOREIGN_EPOCH}.
   *
   * @return as many bytes, cut anywhere
   */
  public static List<ByteBuffer> slices(ByteRun run, int from, int to) {
    List<ByteBuffer> out = new ArrayList<>();
    ByteBuffer copies = ByteBuffer.allocate(copiedBytes(run, from, to));
    int begun = 0;
    for (int at = from; at < to; at += sizeAt(run, at)) {
      int size = sizeAt(run, at);
      int head = copiedOf(size);
      copies.putInt(copy(run, at, head, copies) + EPOCH_AT, SegmentEntry.FOREIGN_EPOCH);
      if (head < size) {
        out.add(copies.slice(begun, copies.position() - begun));
        begun = copies.position();
        out.addAll(run.slices(at + head, at + size));
      }
    }
    if (begun < copies.position()) {
      out.add(copies.slice(begun, copies.position() - begun));
    }
    return out;
  }

  /**
   * @return where the copy begins
   */
  private static int copy(ByteRun run, int at, int bytes, ByteBuffer into) {
    int begin = into.position();
    run.slices(at, at + bytes).forEach(into::put);
    return begin;
  }

  private static int copiedBytes(ByteRun run, int from, int to) {
    int bytes = 0;
    for (int at = from; at < to; at += sizeAt(run, at)) {
      bytes += copiedOf(sizeAt(run, at));
    }
    return bytes;
  }

  private static int copiedOf(int batchBytes) {
    return batchBytes <= COPIED_WHOLE_BYTES ? batchBytes : HEAD_BYTES;
  }

  private static int sizeAt(ByteRun run, int at) {
    return BatchHeader.parse(run.joined(at, at + BatchHeader.BYTES)).sizeBytes();
  }
}
