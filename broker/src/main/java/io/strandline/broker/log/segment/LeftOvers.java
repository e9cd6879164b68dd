package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a crash may leave in a log's directory besides segments: files to be deleted, a cleaner's
 * unfinished copies ({@code .cleaned}) and its finished ones not yet in place ({@code .swap}),
 * indexes without a log.
 */
public final class LeftOvers {
  private static final List<String> KINDS =
      List.of(LogFiles.LOG, LogFiles.INDEX, LogFiles.TIME_INDEX, LogFiles.TXN_INDEX);

  private final Disk disk;
  private final Path path;

  public LeftOvers(Disk disk, Path path) {
    this.disk = disk;
    this.path = path;
  }

  /** Completes or undoes what was under way. */
  public void tidy() throws IOException {
    for (Path file : disk.list(path)) {
      String name = file.getFileName().toString();
      if (LogFiles.offsetOf(file) >= 0
          && (name.endsWith(LogFiles.DELETED) || name.endsWith(LogFiles.CLEANED))) {
        disk.delete(file);
      }
    }
    CleanedSwap.complete(disk, path);
    Set<Long> logs = new HashSet<>();
    for (Path file : disk.list(path)) {
      if (LogFiles.is(file, LogFiles.LOG)) {
        logs.add(LogFiles.offsetOf(file));
      }
    }
    for (Path file : disk.list(path)) {
      boolean index =
          LogFiles.is(file, LogFiles.INDEX)
              || LogFiles.is(file, LogFiles.TIME_INDEX)
              || LogFiles.is(file, LogFiles.TXN_INDEX);
      if (index && !logs.contains(LogFiles.offsetOf(file))) {
        disk.delete(file);
      }
    }
  }

  /** Deletes a segment's files at once. */
  public static void delete(Disk disk, Path path, long base) throws IOException {
    for (String kind : KINDS) {
      disk.delete(LogFiles.of(path, base, kind));
    }
  }
}
