package io.strandline.broker.log;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Which bytes the page cache can be trusted to hold: the newest so many of all that the broker's
 * logs wrote (design D10). After a start that is nothing. One for all logs; any thread.
 *
 * <p>Each log remembers, about once every {@code windowBytes / STEPS} bytes of the broker's writes,
 * at which offset it was. What lies at or above such a mark was written after it. So the answer
 * errs by one step, to the side of what is no longer hot.
 */
public final class HotWindow {
  private static final int STEPS = 16;

  private final long windowBytes;
  private final AtomicLong writtenBytes = new AtomicLong();

  /**
   * @param windowBytes 0 for nothing is ever hot
   */
  public HotWindow(long windowBytes) {
    this.windowBytes = windowBytes;
  }

  /**
   * @param offset of the first record that was written then
   * @param writtenBytes by all logs, before it
   */
  private record Mark(long offset, long writtenBytes) {}

  /** The part of one log. */
  final class OfLog {
    private volatile List<Mark> marks = List.of(); // oldest first; replaced, never changed

    /** Some bytes were written from this offset on. Under the log's lock. */
    void wrote(long offset, int sizeBytes) {
      long before = writtenBytes.getAndAdd(sizeBytes);
      List<Mark> now = marks;
      if (!now.isEmpty() && before - now.get(now.size() - 1).writtenBytes <= windowBytes / STEPS) {
        return;
      }
      List<Mark> next = new ArrayList<>(STEPS + 1);
      for (Mark mark : now) {
        if (before - mark.writtenBytes <= windowBytes && mark.offset <= offset) {
          next.add(mark);
        }
      }
      next.add(new Mark(offset, before));
      marks = List.copyOf(next);
    }

    /** Whether what lies at the offset and above is hot. */
    boolean holds(long offset) {
      long now = writtenBytes.get();
      for (Mark mark : marks) {
        if (now - mark.writtenBytes <= windowBytes) {
          return offset >= mark.offset;
        }
      }
      return false;
    }
  }

  /** By all logs, since the process began. */
  long writtenBytes() {
    return writtenBytes.get();
  }

  OfLog ofLog() {
    return new OfLog();
  }
}
