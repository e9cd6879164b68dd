package io.strandline.tiering;

/**
 * How far a partition is tiered: what followers learn from their leader (design D8).
 *
 * @param tieredEndOffset offset after the last committed one
 * @param epoch leader epoch of the manifest's writer
 */
public record TierProgress(long manifestVersion, long tieredEndOffset, int epoch) {}
