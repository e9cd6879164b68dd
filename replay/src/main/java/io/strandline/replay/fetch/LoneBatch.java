package io.strandline.replay.fetch;

import io.strandline.tiering.segment.SegmentEntry;
import java.nio.ByteBuffer;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The bytes of a batch that the budget cannot hold: on the heap, past the cache, and under a
 * permit, so that there is one at a time. Kept for its reader, who may have been answered before it
 * came, and until the answer that holds it is closed.
 *
 * <p>Threads: any. The permit is asked for at construction, and given back once, when the last user
 * is done and nothing is under way.
 */
final class LoneBatch {
  private final SegmentEntry entry;
  private final long positionBytes;
  private final int lengthBytes;
  private final ByteBudget permit;
  private final CompletableFuture<ByteBuffer> bytes;
  private final AtomicInteger users = new AtomicInteger(1);

  /**
   * @param permit of one; whoever has it loads
   * @param load the bytes, position 0; asked for only if somebody still wants them when it is their
   *     turn
   */
  LoneBatch(
      SegmentEntry entry,
      long positionBytes,
      int lengthBytes,
      Permit permit,
      Supplier<CompletableFuture<ByteBuffer>> load) {
    this.entry = entry;
    this.positionBytes = positionBytes;
    this.lengthBytes = lengthBytes;
    this.permit = permit.of;
    this.bytes =
        permit
            .of
            .reserve(permit.reader, 1, () -> false)
            .thenCompose(
                mine ->
                    users.get() > 0
                        ? load.get()
                        : CompletableFuture.failedFuture(new CancellationException("not wanted")));
  }

  /**
   * Where a turn is waited for.
   *
   * @param of capacity 1
   * @param reader takes turns with others
   */
  record Permit(ByteBudget of, String reader) {}

  boolean begins(SegmentEntry wantedEntry, long wantedPositionBytes) {
    return positionBytes == wantedPositionBytes && entry.equals(wantedEntry);
  }

  boolean is(SegmentEntry wantedEntry, long wantedPositionBytes, int wantedBytes) {
    return lengthBytes == wantedBytes && begins(wantedEntry, wantedPositionBytes);
  }

  CompletableFuture<ByteBuffer> bytes() {
    return bytes;
  }

  /** One more user; only whoever is or speaks for one may add one. */
  LoneBatch use() {
    users.incrementAndGet();
    return this;
  }

  void done() {
    if (users.decrementAndGet() == 0) {
      CompletableFuture<?> unused = bytes.whenComplete((all, failure) -> permit.release(1));
    }
  }
}
