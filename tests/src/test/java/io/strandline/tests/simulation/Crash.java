package io.strandline.tests.simulation;

/** The process ends at this instant; nobody is meant to catch it. */
final class Crash extends Error {
  private static final long serialVersionUID = 1L;

  Crash() {
    super("injected crash", null, false, false);
  }
}
