package io.strandline.tiering.compact;

import io.strandline.tiering.segment.BatchBounds;

/**
 * @param mapBytes memory of the map from keys to last offsets ({@code
 *     log.cleaner.dedupe.buffer.size}); 24 bytes a key
 * @param mapLoadFactor how full the map may get ({@code log.cleaner.io.buffer.load.factor})
 * @param bufferBytes each of two buffers ({@code log.cleaner.io.buffer.size}, halved); they grow
 *     for a larger batch
 * @param batchBytesMax a batch longer than this is taken as corrupt
 * @param bounds what a batch may decode to; one that is beyond them is kept as it is
 */
public record CompactionConfig(
    int mapBytes, double mapLoadFactor, int bufferBytes, int batchBytesMax, BatchBounds bounds) {
  private static final long MAP_BYTES_MIN = 64 << 10;
  private static final long MAP_BYTES_PER_BYTE = 4;

  public CompactionConfig {
    if (mapBytes < 24 * 2 || mapLoadFactor <= 0 || mapLoadFactor > 1 || bufferBytes < 1024) {
      throw new IllegalArgumentException(
          "mapBytes " + mapBytes + ", load " + mapLoadFactor + ", buffer " + bufferBytes);
    }
  }

  public static CompactionConfig defaults() {
    return new CompactionConfig(16 << 20, 0.9, 256 << 10, 256 << 20, BatchBounds.defaults());
  }

  /**
   * The same with a map no larger than the keys in so many bytes of batches are likely to need.
   * Well compressed batches may hold more: the round then ends at the first key that finds no room,
   * within a batch if need be, and the next goes on there.
   */
  public CompactionConfig forBytes(long batchBytes) {
    long likely = Math.max(MAP_BYTES_MIN, MAP_BYTES_PER_BYTE * batchBytes);
    return new CompactionConfig(
        (int) Math.min(mapBytes, likely), mapLoadFactor, bufferBytes, batchBytesMax, bounds);
  }
}
