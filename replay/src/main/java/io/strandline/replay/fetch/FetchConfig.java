package io.strandline.replay.fetch;

import io.strandline.tiering.segment.BatchBounds;

/**
 * How history is fetched.
 *
 * @param chunkBytes unit of the cache; at most its slab
 * @param getBytesMax of one request to the store, and how far read-ahead grows
 * @param budgetBytes of all requests in flight and all chunks kept for readers together; at most
 *     three quarters of the cache's memory, so that pinned chunks never starve fills
 * @param batchBytesMax largest batch that is served though the budget cannot hold it: one at a
 *     time, from the heap, beside budget and cache
 * @param readBytesMax of one answer, whatever was asked for, but for a single larger batch
 * @param viewStaleMs how old a manifest view may be before it is read again
 * @param indexBytes memory for decoded segment indexes
 * @param idleMs a reader that did not read for so long loses its read-ahead
 * @param bounds what a batch may decode to that a look-up by time looks into
 */
public record FetchConfig(
    int chunkBytes,
    int getBytesMax,
    long budgetBytes,
    int batchBytesMax,
    int readBytesMax,
    long viewStaleMs,
    long indexBytes,
    long idleMs,
    BatchBounds bounds) {
  public FetchConfig {
    if (chunkBytes <= 0 || getBytesMax < chunkBytes || budgetBytes < chunkBytes) {
      throw new IllegalArgumentException(
          "chunks of "
              + chunkBytes
              + " bytes, requests of "
              + getBytesMax
              + " and a budget of "
              + budgetBytes
              + " do not go together");
    }
    if (batchBytesMax <= 0
        || readBytesMax <= 0
        || viewStaleMs < 0
        || indexBytes < 0
        || idleMs <= 0) {
      throw new IllegalArgumentException("not a replay configuration");
    }
  }

  /**
   * For a cache with this much memory: chunks of 1 MiB, requests of up to 32 MiB, a budget of half
   * the cache, batches of up to 100 MiB, answers of up to 8 MiB, views of up to 5 s, 32 MiB of
   * indexes, idle after 30 s.
   */
  public static FetchConfig forCacheMemory(long cacheMemoryBytes) {
    long budgetBytes = Math.max(1 << 20, cacheMemoryBytes / 2);
    return new FetchConfig(
        1 << 20,
        32 << 20,
        budgetBytes,
        100 << 20,
        8 << 20,
        5_000,
        32L << 20,
        30_000,
        BatchBounds.defaults());
  }

  public FetchConfig withBounds(BatchBounds given) {
    return new FetchConfig(
        chunkBytes,
        getBytesMax,
        budgetBytes,
        batchBytesMax,
        readBytesMax,
        viewStaleMs,
        indexBytes,
        idleMs,
        given);
  }
}
