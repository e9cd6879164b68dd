package io.strandline.tiering.rewrite;

/** Nothing more is rewritten now: leadership has ended, or the disk has no room for it. */
final class LeftException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LeftException() {
    this("leadership has ended");
  }

  LeftException(String reason) {
    super(reason, null, false, false);
  }
}
