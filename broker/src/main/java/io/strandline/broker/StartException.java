package io.strandline.broker;

/** The node can not start here and now; the message is one line for the operator. */
public final class StartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With one line for the operator. */
  public StartException(String message) {
    super(message);
  }

  /** With one line for the operator and what caused it. */
  public StartException(String message, Throwable cause) {
    super(message, cause);
  }
}
