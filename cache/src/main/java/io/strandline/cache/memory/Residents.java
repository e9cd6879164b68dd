package io.strandline.cache.memory;

import io.strandline.cache.ChunkKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The chunks that the cache holds, and which of them goes next: S3-FIFO (Yang et al. 2023), by
 * bytes.
 *
 * <ul>
 *   <li>What is loaded enters <i>probation</i>, a queue that is let have a tenth. Who leaves it
 *       goes, unless it was asked for {@value #PROMOTE} times there: then it goes over to the main
 *       queue. So a scan, whose chunks are asked for once, displaces nothing but itself.
 *   <li>Who leaves the main queue begins anew at its end as often as it was asked for since, at
 *       most {@value #ASKED_MAX} times.
 *   <li>Of who went, the keys are remembered, as many as the memory has slabs: what is loaded again
 *       so soon enters the main queue.
 *   <li>A chunk that somebody else has a reference to is passed over: its memory would not come
 *       free.
 * </ul>
 *
 * <p>Holds one reference of each chunk; who is told that a chunk left releases it. Threads: any;
 * guarded by its own monitor, a leaf.
 */
final class Residents {
  private static final int PROMOTE = 2;
  private static final int ASKED_MAX = 3;

  /** Share of the bytes that probation may have. */
  private static final int PROBATION_PART = 10;

  /** Chunks in a queue; {@code chunk} is null once it has left otherwise. */
  private static final class Place {
    private @Nullable PooledChunk chunk;
    private final Queue queue;
    private int asked;

    Place(PooledChunk chunk, Queue queue) {
      this.chunk = chunk;
      this.queue = queue;
    }
  }

  private static final class Queue {
    private final ArrayDeque<Place> places = new ArrayDeque<>();
    private long bytes;
  }

  private final long probationBytesMax;
  private final int rememberedMax;
  private final Map<ChunkKey, Place> places = new HashMap<>();
  private final Queue probation = new Queue();
  private final Queue main = new Queue();
  private final LinkedHashSet<ChunkKey> gone = new LinkedHashSet<>();

  /**
   * @param slabs of the memory, which all chunks together have
   */
  Residents(long memoryBytes, int slabs) {
    this.probationBytesMax = memoryBytes / PROBATION_PART;
    this.rememberedMax = slabs;
  }

  /** The chunk, with one more reference that is the caller's. */
  synchronized @Nullable PooledChunk retain(ChunkKey key) {
    Place place = places.get(key);
    if (place == null || place.chunk == null || !place.chunk.tryRetain()) {
      return null;
    }
    place.asked = Math.min(ASKED_MAX, place.asked + 1);
    return place.chunk;
  }

  synchronized boolean holds(ChunkKey key) {
    return places.containsKey(key);
  }

  synchronized long bytes() {
    return probation.bytes + main.bytes;
  }

  /**
   * Takes over a reference.
   *
   * @return the chunk that was held under the same key before, if there was one
   */
  synchronized @Nullable PooledChunk put(PooledChunk chunk) {
    PooledChunk before = remove(chunk.key());
    append(chunk, gone.remove(chunk.key()) ? main : probation);
    return before;
  }

  /** Lets the next go that nobody else has a reference to; null when there is none. */
  synchronized @Nullable PooledChunk evict() {
    boolean probationFirst = probation.bytes > probationBytesMax;
    PooledChunk victim = probationFirst ? fromProbation() : fromMain();
    if (victim == null) {
      victim = probationFirst ? fromMain() : fromProbation();
    }
    if (victim != null) {
      remember(victim.key());
    }
    return victim;
  }

  /** All chunks of an object leave. */
  synchronized List<PooledChunk> forget(String object) {
    List<PooledChunk> left = new ArrayList<>();
    for (ChunkKey key : List.copyOf(places.keySet())) {
      if (key.object().equals(object)) {
        take(key, left);
      }
    }
    return left;
  }

  /** All leave. */
  synchronized List<PooledChunk> clear() {
    List<PooledChunk> left = new ArrayList<>();
    for (ChunkKey key : List.copyOf(places.keySet())) {
      take(key, left);
    }
    probation.places.clear();
    main.places.clear();
    return left;
  }

  private void take(ChunkKey key, List<PooledChunk> left) {
    PooledChunk chunk = remove(key);
    if (chunk != null) {
      left.add(chunk);
    }
  }

  private void append(PooledChunk chunk, Queue queue) {
    Place place = new Place(chunk, queue);
    places.put(chunk.key(), place);
    queue.places.add(place);
    queue.bytes += chunk.blockBytes();
  }

  /** Out of the middle of a queue: its place stays and is empty. */
  private @Nullable PooledChunk remove(ChunkKey key) {
    Place place = places.remove(key);
    if (place == null || place.chunk == null) {
      return null;
    }
    PooledChunk chunk = place.chunk;
    place.chunk = null;
    place.queue.bytes -= chunk.blockBytes();
    return chunk;
  }

  private @Nullable PooledChunk fromProbation() {
    for (int turns = probation.places.size(); turns > 0; turns--) {
      Place place = probation.places.remove();
      PooledChunk chunk = place.chunk;
      if (chunk == null) {
        continue;
      }
      if (place.asked >= PROMOTE) {
        probation.bytes -= chunk.blockBytes();
        append(chunk, main);
      } else if (chunk.unshared()) {
        return remove(chunk.key());
      } else {
        probation.places.add(place);
      }
    }
    return null;
  }

  private @Nullable PooledChunk fromMain() {
    for (int turns = main.places.size() * (ASKED_MAX + 1); turns > 0; turns--) {
      Place place = main.places.poll();
      PooledChunk chunk = place == null ? null : place.chunk;
      if (place == null || chunk == null) {
        continue;
      }
      if (place.asked == 0 && chunk.unshared()) {
        return remove(chunk.key());
      }
      place.asked = Math.max(0, place.asked - 1);
      main.places.add(place);
    }
    return null;
  }

  private void remember(ChunkKey key) {
    gone.add(key);
    if (gone.size() > rememberedMax) {
      gone.remove(gone.iterator().next());
    }
  }
}
