package io.strandline.tiering.rewrite;

/** Leadership ended while something was being rewritten: nothing more is done. */
final class LeftException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LeftException() {
    super("leadership has ended", null, false, false);
  }
}
