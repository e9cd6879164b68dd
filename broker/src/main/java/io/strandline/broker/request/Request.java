package io.strandline.broker.request;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;

/**
 * One request as it came off the wire.
 *
 * <p>The network buffer stays until the handler returns: a request may wait for its answer for
 * days. The body of a Produce or of a PushTelemetry is a view of it, with records or metrics as
 * slices: there it stays until {@link #releaseFrame()} or until the handler's stage completes,
 * whichever is first, and what is kept longer must be copied.
 */
public final class Request<T extends AbstractRequest> {
  private final RequestContext context;
  private final T body;
  private final ByteBuffer frame;
  private final long receivedNanos;
  private final Runnable release;
  private final AtomicBoolean released = new AtomicBoolean();
  private final AtomicReference<@Nullable Runnable> whenGone = new AtomicReference<>();
  private volatile boolean gone;

  /**
   * @param frame header and body, without the four bytes of length; position 0
   * @param receivedNanos nano ticker when the last byte was read
   * @param release gives the network buffer back; called exactly once
   */
  public Request(
      RequestContext context, T body, ByteBuffer frame, long receivedNanos, Runnable release) {
    this.context = context;
    this.body = body;
    this.frame = frame;
    this.receivedNanos = receivedNanos;
    this.release = release;
  }

  /** Who asks, from where, over which listener; {@link RequestContext#connectionId} names it. */
  public RequestContext context() {
    return context;
  }

  public RequestHeader header() {
    return context.header;
  }

  public ApiKeys api() {
    return context.header.apiKey();
  }

  /** The version the client speaks, which the response must be built for. */
  public short version() {
    return context.header.apiVersion();
  }

  public ListenerName listener() {
    return context.listenerName;
  }

  public T body() {
    return body;
  }

  public long receivedNanos() {
    return receivedNanos;
  }

  /** A copy on the heap of header and body, for forwarding; fails once the frame was released. */
  public ByteBuffer copyOfFrame() {
    if (released.get()) {
      throw new IllegalStateException("frame was released");
    }
    ByteBuffer copy = ByteBuffer.allocate(frame.remaining());
    copy.put(frame.duplicate());
    return copy.flip();
  }

  /**
   * Gives the network buffer back early, as when a Produce has been appended but still waits for
   * its followers. Further calls do nothing. Any thread.
   */
  public void releaseFrame() {
    if (released.compareAndSet(false, true)) {
      release.run();
    }
  }

  /**
   * Has a task run once nobody waits for the answer any more, so that what would wait for long ends
   * early. At once if that is so already. One task for a request.
   *
   * @param task run on the event loop of the connection: never blocks
   */
  public void whenGone(Runnable task) {
    whenGone.set(task);
    if (gone) {
      runWhenGone();
    }
  }

  /** Whether nobody waits for an answer any more. */
  public boolean isGone() {
    return gone;
  }

  /** The connection was lost. */
  public void gone() {
    gone = true;
    runWhenGone();
  }

  private void runWhenGone() {
    Runnable task = whenGone.getAndSet(null);
    if (task != null) {
      task.run();
    }
  }
}
