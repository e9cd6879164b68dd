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

  /** What an entry is looked up by. Both ascend. */
  private enum By {
    OFFSET {
      @Override
      long of(long entry) {
        return relativeOffset(entry);
      }
    },
    POSITION {
      @Override
      long of(long entry) {
        return position(entry);
      }
    };

    abstract long of(long entry);

    /** The slot of the last of these that is at most the key; -1 when none is. */
    int floor(long[] entries, int count, long key) {
      int low = 0;
      int high = count - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        if (of(entries[middle]) <= key) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return high;
    }
  }

  private interface Entries {
    int count();

    long at(int slot) throws IOException;

    long floor(By by, long key) throws IOException;
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
    return entries.floor(By.OFFSET, relativeOffset);
  }

  /** The last entry whose position is at most this. */
  public long floorPosition(int positionBytes) throws IOException {
    return entries.floor(By.POSITION, positionBytes);
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

  /** Whether an offset can be told relative to the base of its segment. */
  public static boolean reaches(long baseOffset, long offset) {
    return offset - baseOffset <= Integer.MAX_VALUE;
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

    @Override
    public long floor(By by, long key) {
      int slot = by.floor(array, count, key);
      return slot < 0 ? NONE : array[slot];
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

      /** Whether the last entry at or below the key is one of these. */
      boolean answers(By by, long key, int count) {
        return by.of(entries[0]) <= key
            && (first + entries.length == count || by.of(entries[entries.length - 1]) > key);
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
        int first = slot / PAGE_ENTRIES * PAGE_ENTRIES;
        now = read(first, Math.min(PAGE_ENTRIES, count - first));
        page = now;
      }
      return now.entries[slot - now.first];
    }

    @Override
    public long floor(By by, long key) throws IOException {
      Page now = page;
      if (now == null || !now.answers(by, key, count)) {
        now = pageOf(by, key);
        if (now == null) {
          return NONE;
        }
        page = now;
      }
      return now.entries[by.floor(now.entries, now.entries.length, key)];
    }

    /** The page with the answer, found by the first entries of pages, read one by one. */
    private @Nullable Page pageOf(By by, long key) throws IOException {
      int low = 0;
      int high = (count + PAGE_ENTRIES - 1) / PAGE_ENTRIES - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        if (by.of(read(middle * PAGE_ENTRIES, 1).entries[0]) <= key) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return high < 0
          ? null
          : read(high * PAGE_ENTRIES, Math.min(PAGE_ENTRIES, count - high * PAGE_ENTRIES));
    }

    private Page read(int first, int length) throws IOException {
      ByteBuffer bytes = ByteBuffer.allocate(length * ENTRY_BYTES);
      Channels.readFully(channel, bytes, (long) first * ENTRY_BYTES);
      long[] read = new long[length];
      bytes.flip().asLongBuffer().get(read);
      return new Page(first, read);
    }
  }
}
