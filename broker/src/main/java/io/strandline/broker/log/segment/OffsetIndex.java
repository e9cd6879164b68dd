package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Kafka's sparse offset index: for some batches, ascending, the last offset relative to the
 * segment's base and the position of the batch, four bytes each, big-endian. An entry is handled as
 * the long that its eight bytes are, in which both halves ascend.
 *
 * <p>While the segment is appended to, entries live in memory; {@link #storeIn} turns to the file.
 * Threads: one writer; any reader.
 */
public final class OffsetIndex {
  public static final int ENTRY_BYTES = 8;

  /** No entry is at or below what was asked for. */
  public static final long NONE = -1;

  private static final int PAGE_ENTRIES = 512;

  private interface Entries {
    int count();

    long at(int slot) throws IOException;

    /** A range of slots known to hold the answer, or all of them; keeps look-ups near by cheap. */
    default long floor(long key) throws IOException {
      return search(0, count(), key);
    }

    default long search(int fromSlot, int toSlot, long key) throws IOException {
      int low = fromSlot;
      int high = toSlot - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        if (at(middle) <= key) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return high < fromSlot ? NONE : at(high);
    }
  }

  private volatile Entries entries = new Memory(new long[8], 0);

  public int count() {
    return entries.count();
  }

  /** Readers see the entry at the latest when the segment's new end is published. */
  public void append(int relativeOffset, int positionBytes) {
    Memory now = memory();
    long[] array = now.array;
    if (now.count == array.length) {
      array = Arrays.copyOf(array, array.length * 2);
    }
    array[now.count] = entry(relativeOffset, positionBytes);
    entries = new Memory(array, now.count + 1);
  }

  /** The last entry whose offset is at most this. */
  public long floorOffset(long relativeOffset) throws IOException {
    if (relativeOffset < 0) {
      return NONE;
    }
    return entries.floor(
        relativeOffset >= Integer.MAX_VALUE ? Long.MAX_VALUE : ceiling(relativeOffset));
  }

  /** The last entry whose position is at most this. */
  public long floorPosition(int positionBytes) throws IOException {
    Entries now = entries;
    int low = 0;
    int high = now.count() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (position(now.at(middle)) <= positionBytes) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high < 0 ? NONE : now.at(high);
  }

  public long last() throws IOException {
    Entries now = entries;
    return now.count() == 0 ? NONE : now.at(now.count() - 1);
  }

  /** Keeps entries of batches that lie below the position. */
  public void truncate(int positionBytes) {
    Memory now = memory();
    int count = now.count;
    while (count > 0 && position(now.array[count - 1]) >= positionBytes) {
      count--;
    }
    entries = new Memory(now.array.clone(), count);
  }

  /** The bytes of the file. */
  public ByteBuffer encode() {
    Memory now = memory();
    ByteBuffer bytes = ByteBuffer.allocate(now.count * ENTRY_BYTES);
    for (int i = 0; i < now.count; i++) {
      bytes.putLong(now.array[i]);
    }
    return bytes.flip();
  }

  /** From now on entries are read from the file, which holds what {@link #encode} gave. */
  public void storeIn(Disk.File file, int count) {
    entries = new Stored(file.channel(), count);
  }

  /** Back to memory, to be appended to. */
  public void load() throws IOException {
    Entries now = entries;
    if (now instanceof Memory) {
      return;
    }
    long[] array = new long[Math.max(8, now.count())];
    for (int i = 0; i < now.count(); i++) {
      array[i] = now.at(i);
    }
    entries = new Memory(array, now.count());
  }

  public void clear() {
    entries = new Memory(new long[8], 0);
  }

  public static int relativeOffset(long entry) {
    return (int) (entry >>> 32);
  }

  public static int position(long entry) {
    return (int) entry;
  }

  private static long entry(int relativeOffset, int positionBytes) {
    return ((long) relativeOffset << 32) | positionBytes;
  }

  private static long ceiling(long relativeOffset) {
    return (relativeOffset << 32) | 0xFFFF_FFFFL;
  }

  private Memory memory() {
    if (entries instanceof Memory memory) {
      return memory;
    }
    throw new IllegalStateException("a stored index is not written");
  }

  /** The array may be longer, and shared with a later state that only adds behind the count. */
  private static final class Memory implements Entries {
    private final long[] array;
    private final int count;

    Memory(long[] array, int count) {
      this.array = array;
      this.count = count;
    }

    @Override
    public int count() {
      return count;
    }

    @Override
    public long at(int slot) {
      return array[slot];
    }
  }

  /** Keeps the one page used last: a reader that moves on rarely leaves it. */
  private static final class Stored implements Entries {
    private final FileChannel channel;
    private final int count;
    private volatile @Nullable Page page;

    Stored(FileChannel channel, int count) {
      this.channel = channel;
      this.count = count;
    }

    private static final class Page {
      private final int first;
      private final long[] entries;

      Page(int first, long[] entries) {
        this.first = first;
        this.entries = entries;
      }
    }

    @Override
    public int count() {
      return count;
    }

    @Override
    public long at(int slot) throws IOException {
      Page now = page;
      if (now == null || slot < now.first || slot >= now.first + now.entries.length) {
        now = read(slot / PAGE_ENTRIES * PAGE_ENTRIES);
        page = now;
      }
      return now.entries[slot - now.first];
    }

    @Override
    public long floor(long key) throws IOException {
      Page now = page;
      if (now != null && now.entries[0] <= key) {
        int end = now.first + now.entries.length;
        if (end == count || now.entries[now.entries.length - 1] > key) {
          return search(now.first, end, key);
        }
      }
      return search(0, count, key);
    }

    private Page read(int first) throws IOException {
      int length = Math.min(PAGE_ENTRIES, count - first);
      ByteBuffer bytes = ByteBuffer.allocate(length * ENTRY_BYTES);
      Channels.readFully(channel, bytes, (long) first * ENTRY_BYTES);
      long[] read = new long[length];
      bytes.flip().asLongBuffer().get(read);
      return new Page(first, read);
    }
  }
}
