package io.strandline.tiering.store;

/**
 * One call of an {@link ObjectStore} as its decorators see it.
 *
 * @param subject the key or prefix it is about, for messages
 * @param bytes the most bytes it moves in either direction, 0 where the answer is small
 */
public record StoreCall(Operation operation, String subject, long bytes) {
  /** What can be asked of a store. */
  public enum Operation {
    PUT,
    PUT_IF_ABSENT,
    REPLACE,
    GET,
    HEAD,
    LIST,
    DELETE;

    /** The name in metrics and messages. */
    public String label() {
      return switch (this) {
        case PUT -> "put";
        case PUT_IF_ABSENT -> "put-if-absent";
        case REPLACE -> "replace";
        case GET -> "get";
        case HEAD -> "head";
        case LIST -> "list";
        case DELETE -> "delete";
      };
    }

    /** Whether it may change the store, so that a failure leaves its outcome unknown. */
    public boolean writes() {
      return switch (this) {
        case PUT, PUT_IF_ABSENT, REPLACE, DELETE -> true;
        case GET, HEAD, LIST -> false;
      };
    }
  }

  @Override
  public String toString() {
    return operation.label() + " " + subject;
  }
}
