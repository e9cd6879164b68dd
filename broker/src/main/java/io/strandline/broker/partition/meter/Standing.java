package io.strandline.broker.partition.meter;

/**
 * How a partition stands, as far as this broker is its leader.
 *
 * @param replicas 0 if it is led elsewhere
 * @param inSync of them
 * @param spare how many more are in sync than must be; below 0 if they are too few
 * @param unstable offsets between the last stable one and the high watermark
 */
public record Standing(int replicas, int inSync, int spare, long unstable) {
  /** Of a partition that is led elsewhere, or nowhere. */
  public static Standing notLed(long unstable) {
    return new Standing(0, 0, 1, unstable);
  }
}
