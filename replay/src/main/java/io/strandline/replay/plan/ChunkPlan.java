package io.strandline.replay.plan;

import io.strandline.cache.ChunkKey;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * How the data of a segment is cut into chunks and which chunks are fetched together. Chunks are
 * aligned to the segment, so that every reader of it names the same ones.
 *
 * @param chunkBytes of each chunk but a segment's last
 * @param getBytesMax of one request
 */
public record ChunkPlan(int chunkBytes, int getBytesMax) {
  public ChunkPlan {
    if (chunkBytes <= 0 || getBytesMax < chunkBytes) {
      throw new IllegalArgumentException(
          "not a plan: chunks of " + chunkBytes + " bytes, requests of " + getBytesMax);
    }
  }

  /**
   * A run of chunks fetched with one request.
   *
   * @param positionBytes in the object
   */
  public record Run(long positionBytes, int lengthBytes, List<ChunkKey> chunks) {}

  /** Number of the chunk that holds the byte at this position of the segment's data. */
  public int chunkAt(long positionBytes) {
    return Math.toIntExact(positionBytes / chunkBytes);
  }

  /** How many chunks the segment's data has. */
  public int chunksOf(SegmentEntry entry) {
    return Math.toIntExact((entry.dataBytes() + chunkBytes - 1) / chunkBytes);
  }

  /** Where in the segment's data the chunk begins. */
  public long positionOf(int chunk) {
    return (long) chunk * chunkBytes;
  }

  public ChunkKey keyOf(SegmentEntry entry, int chunk) {
    long from = positionOf(chunk);
    int lengthBytes = (int) Math.min(chunkBytes, entry.dataBytes() - from);
    return new ChunkKey(entry.object().value(), entry.positionBytes() + from, lengthBytes);
  }

  /** The fewest requests for those of the adjacent chunks that are missing. */
  public List<Run> coalesce(List<ChunkKey> adjacent, Predicate<ChunkKey> missing) {
    List<Run> runs = new ArrayList<>();
    List<ChunkKey> open = new ArrayList<>();
    long openBytes = 0;
    for (ChunkKey key : adjacent) {
      boolean wanted = missing.test(key);
      if (!open.isEmpty() && (!wanted || openBytes + key.lengthBytes() > getBytesMax)) {
        runs.add(run(open, (int) openBytes));
        open.clear();
        openBytes = 0;
      }
      if (wanted) {
        open.add(key);
        openBytes += key.lengthBytes();
      }
    }
    if (!open.isEmpty()) {
      runs.add(run(open, (int) openBytes));
    }
    return runs;
  }

  private static Run run(List<ChunkKey> chunks, int lengthBytes) {
    return new Run(chunks.get(0).positionBytes(), lengthBytes, List.copyOf(chunks));
  }
}
