package io.strandline.tiering.segment;

/** A leader epoch and the first offset written in it (KIP-101). */
public record EpochStart(int leaderEpoch, long startOffset) {}
