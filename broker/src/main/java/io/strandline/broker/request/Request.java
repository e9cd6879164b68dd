package io.strandline.broker.request;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;

/**
 * One request as it came off the wire.
 *
 * <p>The body is a view of the network buffer: the records of a Produce are slices of it. The
 * buffer stays until {@link #releaseFrame()} or until the handler's stage completes, whichever is
 * first; what a handler keeps longer it must copy. Nothing of the body but plain strings and
 * numbers may be read after that.
 */
public final class Request<T extends AbstractRequest> {
  private final RequestContext context;
  private final T body;
  private final ByteBuffer frame;
  private final long receivedNanos;
  private final Runnable release;
  private final AtomicBoolean released = new AtomicBoolean();

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
}
