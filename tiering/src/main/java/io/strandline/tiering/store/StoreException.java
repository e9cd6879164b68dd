package io.strandline.tiering.store;

import org.jspecify.annotations.Nullable;

/** Why the store did not do what was asked. The kinds are all there are. */
public abstract sealed class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** There is no such object. */
  public static final class NotFound extends StoreException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message) {
      super(message, null);
    }
  }

  /**
   * The condition of a conditional write did not hold when it was decided; it may have been our own
   * earlier try.
   */
  public static final class PreconditionFailed extends StoreException {
    private static final long serialVersionUID = 1L;

    public PreconditionFailed(String message) {
      super(message, null);
    }
  }

  /** The object is there and does not have the bytes asked for. */
  public static final class OutOfRange extends StoreException {
    private static final long serialVersionUID = 1L;

    public OutOfRange(String message) {
      super(message, null);
    }
  }

  /**
   * The store refuses us: credentials, permission, bucket, a request it does not understand. A
   * retry will not help.
   */
  public static final class Refused extends StoreException {
    private static final long serialVersionUID = 1L;

    public Refused(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * No answer, an answer that makes no sense, a full or overloaded store: try again later; a write
   * may have happened.
   */
  public static final class Unavailable extends StoreException {
    private static final long serialVersionUID = 1L;

    public Unavailable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
