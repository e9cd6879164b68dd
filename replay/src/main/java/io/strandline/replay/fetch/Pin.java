package io.strandline.replay.fetch;

import io.strandline.cache.Chunk;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A chunk, there or on its way, kept for a reader and paid for from the budget until its last user
 * is done and the fill has ended.
 */
final class Pin {
  private final SegmentEntry entry;
  private final int chunk;
  private final CompletableFuture<Chunk> filled;
  private final ByteBudget budget;
  private final long paidBytes;
  private final AtomicInteger users = new AtomicInteger(1);

  Pin(
      SegmentEntry entry,
      int chunk,
      CompletableFuture<Chunk> filled,
      ByteBudget budget,
      long paidBytes) {
    this.entry = entry;
    this.chunk = chunk;
    this.filled = filled;
    this.budget = budget;
    this.paidBytes = paidBytes;
  }

  boolean is(SegmentEntry wantedEntry, int wantedChunk) {
    return chunk == wantedChunk && entry.equals(wantedEntry);
  }

  SegmentEntry entry() {
    return entry;
  }

  int chunk() {
    return chunk;
  }

  CompletableFuture<Chunk> filled() {
    return filled;
  }

  long paidBytes() {
    return paidBytes;
  }

  boolean ready() {
    return filled.isDone() && !filled.isCompletedExceptionally();
  }

  /** One more user; only whoever is or speaks for one may add one. */
  Pin use() {
    users.incrementAndGet();
    return this;
  }

  void done() {
    if (users.decrementAndGet() > 0) {
      return;
    }
    CompletableFuture<?> unused =
        filled.whenComplete(
            (bytes, failure) -> {
              if (bytes != null) {
                bytes.release();
              }
              budget.release(paidBytes);
            });
  }
}
