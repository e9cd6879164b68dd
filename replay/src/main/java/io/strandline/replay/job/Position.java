package io.strandline.replay.job;

import java.time.Instant;

/** Where a job begins or ends in a partition. */
public sealed interface Position {
  /** The first offset held, or the offset after the last. */
  record Edge() implements Position {}

  /** An offset, the same in all partitions. */
  record Offset(long offset) implements Position {
    public Offset {
      if (offset < 0) {
        throw new IllegalArgumentException("not an offset: " + offset);
      }
    }
  }

  /**
   * The first offset whose timestamp is at least this one, as {@code ListOffsets} finds it; a job
   * that ends there leaves out what follows that offset, whatever its timestamp.
   *
   * @param ms since the epoch
   */
  record Time(long ms) implements Position {}

  /** The start of what is held, or its end, as the job was made. */
  static Position edge() {
    return new Edge();
  }

  static Position offset(long offset) {
    return new Offset(offset);
  }

  static Position time(Instant time) {
    return new Time(time.toEpochMilli());
  }
}
