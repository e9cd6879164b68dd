package io.strandline.cache.disk;

/**
 * A place in a slab file and what it holds. Mutable state is the {@link SlotIndex}'s, under its
 * monitor.
 */
final class Slot {
  private final SlabFile file;
  private final int number;
  private final int lengthBytes;
  private final int crc32c;
  private final boolean evicted;

  /** How often it is passed over when a slot is wanted; a read sets it, each turn takes one. */
  int lives;

  /** Reads that run now. */
  int pins;

  /** Removed from the index while pinned: free once the last pin is gone. */
  boolean orphaned;

  private Slot(SlabFile file, int number, int lengthBytes, int crc32c, boolean evicted) {
    this.file = file;
    this.number = number;
    this.lengthBytes = lengthBytes;
    this.crc32c = crc32c;
    this.evicted = evicted;
  }

  static Slot empty(SlabFile file, int number) {
    return new Slot(file, number, 0, 0, false);
  }

  /** The same place, taken from another chunk. */
  Slot emptied() {
    return new Slot(file, number, 0, 0, true);
  }

  Slot holding(int bytes, int checksum) {
    return new Slot(file, number, bytes, checksum, false);
  }

  SlabFile file() {
    return file;
  }

  int number() {
    return number;
  }

  int lengthBytes() {
    return lengthBytes;
  }

  int crc32c() {
    return crc32c;
  }

  boolean evicted() {
    return evicted;
  }
}
