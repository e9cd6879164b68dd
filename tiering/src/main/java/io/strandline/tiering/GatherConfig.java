package io.strandline.tiering;

/**
 * How long sealed segments wait for company, so that a manifest version names several.
 *
 * <p>A version costs a PUT and a LIST, as much as two segments. Segments of 64 MiB that went up one
 * by one would cost 32 PUT for a GiB; eight at a time they cost 18.
 *
 * @param bytes so many together go up at once; 0: whatever there is
 * @param waitMs what is there goes up when its oldest has waited so long
 */
public record GatherConfig(long bytes, long waitMs) {
  public GatherConfig {
    if (bytes < 0 || waitMs < 0) {
      throw new IllegalArgumentException(bytes + " bytes, " + waitMs + " ms");
    }
  }

  /** Everything goes up as soon as it may. */
  public static GatherConfig none() {
    return new GatherConfig(0, 0);
  }
}
