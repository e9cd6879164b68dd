package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of one segment: what they are called and which are open. Threads: opening, closing and
 * renaming are guarded by the segment.
 */
final class SegmentFiles {
  private static final Logger LOG = LoggerFactory.getLogger(SegmentFiles.class);
  private static final List<String> INDEXES =
      List.of(LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX);

  private final Disk disk;
  private final long baseOffset;
  private final List<Disk.File> open = new ArrayList<>();
  private volatile Disk.@Nullable File log;
  private volatile Path directory;
  private volatile String suffix;

  SegmentFiles(Disk disk, Path directory, long baseOffset, String suffix) {
    this.disk = disk;
    this.directory = directory;
    this.baseOffset = baseOffset;
    this.suffix = suffix;
  }

  Path path(String kind) {
    return LogFiles.of(directory, baseOffset, kind + suffix);
  }

  boolean anyOpen() {
    return log != null || !open.isEmpty();
  }

  /** The batches, if they are open. */
  Disk.@Nullable File log() {
    return log;
  }

  Disk.File openLog(boolean create) throws IOException {
    Disk.File now = log;
    if (now == null) {
      now = disk.open(path(LogFiles.LOG), create);
      open.add(now);
      log = now;
    }
    return now;
  }

  Disk.File openIndex(String kind) throws IOException {
    Disk.File file = disk.open(path(kind), false);
    open.add(file);
    return file;
  }

  void close() {
    log = null;
    for (Disk.File file : open) {
      try {
        file.close();
      } catch (IOException e) {
        // Nothing was written through it that a force did not already answer for.
        LOG.atDebug().addKeyValue("segment", baseOffset).setCause(e).log("close failed");
      }
    }
    open.clear();
  }

  /** The whole file, durable but for its name. */
  void store(String kind, ByteBuffer bytes) throws IOException {
    try (Disk.File file = disk.open(path(kind), true)) {
      file.truncate(0);
      file.write(bytes, 0);
      file.force();
    }
  }

  void deleteIndexes() throws IOException {
    disk.delete(path(LogFiles.INDEX));
    disk.delete(path(LogFiles.TIME_INDEX));
  }

  /**
   * Moves the files that exist to another suffix, in an order that a crash may cut: the log first
   * when it goes, last when it comes.
   */
  void rename(String newSuffix) throws IOException {
    boolean goes = newSuffix.equals(LogFiles.DELETED);
    if (goes) {
      rename(LogFiles.LOG, newSuffix);
    }
    for (String kind : INDEXES) {
      rename(kind, newSuffix);
    }
    if (!goes) {
      rename(LogFiles.LOG, newSuffix);
    }
    suffix = newSuffix;
  }

  private void rename(String kind, String newSuffix) throws IOException {
    Path from = path(kind);
    if (disk.exists(from)) {
      disk.rename(from, LogFiles.of(directory, baseOffset, kind + newSuffix));
    }
  }

  /** The directory was renamed; open files stay so. */
  void moved(Path newDirectory) {
    directory = newDirectory;
  }

  void delete() throws IOException {
    disk.delete(path(LogFiles.LOG));
    for (String kind : INDEXES) {
      disk.delete(path(kind));
    }
  }
}
