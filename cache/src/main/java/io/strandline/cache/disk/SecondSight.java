package io.strandline.cache.disk;

import io.strandline.cache.ChunkKey;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Remembers, in a fixed table, which chunks were offered not long ago: a chunk offered twice is
 * worth a write, one that a scan passes once is not. A collision forgets the older of two; the
 * table has {@value #PER_SLOT} places per slot of the disk tier.
 */
final class SecondSight {
  private static final int PER_SLOT = 4;

  private final AtomicLongArray seen;

  SecondSight(long slots) {
    long places = Math.min(1 << 26, Math.max(64, PER_SLOT * slots));
    seen = new AtomicLongArray((int) Long.highestOneBit(places));
  }

  /** Whether the chunk was offered before; from now on it was. */
  boolean again(ChunkKey key) {
    long mark = mark(key);
    int place = (int) (mark >>> 32) & (seen.length() - 1);
    return seen.getAndSet(place, mark) == mark;
  }

  private static long mark(ChunkKey key) {
    long mixed = key.object().hashCode() * 0x9E37_79B9_7F4A_7C15L + key.positionBytes();
    mixed = (mixed ^ (mixed >>> 30)) * 0xBF58_476D_1CE4_E5B9L + key.lengthBytes();
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D0_49BB_1331_11EBL;
    // Never the mark of an empty place.
    return (mixed ^ (mixed >>> 31)) | 1;
  }
}
