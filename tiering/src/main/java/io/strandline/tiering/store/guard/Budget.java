package io.strandline.tiering.store.guard;

/** How much may be asked of a store at once; reads and writes never wait for each other. */
public record Budget(Lane reads, Lane writes) {
  /**
   * One lane.
   *
   * @param callsMax under way at once
   * @param bytesMax of the calls under way, in memory
   * @param bytesPerCallMax what a call counts for at most: an upload streams from disk
   * @param queuedMax calls that may wait; one more is told to come back later
   */
  public record Lane(int callsMax, long bytesMax, long bytesPerCallMax, int queuedMax) {
    public Lane {
      if (callsMax < 1 || bytesMax < 1 || bytesPerCallMax < 1 || queuedMax < 0) {
        throw new IllegalArgumentException(
            "not a budget: "
                + callsMax
                + " calls, "
                + bytesMax
                + " bytes, "
                + bytesPerCallMax
                + " bytes a call, "
                + queuedMax
                + " queued");
      }
    }
  }

  public static Budget defaults() {
    return new Budget(
        new Lane(64, 256L << 20, 256L << 20, 10_000), new Lane(32, 256L << 20, 8L << 20, 10_000));
  }
}
