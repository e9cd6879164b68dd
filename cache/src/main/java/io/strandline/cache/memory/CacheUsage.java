package io.strandline.cache.memory;

/**
 * What a cache's memory is used for at a moment.
 *
 * @param budgetBytes all there is
 * @param usedBytes taken from the budget: held, being filled, or evicted and still referenced
 * @param heldBytes of chunks that the cache itself holds
 * @param fills running now
 * @param waiting fills that wait for memory
 */
public record CacheUsage(
    long budgetBytes, long usedBytes, long heldBytes, int fills, int waiting) {}
