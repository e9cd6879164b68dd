package io.strandline.replay.fetch;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Consecutive bytes of one segment, kept until {@link #close()}.
 *
 * <p>Close is idempotent; after it the buffers may not be touched.
 */
public final class Window implements AutoCloseable {
  private final List<ByteBuffer> bytes;
  private final Runnable release;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * @param pins ready, consecutive, each with a use that is now the window's
   * @param skipBytes of the first one
   */
  Window(List<Pin> pins, int skipBytes) {
    this.release = () -> pins.forEach(Pin::done);
    this.bytes = new ArrayList<>(pins.size());
    for (Pin pin : pins) {
      bytes.add(pin.filled().join().bytes());
    }
    ByteBuffer first = bytes.get(0);
    first.position(first.position() + skipBytes);
  }

  /**
   * @param all from the position asked for
   * @param release called once, when they are read
   */
  Window(ByteBuffer all, Runnable release) {
    this.bytes = List.of(all.duplicate());
    this.release = release;
  }

  /** Pieces in order, from the position asked for. */
  public List<ByteBuffer> bytes() {
    return bytes;
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      release.run();
    }
  }
}
