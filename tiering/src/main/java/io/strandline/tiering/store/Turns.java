package io.strandline.tiering.store;

/**
 * Makes a thread that moves history give way to others: after every {@value #BYTES} bytes it offers
 * its processor to whoever waits for one. Otherwise it keeps it for a slice of the scheduler, some
 * milliseconds, and a thread that has a producer's batch to take waits for so long.
 *
 * <p>Where nobody waits this costs less than a microsecond; where somebody always does, moving
 * history gets less than its equal share, which is meant. One thread at a time.
 */
public final class Turns {
  private static final int BYTES = 256 << 10;

  private int movedBytes;

  /** So many bytes were moved. */
  @SuppressWarnings("ThreadPriorityCheck") // A hint is all that is wanted: nothing depends on it.
  public void took(int bytes) {
    movedBytes += bytes;
    if (movedBytes >= BYTES) {
      movedBytes = 0;
      Thread.yield();
    }
  }
}
