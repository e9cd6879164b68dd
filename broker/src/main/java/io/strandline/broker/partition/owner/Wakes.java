package io.strandline.broker.partition.owner;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes whoever waits for records, once all appends of a request have been carried out: a reader of
 * several partitions that one request wrote to then finds all of it in one fetch, as in Kafka,
 * where a request's appends are one thread's work. What is woken later is only told later; readers
 * that come by themselves find what is written.
 *
 * <p>Open from its making, for the one who made it, and for each append {@linkplain #begun begun};
 * any thread may call.
 */
public final class Wakes implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger(Wakes.class);

  /** Holds nothing back. */
  public static final Wakes AT_ONCE = new Wakes(0);

  private final Queue<Runnable> held = new ConcurrentLinkedQueue<>();
  private final AtomicInteger open;

  /** To be {@linkplain #done} by the caller too, when there is no further append to begin. */
  public Wakes() {
    this(1);
  }

  private Wakes(int open) {
    this.open = new AtomicInteger(open);
  }

  /** One more append, which is to be {@linkplain #done}. */
  public void begun() {
    if (this != AT_ONCE) {
      open.incrementAndGet();
    }
  }

  public void done() {
    if (this != AT_ONCE && open.decrementAndGet() == 0) {
      release();
    }
  }

  /** Wakes now, or when all is done. */
  @Override
  public void execute(Runnable wake) {
    if (this == AT_ONCE) {
      wake.run();
      return;
    }
    held.add(wake);
    if (open.get() == 0) { // the last one may have looked before this was there
      release();
    }
  }

  private void release() {
    for (Runnable wake = held.poll(); wake != null; wake = held.poll()) {
      try {
        wake.run();
      } catch (RuntimeException | Error failure) {
        LOG.atError().setCause(failure).log("a reader could not be woken");
      }
    }
  }
}
