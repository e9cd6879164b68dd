package io.strandline.broker.log.segment;

import io.strandline.broker.log.disk.Disk;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A disk, and which segments have files open on it. A process that is out of file descriptors
 * cannot even write. Active segments keep theirs. Of sealed ones at most so many have some, beside
 * those in use: a reader of all history of thousands of partitions opens files faster than
 * housekeeping closes them. Those in between, rolled and not sealed yet, keep theirs, so that no
 * error of the disk is missed; that there are not too many of them is up to who rolls ({@link
 * #sealsLag}).
 *
 * <p>Whoever opens one more closes those that were not used for longest, by second chance: one that
 * was used since it was last looked at goes to the end of the line. One line for all logs; each
 * directory keeps its own list of those in between. Any thread.
 */
public final class OpenSegments {
  /** So many are looked at for each that opens; fewer than one in a hundred is ever in use. */
  private static final int LOOKS = 16;

  private final Disk disk;
  private final int max;

  /** The line, in its order. */
  private final Set<LogSegment> open;

  private final Set<LogSegment> unsealed = ConcurrentHashMap.newKeySet();

  /** Those of all directories that work. */
  private final List<OpenSegments> working;

  /**
   * @param max sealed segments with open files, of up to three each; and of those that wait for
   *     their seal, before {@link #sealsLag}
   */
  public OpenSegments(Disk disk, int max) {
    this(disk, max, new LinkedHashSet<>(), new CopyOnWriteArrayList<>());
  }

  private OpenSegments(Disk disk, int max, Set<LogSegment> open, List<OpenSegments> working) {
    this.disk = disk;
    this.max = max;
    this.open = open;
    this.working = working;
    working.add(this);
  }

  /** The same line, for the segments of one directory. */
  public OpenSegments ofDirectory() {
    return new OpenSegments(disk, max, open, working);
  }

  /** The directory is offline: what waits for its seal there waits for ever, and nobody for it. */
  public void offline() {
    working.remove(this);
  }

  public Disk disk() {
    return disk;
  }

  /**
   * Whether so many segments wait for their seal that no more should be rolled for their age alone:
   * with thousands of partitions that roll in the same minute the disk is slower than the clock.
   */
  public boolean sealsLag() {
    int waiting = 0;
    for (OpenSegments directory : working) {
      waiting += directory.unsealed.size();
    }
    return waiting >= max;
  }

  /** The segment is appended to no more, and waits for its seal. */
  void rolled(LogSegment segment) {
    unsealed.add(segment);
  }

  /** It is sealed, or active again. */
  void settled(LogSegment segment) {
    unsealed.remove(segment);
  }

  /** The segment, which is sealed and in use, has files open now. No lock is held. */
  void opened(LogSegment segment) {
    synchronized (open) {
      open.add(segment);
    }
    for (int i = 0; i < LOOKS; i++) {
      LogSegment next = next();
      if (next == null) {
        return;
      }
      next.rest();
    }
  }

  /** It has none any more. */
  void closed(LogSegment segment) {
    settled(segment);
    synchronized (open) {
      open.remove(segment);
    }
  }

  /** The first in line, which goes to its end; null if no more are open than may be. */
  private @Nullable LogSegment next() {
    synchronized (open) {
      if (open.size() <= max) {
        return null;
      }
      Iterator<LogSegment> line = open.iterator();
      LogSegment first = line.next();
      line.remove();
      open.add(first);
      return first;
    }
  }
}
