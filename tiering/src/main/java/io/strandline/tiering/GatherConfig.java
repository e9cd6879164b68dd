package io.strandline.tiering;

/**
 * How long sealed segments wait for company, so that a manifest version names several.
 *
 * <p>A version costs a PUT and a LIST, as much as two segments. Segments of 64 MiB that went up one
 * by one would cost 32 PUT for a GiB; eight at a time they cost 18.
 *
 * @param fewBytes less than so many stay here until more come: an object costs a PUT, a version's
 *     PUT and LIST and a line of the manifest however small it is; 0: nothing is too little
 * @param fewMs though not longer than this after their newest record; 0: without limit
 * @param bytes so many together go up at once; 0: whatever there is
 * @param waitMs what is there goes up when its oldest has waited so long
 */
public record GatherConfig(long fewBytes, long fewMs, long bytes, long waitMs) {
  public GatherConfig {
    if (fewBytes < 0 || fewMs < 0 || bytes < 0 || waitMs < 0) {
      throw new IllegalArgumentException(
          fewBytes + " bytes, " + fewMs + " ms, " + bytes + " bytes, " + waitMs + " ms");
    }
  }

  /** Nothing is too little. */
  public GatherConfig(long bytes, long waitMs) {
    this(0, 0, bytes, waitMs);
  }

  /** Everything goes up as soon as it may. */
  public static GatherConfig none() {
    return new GatherConfig(0, 0);
  }
}
