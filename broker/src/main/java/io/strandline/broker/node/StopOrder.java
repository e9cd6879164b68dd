package io.strandline.broker.node;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was started, to be stopped in the reverse order. A part that fails to stop is logged and
 * does not keep the others from stopping.
 */
public final class StopOrder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StopOrder.class);

  private final Deque<Part> parts = new ArrayDeque<>();

  private record Part(String name, AutoCloseable stop) {}

  /** A part that runs from now on. */
  public synchronized <T extends AutoCloseable> T started(String name, T part) {
    parts.push(new Part(name, part));
    return part;
  }

  /** Stops all parts, last first; a second call does nothing. */
  @Override
  public synchronized void close() {
    while (!parts.isEmpty()) {
      Part part = parts.pop();
      try {
        part.stop().close();
      } catch (Throwable e) { // an Error too: the logs' clean stop may be what comes next
        LOG.atError().addKeyValue("state", part.name()).setCause(e).log("could not be stopped");
      }
    }
  }
}
