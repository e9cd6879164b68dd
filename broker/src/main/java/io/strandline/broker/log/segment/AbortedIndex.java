package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Kafka's {@code .txnindex}: 34 bytes for each transaction whose abort marker lies in the segment,
 * ascending by the marker's offset: version 0 (2 bytes), producer id, first offset, marker's
 * offset, last stable offset (8 bytes each). The file exists only once there is an entry. Entries
 * are kept in memory after the first read: there are few. Threads: one writer; any reader.
 */
public final class AbortedIndex {
  private static final int ENTRY_BYTES = 34;

  private final Disk disk;
  private volatile Path file;

  /** Null until the first read; who read the file never puts it in the place of what came since. */
  private final AtomicReference<@Nullable List<AbortedTransaction>> known = new AtomicReference<>();

  AbortedIndex(Disk disk, Path file) {
    this.disk = disk;
    this.file = file;
  }

  void moved(Path newFile) {
    file = newFile;
  }

  /** Entries in order of their markers. */
  public List<AbortedTransaction> entries() throws IOException {
    List<AbortedTransaction> now = known.get();
    if (now != null) {
      return now;
    }
    List<AbortedTransaction> read = read();
    List<AbortedTransaction> newer = known.compareAndExchange(null, read);
    return newer == null ? read : newer;
  }

  /** Marker offsets ascend; an entry that is there already is ignored. */
  public void append(AbortedTransaction transaction) throws IOException {
    List<AbortedTransaction> now = entries();
    if (!now.isEmpty() && now.get(now.size() - 1).lastOffset() >= transaction.lastOffset()) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.allocate(ENTRY_BYTES);
    bytes.putShort((short) 0);
    bytes.putLong(transaction.producerId()).putLong(transaction.firstOffset());
    bytes.putLong(transaction.lastOffset()).putLong(stable(transaction));
    try (Disk.File open = disk.open(file, true)) {
      open.write(bytes.flip(), (long) now.size() * ENTRY_BYTES);
    }
    List<AbortedTransaction> more = new ArrayList<>(now);
    more.add(held(transaction));
    known.set(List.copyOf(more));
  }

  /** Keeps entries whose marker lies below the offset. */
  public void truncate(long offset) throws IOException {
    List<AbortedTransaction> kept =
        entries().stream().filter(entry -> entry.lastOffset() < offset).toList();
    if (kept.size() == entries().size()) {
      return;
    }
    if (kept.isEmpty()) {
      disk.delete(file);
    } else {
      try (Disk.File open = disk.open(file, false)) {
        open.truncate((long) kept.size() * ENTRY_BYTES);
      }
    }
    known.set(kept);
  }

  void clear() throws IOException {
    disk.delete(file);
    known.set(List.of());
  }

  void force() throws IOException {
    if (!entries().isEmpty()) {
      try (Disk.File open = disk.open(file, false)) {
        open.force();
      }
    }
  }

  /**
   * Where what was decided ends just behind the marker: no higher than there. Kafka's state of
   * producers tells more of a follower's append that goes on behind it, by the first transaction
   * that is open at its end; that of the same producer's next one, in the same append, would not be
   * looked for.
   */
  private static long stable(AbortedTransaction transaction) {
    return Math.min(transaction.lastStableOffset(), transaction.lastOffset() + 1);
  }

  private static AbortedTransaction held(AbortedTransaction transaction) {
    return new AbortedTransaction(
        transaction.producerId(),
        transaction.firstOffset(),
        transaction.lastOffset(),
        stable(transaction));
  }

  /** A torn last entry is left out: whoever wrote it will write it again. */
  private List<AbortedTransaction> read() throws IOException {
    if (!disk.exists(file)) {
      return List.of();
    }
    List<AbortedTransaction> read = new ArrayList<>();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate((int) channel.size());
      Channels.readUpTo(channel, bytes, 0);
      bytes.flip();
      while (bytes.remaining() >= ENTRY_BYTES) {
        short version = bytes.getShort();
        if (version != 0) {
          throw new IOException("transaction index of version " + version + ": " + file);
        }
        read.add(
            held(
                new AbortedTransaction(
                    bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.getLong())));
      }
    }
    return List.copyOf(read);
  }
}
