package io.strandline.cache.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;

/**
 * One file of fixed slots: a head of {@value #HEAD_BYTES} bytes (magic, version, slab bytes, slots;
 * the rest zero), a table of {@link SlotHeader}s, then the slots. Every method may block on disk.
 *
 * <p>A slot's bytes are written before its header, and read bytes are checked against the header's
 * checksum, so neither a crash nor a lost write can give back anything but the right bytes.
 */
final class SlabFile implements AutoCloseable {
  static final int HEAD_BYTES = 4096;
  private static final long MAGIC_AND_VERSION = 0x5354_524C_5342_0001L;
  private static final int TABLE_READ_HEADERS = 1024;

  private final FileChannel channel;
  private final int slabBytes;
  private final int slots;

  private SlabFile(FileChannel channel, int slabBytes, int slots) {
    this.channel = channel;
    this.slabBytes = slabBytes;
    this.slots = slots;
  }

  /** Opens the file, emptied if it is not of this shape. */
  static SlabFile open(Path path, int slabBytes, int slots) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      SlabFile file = new SlabFile(channel, slabBytes, slots);
      if (!file.shapeMatches()) {
        file.format();
      }
      return file;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  int slots() {
    return slots;
  }

  /**
   * The headers of all slots that hold something, by slot.
   *
   * @param names of objects that were met, each once
   */
  Map<Integer, SlotHeader> headers(Map<String, String> names) throws IOException {
    Map<Integer, SlotHeader> found = new TreeMap<>();
    for (int from = 0; from < slots; from += TABLE_READ_HEADERS) {
      int count = Math.min(TABLE_READ_HEADERS, slots - from);
      ByteBuffer table = ByteBuffer.allocate(count * SlotHeader.BYTES);
      readFully(table, headerPosition(from));
      for (int i = 0; i < count; i++) {
        SlotHeader header = SlotHeader.decode(table.position(i * SlotHeader.BYTES));
        if (header != null && header.key().lengthBytes() <= slabBytes) {
          found.put(from + i, header.sharing(names));
        }
      }
    }
    return found;
  }

  void read(int slot, ByteBuffer target) throws IOException {
    readFully(target, slotPosition(slot));
  }

  void write(int slot, ByteBuffer header, ByteBuffer bytes) throws IOException {
    writeFully(bytes, slotPosition(slot));
    writeFully(header, headerPosition(slot));
  }

  void erase(int slot) throws IOException {
    writeFully(ByteBuffer.allocate(SlotHeader.BYTES), headerPosition(slot));
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private boolean shapeMatches() throws IOException {
    if (channel.size() < fileBytes()) {
      return false;
    }
    ByteBuffer head = ByteBuffer.allocate(16);
    readFully(head, 0);
    head.flip();
    return head.getLong() == MAGIC_AND_VERSION
        && head.getInt() == slabBytes
        && head.getInt() == slots;
  }

  private void format() throws IOException {
    channel.truncate(0);
    ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
    head.putLong(MAGIC_AND_VERSION).putInt(slabBytes).putInt(slots).clear();
    writeFully(head, 0);
    writeFully(ByteBuffer.allocate(1), fileBytes() - 1);
  }

  private long headerPosition(int slot) {
    return HEAD_BYTES + (long) slot * SlotHeader.BYTES;
  }

  private long slotPosition(int slot) {
    long table = HEAD_BYTES + (long) slots * SlotHeader.BYTES;
    long tableEnd = (table + HEAD_BYTES - 1) / HEAD_BYTES * HEAD_BYTES;
    return tableEnd + (long) slot * slabBytes;
  }

  private long fileBytes() {
    return slotPosition(slots);
  }

  private void readFully(ByteBuffer target, long position) throws IOException {
    long at = position;
    while (target.hasRemaining()) {
      int read = channel.read(target, at);
      if (read < 0) {
        throw new IOException("a slab file ends at " + at);
      }
      at += read;
    }
  }

  private void writeFully(ByteBuffer bytes, long position) throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }
}
