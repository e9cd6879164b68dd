package io.strandline.tiering.restore;

/**
 * Leader epochs of a restored cluster lie so far above those of the lost one that neither can be
 * taken for the other's.
 */
public final class RestoredEpochs {
  /** More elections than a partition can have gone through between two backups. */
  public static final int SKIPPED = 1_000;

  private RestoredEpochs() {}

  /**
   * Whether a tier was claimed by a restored cluster.
   *
   * @param known leader epoch, the last that somebody of the lost cluster has heard of
   * @param found leader epoch in the manifest
   */
  public static boolean restoredSince(int known, int found) {
    return found - known >= SKIPPED / 2; // What is known may itself be behind the claimed one.
  }
}
