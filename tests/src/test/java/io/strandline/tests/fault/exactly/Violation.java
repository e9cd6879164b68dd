package io.strandline.tests.fault.exactly;

/** Something that must not be. */
record Violation(Kind kind, String what) {
  /** Adya's names where they fit; see {@link Checker}. */
  enum Kind {
    /** Acknowledged, and not there. */
    LOST,
    /** More than once. */
    DUPLICATE,
    /** After what its writer wrote later. */
    REORDERED,
    /** Written by nobody, or not where it was sent. */
    FOREIGN,
    /** G1a: aborted, and seen by a reader of what is committed. */
    ABORTED_READ,
    /** Some of a transaction is there for good, and the rest is not. */
    TORN,
    /** G1b: a reader went past records of a transaction of which it was given others. */
    INTERMEDIATE_READ,
    /** A reader was given something else than what is there in the end. */
    UNSTABLE_READ,
    /** A reader went past records that are there in the end. */
    SKIPPED,
    /** G1c: transactions that are made out of one another in a circle. */
    CIRCULAR,
    /** A record that was read in a group was made into none, or into two. */
    NOT_ONCE,
    /** A group's committed offset went back. */
    OFFSET_LOST
  }

  @Override
  public String toString() {
    return kind + ": " + what;
  }
}
