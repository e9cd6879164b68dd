package io.strandline.broker.control;

/**
 * The control plane can not start: the message is one line for the operator, saying what is wrong
 * and what would be right.
 */
public final class ControlException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message for the operator. */
  public ControlException(String message) {
    super(message);
  }

  /** With a message for the operator and what caused it. */
  public ControlException(String message, Throwable cause) {
    super(message, cause);
  }
}
