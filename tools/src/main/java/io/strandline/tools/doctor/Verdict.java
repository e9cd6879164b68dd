package io.strandline.tools.doctor;

/** How a check ended; the order is that of their weight. */
public enum Verdict {
  OK,
  /** It works, and something should be done before it does not. */
  WARN,
  /** It does not work, or loses data when the next thing fails. */
  FAIL;

  /** Of the command, if this is the worst: 0, 1 or 2. */
  public int exitCode() {
    return switch (this) {
      case OK -> 0;
      case WARN -> 1;
      case FAIL -> 2;
    };
  }

  Verdict worse(Verdict other) {
    return compareTo(other) >= 0 ? this : other;
  }
}
