package io.strandline.tests.fault.exactly;

/** A record as a reader was given it. */
record Seen(long offset, String value) {
  Entry entry() {
    return Entry.parse(value);
  }
}
