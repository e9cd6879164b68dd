package io.strandline.cache.disk;

import io.strandline.cache.ChunkKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What a slot holds, as written in the table at the head of its file: {@value #BYTES} bytes, big
 * endian.
 *
 * <pre>
 *  0  int    CRC32C of bytes 4 to the end of the name
 *  4  short  magic, 0x5C07
 *  6  short  length of the object's name
 *  8  long   position of the chunk in the object
 * 16  int    length of the chunk
 * 20  int    CRC32C of the chunk
 * 24  ...    the object's name, UTF-8
 * </pre>
 */
record SlotHeader(ChunkKey key, int crc32c) {
  static final int BYTES = 1024;
  static final int NAME_BYTES_MAX = BYTES - 24;
  private static final short MAGIC = 0x5C07;
  private static final int CRC_BYTES = 4;
  private static final int NAME_POSITION = 24;

  /** The header as bytes, or null when the object's name is too long for it. */
  @Nullable ByteBuffer encode() {
    byte[] name = key.object().getBytes(StandardCharsets.UTF_8);
    if (name.length > NAME_BYTES_MAX) {
      return null;
    }
    ByteBuffer out = ByteBuffer.allocate(BYTES);
    out.putInt(0).putShort(MAGIC).putShort((short) name.length);
    out.putLong(key.positionBytes()).putInt(key.lengthBytes()).putInt(crc32c).put(name);
    out.putInt(0, checksum(out.duplicate().flip().position(CRC_BYTES)));
    return out.clear();
  }

  /** The header in {@value #BYTES} bytes, or null when they hold none. */
  static @Nullable SlotHeader decode(ByteBuffer bytes) {
    int base = bytes.position();
    int nameBytes = bytes.getShort(base + 6);
    if (bytes.getShort(base + 4) != MAGIC || nameBytes < 0 || nameBytes > NAME_BYTES_MAX) {
      return null;
    }
    int end = base + NAME_POSITION + nameBytes;
    if (checksum(bytes.duplicate().limit(end).position(base + CRC_BYTES)) != bytes.getInt(base)) {
      return null;
    }
    byte[] name = new byte[nameBytes];
    bytes.get(base + NAME_POSITION, name);
    long positionBytes = bytes.getLong(base + 8);
    int lengthBytes = bytes.getInt(base + 16);
    if (positionBytes < 0 || lengthBytes <= 0) {
      return null;
    }
    ChunkKey key =
        new ChunkKey(new String(name, StandardCharsets.UTF_8), positionBytes, lengthBytes);
    return new SlotHeader(key, bytes.getInt(base + 20));
  }

  /** The same with the name as it is known already, so that all chunks of an object share one. */
  SlotHeader sharing(Map<String, String> names) {
    String object = names.computeIfAbsent(key.object(), name -> name);
    return new SlotHeader(new ChunkKey(object, key.positionBytes(), key.lengthBytes()), crc32c);
  }

  static int checksum(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }
}
