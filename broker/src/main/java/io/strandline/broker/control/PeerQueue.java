package io.strandline.broker.control;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * What waits for one other broker: one batch is under way at a time, and what comes meanwhile makes
 * the next. No two of a batch have the same key; those of one key go in the order in which they
 * came.
 *
 * <p>Threads: any.
 */
public final class PeerQueue<T> {
  /** Of a batch, so that a request stays far below what a broker accepts. */
  private static final int BATCH_MAX = 1_000;

  private final Function<T, Object> key;
  private final Function<List<T>, CompletableFuture<?>> send;
  private final Queue<T> waiting = new ArrayDeque<>(); // guarded by this
  private boolean busy;

  /**
   * @param send completes when the batch is through, well or not, and each of it was told
   */
  public PeerQueue(Function<T, Object> key, Function<List<T>, CompletableFuture<?>> send) {
    this.key = key;
    this.send = send;
  }

  public void add(T one) {
    synchronized (this) {
      waiting.add(one);
    }
    next();
  }

  private void next() {
    List<T> batch;
    synchronized (this) {
      if (busy || waiting.isEmpty()) {
        return;
      }
      busy = true;
      batch = take();
    }
    var unused =
        send.apply(batch)
            .whenComplete(
                (done, failure) -> {
                  synchronized (this) {
                    busy = false;
                  }
                  next();
                });
  }

  private List<T> take() {
    List<T> batch = new ArrayList<>();
    Set<Object> keys = new HashSet<>();
    for (Iterator<T> all = waiting.iterator(); all.hasNext() && batch.size() < BATCH_MAX; ) {
      T one = all.next();
      if (keys.add(key.apply(one))) {
        batch.add(one);
        all.remove();
      }
    }
    return batch;
  }
}
