package io.strandline.tiering.store;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Where a ranged read puts its bytes as they come, so that they need no buffer of their own.
 *
 * <p>A store may try several times, and a try that was given up may still be sent bytes. So:
 *
 * <ol>
 *   <li>Only the try begun last writes, from the range's first byte on.
 *   <li>When {@link #close()} returns, nothing writes and nothing ever will: whoever closes a
 *       landing may then give its memory to somebody else.
 * </ol>
 *
 * <p>Threads: any; guarded by its own monitor, which is held while a piece is copied. Who {@link
 * Try#enter enters} writes without it; whoever closes the landing or begins another try waits until
 * he has left.
 */
public final class Landing implements AutoCloseable {
  /** The memory. */
  @FunctionalInterface
  public interface Ground {
    /**
     * Copies all that remains of a piece; called with one piece at a time.
     *
     * @param fromBytes where the piece begins, counted from the range's first byte
     */
    void put(int fromBytes, ByteBuffer piece);

    /**
     * Memory for the next bytes, for the operating system to read into.
     *
     * @param fromBytes where they begin, counted from the range's first byte
     * @return direct memory, from its position to its limit; null if they can only be put
     */
    default @Nullable ByteBuffer room(int fromBytes) {
      return null;
    }
  }

  private final int lengthBytes;
  private final Ground ground;
  private @Nullable Try current;
  private int landedBytes;
  private boolean entered;
  private boolean closed;

  /**
   * @param lengthBytes of the range
   */
  public Landing(int lengthBytes, Ground ground) {
    this.lengthBytes = lengthBytes;
    this.ground = ground;
  }

  public int lengthBytes() {
    return lengthBytes;
  }

  /** Begins a try, which ends the one before; on a closed landing it is over at once. */
  public synchronized Try begin() {
    awaitLeft();
    Try begun = new Try();
    if (!closed) {
      current = begun;
      landedBytes = 0;
    }
    return begun;
  }

  /** Whether the last try put all bytes. */
  public synchronized boolean whole() {
    return landedBytes == lengthBytes;
  }

  @Override
  public synchronized void close() {
    awaitLeft();
    closed = true;
    current = null;
  }

  /** As long as one call of the operating system takes that does not wait for bytes. */
  private synchronized void awaitLeft() {
    boolean interrupted = false;
    while (entered) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized @Nullable ByteBuffer enter(Try from, int maxBytes) {
    if (from != current || entered || landedBytes == lengthBytes) {
      return null;
    }
    ByteBuffer room = ground.room(landedBytes);
    if (room == null) {
      return null;
    }
    int roomBytes = Math.min(Math.min(room.remaining(), maxBytes), lengthBytes - landedBytes);
    entered = true;
    return room.slice(room.position(), roomBytes);
  }

  private synchronized void leave(int filledBytes) {
    entered = false;
    landedBytes += filledBytes;
    notifyAll();
  }

  private synchronized boolean put(Try from, ByteBuffer piece) {
    if (from != current) {
      return false;
    }
    int pieceBytes = piece.remaining();
    if (pieceBytes > lengthBytes - landedBytes) {
      throw new IllegalArgumentException("more bytes than the range has");
    }
    ground.put(landedBytes, piece);
    landedBytes += pieceBytes;
    return true;
  }

  /** One try's right to write, as long as it has it. */
  public final class Try {
    private Try() {}

    /**
     * Puts the next bytes of the range.
     *
     * @return whether they were taken; if not, this try is over
     * @throws IllegalArgumentException if the range has not so many
     */
    public boolean put(ByteBuffer piece) {
      return Landing.this.put(this, piece);
    }

    /**
     * Memory for the next bytes of the range, until {@link #leave}, which must follow at once: the
     * landing cannot be closed before.
     *
     * @return null if the ground has none to give, or this try is over
     */
    public @Nullable ByteBuffer enter(int maxBytes) {
      return Landing.this.enter(this, maxBytes);
    }

    /**
     * @param filledBytes so many were written to the memory that {@link #enter} gave
     */
    public void leave(int filledBytes) {
      Landing.this.leave(filledBytes);
    }
  }
}
