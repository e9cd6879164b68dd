package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.Landing;
import java.nio.ByteBuffer;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** What the body of one response is put into; no thread but the connection's touches it. */
interface Body<T> {
  /**
   * Copies all that remains of the next piece, which is not more than is missing.
   *
   * @return whether it was taken; if not, nobody wants this body any more
   */
  boolean put(ByteBuffer piece);

  int missingBytes();

  /**
   * Puts the next piece.
   *
   * @throws IllegalStateException if it is more than is missing
   * @throws CancellationException if nobody wants this body any more
   */
  default void take(ByteBuffer piece) {
    if (piece.remaining() > missingBytes()) {
      throw new IllegalStateException("more bytes than announced");
    }
    if (!put(piece)) {
      throw new CancellationException("the read was given up");
    }
  }

  /**
   * What the body became.
   *
   * @throws IllegalStateException if something is missing
   */
  default T whole() {
    if (missingBytes() > 0) {
      throw new IllegalStateException("the body ended early");
    }
    return landed();
  }

  /** As {@link Landing.Try#enter}, of what is missing. */
  default @Nullable ByteBuffer enter(int maxBytes) {
    return null;
  }

  /** As {@link Landing.Try#leave}. */
  default void leave(int filledBytes) {}

  /** What the body became, when nothing is missing. */
  T landed();

  /** A buffer of exactly the length expected: the SDK's own collects pieces and joins them. */
  static Body<ByteBuffer> onHeap(int lengthBytes) {
    ByteBuffer bytes = ByteBuffer.allocate(lengthBytes);
    return new Body<>() {
      @Override
      public boolean put(ByteBuffer piece) {
        bytes.put(piece);
        return true;
      }

      @Override
      public int missingBytes() {
        return bytes.remaining();
      }

      @Override
      public ByteBuffer landed() {
        return bytes.flip();
      }
    };
  }

  /** The memory of whoever asked. */
  static Body<Landing> on(Landing landing, Landing.Try begun, int lengthBytes) {
    return new Body<>() {
      private int missingBytes = lengthBytes;

      @Override
      public boolean put(ByteBuffer piece) {
        missingBytes -= piece.remaining();
        return begun.put(piece);
      }

      @Override
      public int missingBytes() {
        return missingBytes;
      }

      @Override
      public @Nullable ByteBuffer enter(int maxBytes) {
        return begun.enter(Math.min(maxBytes, missingBytes));
      }

      @Override
      public void leave(int filledBytes) {
        missingBytes -= filledBytes;
        begun.leave(filledBytes);
      }

      @Override
      public Landing landed() {
        return landing;
      }
    };
  }
}
