package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;

/**
 * Kafka's sparse time index: a timestamp in ms (eight bytes) that no earlier batch exceeds, and the
 * last offset, relative to the segment's base (four bytes), of the first batch that reached it;
 * strictly ascending. In memory while appended to, then in its file. Threads: one writer; any
 * reader.
 */
public final class TimeIndex {
  public static final int ENTRY_BYTES = 12;

  /** A timestamp and the relative last offset of its batch. */
  public record Entry(long timestampMs, int relativeOffset) {
    static final Entry NONE = new Entry(-1, 0);
  }

  private interface Entries {
    int count();

    Entry at(int slot) throws IOException;
  }

  private volatile Entries entries = new Memory(new long[4], new int[4], 0);

  public int count() {
    return entries.count();
  }

  /** Ignored unless the timestamp exceeds the last one. */
  public void append(long timestampMs, int relativeOffset) {
    Memory now = memory();
    if (timestampMs <= (now.count == 0 ? -1 : now.timestamps[now.count - 1])) {
      return;
    }
    long[] timestamps = now.timestamps;
    int[] offsets = now.offsets;
    if (now.count == timestamps.length) {
      timestamps = Arrays.copyOf(timestamps, now.count * 2);
      offsets = Arrays.copyOf(offsets, now.count * 2);
    }
    timestamps[now.count] = timestampMs;
    offsets[now.count] = relativeOffset;
    entries = new Memory(timestamps, offsets, now.count + 1);
  }

  /**
   * The last entry whose timestamp is at most this; timestamp -1 and offset 0 when there is none.
   */
  public Entry floor(long timestampMs) throws IOException {
    Entries now = entries;
    int low = 0;
    int high = now.count() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (now.at(middle).timestampMs <= timestampMs) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high < 0 ? Entry.NONE : now.at(high);
  }

  public Entry last() throws IOException {
    Entries now = entries;
    return now.count() == 0 ? Entry.NONE : now.at(now.count() - 1);
  }

  /** Keeps entries of batches that end below the offset. */
  public void truncate(long relativeOffset) {
    Memory now = memory();
    int count = now.count;
    while (count > 0 && now.offsets[count - 1] >= relativeOffset) {
      count--;
    }
    entries = new Memory(now.timestamps.clone(), now.offsets.clone(), count);
  }

  /** The bytes of the file. */
  public ByteBuffer encode() {
    Memory now = memory();
    ByteBuffer bytes = ByteBuffer.allocate(now.count * ENTRY_BYTES);
    for (int i = 0; i < now.count; i++) {
      bytes.putLong(now.timestamps[i]).putInt(now.offsets[i]);
    }
    return bytes.flip();
  }

  /** From now on entries are read from the file. */
  public void storeIn(Disk.File file, int count) {
    entries = new Stored(file.channel(), count);
  }

  /** Back to memory, to be appended to. */
  public void load() throws IOException {
    Entries now = entries;
    if (now instanceof Memory) {
      return;
    }
    clear();
    for (int i = 0; i < now.count(); i++) {
      append(now.at(i).timestampMs, now.at(i).relativeOffset);
    }
  }

  public void clear() {
    entries = new Memory(new long[4], new int[4], 0);
  }

  private Memory memory() {
    if (entries instanceof Memory memory) {
      return memory;
    }
    throw new IllegalStateException("a stored index is not written");
  }

  /** The arrays may be longer, and shared with a later state that only adds behind the count. */
  private static final class Memory implements Entries {
    private final long[] timestamps;
    private final int[] offsets;
    private final int count;

    Memory(long[] timestamps, int[] offsets, int count) {
      this.timestamps = timestamps;
      this.offsets = offsets;
      this.count = count;
    }

    @Override
    public int count() {
      return count;
    }

    @Override
    public Entry at(int slot) {
      return new Entry(timestamps[slot], offsets[slot]);
    }
  }

  private static final class Stored implements Entries {
    private final FileChannel channel;
    private final int count;

    Stored(FileChannel channel, int count) {
      this.channel = channel;
      this.count = count;
    }

    @Override
    public int count() {
      return count;
    }

    @Override
    public Entry at(int slot) throws IOException {
      ByteBuffer bytes = ByteBuffer.allocate(ENTRY_BYTES);
      Channels.readFully(channel, bytes, (long) slot * ENTRY_BYTES);
      return new Entry(bytes.getLong(0), bytes.getInt(8));
    }
  }
}
