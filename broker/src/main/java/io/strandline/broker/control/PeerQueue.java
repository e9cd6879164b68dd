package io.strandline.broker.control;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What waits for one other broker: one batch is under way at a time, and what comes meanwhile makes
 * the next. No two of a batch have the same key; those of one key go in the order in which they
 * came, and keys take turns.
 *
 * <p>Threads: any.
 */
public final class PeerQueue<T> {
  private static final Logger LOG = LoggerFactory.getLogger(PeerQueue.class);

  /** Of a batch, so that a request stays far below what a broker accepts. */
  private static final int BATCH_MAX = 1_000;

  private final Function<T, Object> key;
  private final Function<List<T>, CompletableFuture<?>> send;
  private final Map<Object, Queue<T>> waiting = new LinkedHashMap<>(); // guarded by this
  private boolean busy;

  /**
   * @param send completes when the batch is through, well or not, and each of it was told; what it
   *     throws is logged, and the next batch goes
   */
  public PeerQueue(Function<T, Object> key, Function<List<T>, CompletableFuture<?>> send) {
    this.key = key;
    this.send = send;
  }

  public void add(T one) {
    synchronized (this) {
      waiting.computeIfAbsent(key.apply(one), first -> new ArrayDeque<>()).add(one);
    }
    next();
  }

  /**
   * Sends until an answer has to be waited for. A broker that is known to be gone answers at once,
   * however much waits for it: no batch may be sent from within the end of another.
   */
  private void next() {
    for (List<T> batch = begin(); !batch.isEmpty(); batch = begin()) {
      AtomicBoolean passed = new AtomicBoolean(); // by the answer or here: who is second goes on
      var unused =
          sent(batch)
              .whenComplete(
                  (done, failure) -> {
                    if (passed.getAndSet(true)) {
                      end();
                      next();
                    }
                  });
      if (!passed.getAndSet(true)) {
        return;
      }
      end();
    }
  }

  private CompletableFuture<?> sent(List<T> batch) {
    try {
      return send.apply(batch);
    } catch (RuntimeException | Error failure) {
      LOG.atError().addKeyValue("count", batch.size()).setCause(failure).log("could not be sent");
      return CompletableFuture.failedFuture(failure);
    }
  }

  /** The next batch, which is under way from now on; empty if there is none or another is. */
  private synchronized List<T> begin() {
    if (busy || waiting.isEmpty()) {
      return List.of();
    }
    busy = true;
    List<T> batch = new ArrayList<>();
    Map<Object, Queue<T>> more = new LinkedHashMap<>();
    for (Iterator<Map.Entry<Object, Queue<T>>> all = waiting.entrySet().iterator();
        all.hasNext() && batch.size() < BATCH_MAX; ) {
      Map.Entry<Object, Queue<T>> one = all.next();
      batch.add(one.getValue().remove());
      all.remove();
      if (!one.getValue().isEmpty()) {
        more.put(one.getKey(), one.getValue());
      }
    }
    waiting.putAll(more);
    return batch;
  }

  private synchronized void end() {
    busy = false;
  }
}
