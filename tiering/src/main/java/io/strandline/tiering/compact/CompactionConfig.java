package io.strandline.tiering.compact;

/**
 * @param mapBytes memory of the map from keys to last offsets ({@code
 *     log.cleaner.dedupe.buffer.size}); 24 bytes a key
 * @param mapLoadFactor how full the map may get ({@code log.cleaner.io.buffer.load.factor})
 * @param bufferBytes each of two buffers ({@code log.cleaner.io.buffer.size}, halved); they grow
 *     for a larger batch
 * @param batchBytesMax a batch longer than this is taken as corrupt
 */
public record CompactionConfig(
    int mapBytes, double mapLoadFactor, int bufferBytes, int batchBytesMax) {
  public CompactionConfig {
    if (mapBytes < 24 * 2 || mapLoadFactor <= 0 || mapLoadFactor > 1 || bufferBytes < 1024) {
      throw new IllegalArgumentException(
          "mapBytes " + mapBytes + ", load " + mapLoadFactor + ", buffer " + bufferBytes);
    }
  }

  public static CompactionConfig defaults() {
    return new CompactionConfig(16 << 20, 0.9, 256 << 10, 256 << 20);
  }
}
