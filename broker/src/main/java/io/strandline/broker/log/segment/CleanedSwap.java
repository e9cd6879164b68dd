package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * Kafka's protocol for putting a compacted segment in the place of others. A copy is written as
 * {@code .cleaned} and made durable; once its log is named {@code .swap} it counts, and what it
 * replaces goes; then it takes its plain name. A start completes what it finds from {@code .swap}
 * on.
 */
final class CleanedSwap {
  private static final List<String> INDEXES =
      List.of(LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX);

  private CleanedSwap() {}

  /** Ends swaps that a crash cut. */
  static void complete(Disk disk, Path path) throws IOException {
    Set<Long> counting = new HashSet<>();
    for (Path file : disk.list(path)) {
      if (LogFiles.is(file, LogFiles.LOG + LogFiles.SWAP)) {
        counting.add(LogFiles.offsetOf(file));
        deleteReplaced(disk, path, LogFiles.offsetOf(file), nextOffset(file));
      }
    }
    for (Path file : disk.list(path)) {
      boolean swap = file.getFileName().toString().endsWith(LogFiles.SWAP);
      if (swap && LogFiles.offsetOf(file) >= 0 && !counting.contains(LogFiles.offsetOf(file))) {
        disk.delete(file);
      }
    }
    for (long base : counting) {
      for (String kind : INDEXES) {
        putInPlace(disk, path, base, kind);
      }
      putInPlace(disk, path, base, LogFiles.LOG);
    }
    if (!counting.isEmpty()) {
      disk.forceDirectory(path);
    }
  }

  private static void putInPlace(Disk disk, Path path, long base, String kind) throws IOException {
    Path swap = LogFiles.of(path, base, kind + LogFiles.SWAP);
    if (disk.exists(swap)) {
      disk.rename(swap, LogFiles.of(path, base, kind));
    }
  }

  private static long nextOffset(Path swap) throws IOException {
    try (FileChannel channel = FileChannel.open(swap, StandardOpenOption.READ)) {
      BatchScanner scanner = new BatchScanner(channel, 0, channel.size());
      long next = LogFiles.offsetOf(swap);
      for (RecordBatch batch = scanner.next(); batch != null; batch = scanner.next()) {
        next = batch.lastOffset() + 1;
      }
      return next;
    }
  }

  /** The last first: what a second crash leaves is still a log. Indexes of the base go too. */
  private static void deleteReplaced(Disk disk, Path path, long base, long endOffset)
      throws IOException {
    List<Path> files = disk.list(path);
    for (int i = files.size() - 1; i >= 0; i--) {
      Path file = files.get(i);
      long offset = LogFiles.offsetOf(file);
      boolean plain =
          LogFiles.is(file, LogFiles.LOG) || INDEXES.stream().anyMatch(k -> LogFiles.is(file, k));
      if (plain && offset >= base && (offset < endOffset || offset == base)) {
        disk.delete(file);
      }
    }
  }
}
