package io.strandline.replay.fetch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/**
 * How much of the budget the answers of one reader may hold, from when they are asked for until
 * their last byte was sent. A reader may take more as long as it holds no more than twice what all
 * readers' answers leave free (the dynamic threshold of shared buffers, Choudhury and Hahne 1998):
 * one alone has two thirds, each of two who are slow two fifths, and some is always left for the
 * next. Who would hold more waits for answers of its own. What is kept ahead of a reader does not
 * count, as it is given up when others need it.
 *
 * <p>One answer at a time is never refused, however large. Threads: any; guarded by its own
 * monitor, a leaf; who is let in is told outside it.
 */
final class Shares {
  private static final int FREE_TIMES = 2;

  /** What one answer holds of its reader's share. */
  static final class Holding {
    private final Share share;
    private long bytes;

    private Holding(Share share, long bytes) {
      this.share = share;
      this.bytes = bytes;
    }
  }

  private record Waiter(Holding holding, BooleanSupplier gone, CompletableFuture<Holding> let) {
    void cancel() {
      let.completeExceptionally(new CancellationException("nobody waits for it"));
    }
  }

  private static final class Share {
    private final String reader;
    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();
    private long bytes;
    private boolean inLine;

    Share(String reader) {
      this.reader = reader;
    }
  }

  private final long capacityBytes;
  private final Map<String, Share> shares = new HashMap<>();
  private final ArrayDeque<Share> line = new ArrayDeque<>();
  private long takenBytes;

  Shares(long capacityBytes) {
    this.capacityBytes = capacityBytes;
  }

  /** Bytes of all answers, asked for or there. */
  synchronized long takenBytes() {
    return takenBytes;
  }

  /**
   * Lets an answer of so many bytes in when the reader's share has room for it; {@link #leave} it.
   *
   * @param gone whether nobody waits for it any more, for good; asked with the monitor held
   * @return is cancelled if its turn comes after that
   */
  CompletableFuture<Holding> enter(String reader, long bytes, BooleanSupplier gone) {
    List<Runnable> done = new ArrayList<>();
    CompletableFuture<Holding> let = new CompletableFuture<>();
    synchronized (this) {
      Share share = shares.computeIfAbsent(reader, Share::new);
      Holding mine = new Holding(share, bytes);
      dropGone(share, done);
      if (share.waiters.isEmpty() && room(share, bytes)) {
        take(share, bytes);
        done.add(() -> let.complete(mine));
      } else {
        share.waiters.add(new Waiter(mine, gone, let));
        lineUp(share);
      }
    }
    done.forEach(Runnable::run);
    return let;
  }

  /** Lets an answer in whose bytes are there, and are nobody else's to have. */
  synchronized Holding add(String reader, long bytes) {
    Share share = shares.computeIfAbsent(reader, Share::new);
    take(share, bytes);
    return new Holding(share, bytes);
  }

  /** Lets the answer hold so much more, if there is room. */
  synchronized boolean more(Holding holding, long bytes) {
    if (!room(holding.share, bytes)) {
      return false;
    }
    take(holding.share, bytes);
    holding.bytes += bytes;
    return true;
  }

  void leave(Holding holding) {
    List<Runnable> done = new ArrayList<>();
    synchronized (this) {
      take(holding.share, -holding.bytes);
      letIn(done);
      forget(holding.share);
    }
    done.forEach(Runnable::run);
  }

  /** Cancels all that the reader waits for. */
  void left(String reader) {
    List<Runnable> done = new ArrayList<>();
    synchronized (this) {
      Share share = shares.get(reader);
      if (share != null) {
        share.waiters.forEach(waiter -> done.add(waiter::cancel));
        share.waiters.clear(); // its place in the line goes when that is reached
        forget(share);
      }
    }
    done.forEach(Runnable::run);
  }

  private boolean room(Share share, long bytes) {
    return share.bytes == 0
        || share.bytes + bytes <= FREE_TIMES * (capacityBytes - takenBytes - bytes);
  }

  private void take(Share share, long bytes) {
    share.bytes += bytes;
    takenBytes += bytes;
  }

  /** Lets in who has room, a reader's one after another, until nobody has. */
  private void letIn(List<Runnable> done) {
    int passed = 0;
    while (passed < line.size()) {
      Share share = line.remove();
      share.inLine = false;
      dropGone(share, done);
      Waiter first = share.waiters.peek();
      passed++;
      if (first != null && room(share, first.holding.bytes)) {
        share.waiters.remove();
        take(share, first.holding.bytes);
        done.add(() -> first.let.complete(first.holding));
        passed = 0;
      }
      if (share.waiters.isEmpty()) {
        forget(share);
      } else {
        lineUp(share);
      }
    }
  }

  private void lineUp(Share share) {
    if (!share.inLine) {
      share.inLine = true;
      line.add(share);
    }
  }

  private static void dropGone(Share share, List<Runnable> done) {
    for (Waiter first = share.waiters.peek();
        first != null && first.gone.getAsBoolean();
        first = share.waiters.peek()) {
      share.waiters.remove();
      done.add(first::cancel);
    }
  }

  private void forget(Share share) {
    if (share.bytes == 0 && share.waiters.isEmpty()) {
      shares.remove(share.reader, share);
    }
  }
}
