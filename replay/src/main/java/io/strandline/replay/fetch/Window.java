package io.strandline.replay.fetch;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * Consecutive bytes of one segment, kept until {@link #close()}.
 *
 * <p>Close is idempotent; after it the buffers may not be touched.
 */
public final class Window implements AutoCloseable {
  private final List<ByteBuffer> bytes;
  private final Runnable release;
  private final BooleanSupplier wanted;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * @param pins ready, consecutive, each with a use that is now the window's
   * @param skipBytes of the first one
   * @param then run when the pins were given back
   * @param wanted whether others have long been waiting for what it holds
   */
  Window(List<Pin> pins, int skipBytes, Runnable then, BooleanSupplier wanted) {
    this.wanted = wanted;
    this.release =
        () -> {
          pins.forEach(Pin::done);
          then.run();
        };
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
   * @param wanted whether others have long been waiting for what it holds
   */
  Window(ByteBuffer all, Runnable release, BooleanSupplier wanted) {
    this.wanted = wanted;
    this.bytes = List.of(all.duplicate());
    this.release = release;
  }

  /** Pieces in order, from the position asked for. */
  public List<ByteBuffer> bytes() {
    return bytes;
  }

  /** Whether others have long been waiting for what windows hold. */
  public boolean wanted() {
    return wanted.getAsBoolean();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      release.run();
    }
  }
}
