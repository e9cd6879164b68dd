package io.strandline.tiering.store.s3.receive;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who takes the answer to one request. Called by one thread, in the order: head, then pieces of the
 * body in either way, then the end. What it throws ends the connection and fails the exchange.
 */
public interface Receiver {
  /** What an answer says of itself. */
  interface Head {
    /** As HTTP numbers them; never an interim one. */
    int status();

    /** The first field of a name, which is not case-sensitive. */
    Optional<String> field(String name);
  }

  void head(Head head);

  /**
   * Takes a piece of the body.
   *
   * @param piece lent: its memory is used again when this returns
   */
  void put(ByteBuffer piece);

  /**
   * Memory into which the operating system may read the next bytes of the body. It stays the
   * reader's until {@link #leave}, which follows without delay.
   *
   * @return direct memory of at most so many bytes; null if the next bytes shall come as a piece
   */
  default @Nullable ByteBuffer enter(int maxBytes) {
    return null;
  }

  /**
   * @param filledBytes of the memory that {@link #enter} gave, from its first byte on
   */
  default void leave(int filledBytes) {}

  /** The body is whole. */
  void end();
}
