package io.strandline.tiering.store;

import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** Why the store did not do what was asked. The kinds are all there are. */
public abstract sealed class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /**
   * What a future of the store failed with: the {@link StoreException} within the wrappings of
   * {@link java.util.concurrent.CompletableFuture}, or {@link Unavailable} around anything else,
   * such as a cancellation.
   */
  public static StoreException of(Throwable thrown) {
    Throwable bare = thrown;
    while ((bare instanceof CompletionException || bare instanceof ExecutionException)
        && bare.getCause() != null) {
      bare = bare.getCause();
    }
    return bare instanceof StoreException known
        ? known
        : new Unavailable("failed without an answer: " + bare, bare);
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
  public static non-sealed class Refused extends StoreException {
    private static final long serialVersionUID = 1L;

    public Refused(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * The object is there and was not deciphered: its key is not at hand, or it is not what was
   * written. A retry will not help.
   */
  public static final class Undeciphered extends StoreException {
    private static final long serialVersionUID = 1L;

    private final @Nullable String lacking;

    private Undeciphered(String message, @Nullable String lacking) {
      super(message, null);
      this.lacking = lacking;
    }

    /** The key of this id is not at hand; nothing is known of the object's bytes. */
    public static Undeciphered lacks(String keyId, String why) {
      return new Undeciphered("encrypted under key " + keyId + ", and " + why, keyId);
    }

    /** Bytes that their key does not fit: changed, exchanged, cut, or another key's. */
    public static Undeciphered forged(String what) {
      return new Undeciphered(what, null);
    }

    /** The same about this object. */
    public Undeciphered of(ObjectKey key) {
      return new Undeciphered(key + " is not deciphered: " + getMessage(), lacking);
    }

    /** The id of the key that is not at hand, if that is why. */
    public Optional<String> lackingKey() {
      return Optional.ofNullable(lacking);
    }
  }

  /**
   * No answer, an answer that makes no sense, a full or overloaded store: try again later; a write
   * may have happened.
   */
  public static final class Unavailable extends StoreException {
    private static final long serialVersionUID = 1L;

    /** What an operator would do something about. */
    public enum Why {
      /** No connection, a server's error, an answer that makes no sense. */
      AWAY,
      /** No answer within the deadline. */
      LATE,
      /** Too many requests for it, as it says. */
      THROTTLED,
      /** It has no room. */
      FULL,
      /** It finds our clock wrong. */
      CLOCK,
      /** Credentials that were good have run out. */
      EXPIRED,
      /** {@link Refused}; only of a store that is not asked any more. */
      REFUSED;

      /** Of any failure. */
      public static Why of(StoreException failure) {
        return failure instanceof Unavailable known
            ? known.why
            : failure instanceof Refused ? REFUSED : AWAY;
      }

      /** The name in metrics and messages. */
      public String label() {
        return name().toLowerCase(Locale.ROOT);
      }
    }

    private final Why why;
    private final boolean unasked;

    public Unavailable(String message, @Nullable Throwable cause) {
      this(message, cause, Why.AWAY);
    }

    public Unavailable(String message, @Nullable Throwable cause, Why why) {
      this(message, cause, why, false);
    }

    private Unavailable(String message, @Nullable Throwable cause, Why why, boolean unasked) {
      super(message, cause);
      this.why = why;
      this.unasked = unasked;
    }

    /** The store was not asked, for all that was asked of late failed like this. */
    public static Unavailable unasked(StoreException last) {
      return new Unavailable(
          "not asked, for it is away: " + last.getMessage(), last, Why.of(last), true);
    }

    public Why why() {
      return why;
    }

    /** Whether no request was made: trying again at once is no use. */
    public boolean unasked() {
      return unasked;
    }
  }
}
