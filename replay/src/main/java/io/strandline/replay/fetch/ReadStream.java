package io.strandline.replay.fetch;

import io.strandline.cache.Chunk;
import io.strandline.replay.plan.ChunkPlan;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One reader's way through one partition: where it would go on, and the chunks kept for it from
 * there on.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>The pins are consecutive chunks, across segments, in order of offsets.
 *   <li>Every pin is paid for from the budget; a stream that must wait for budget has let go of all
 *       its pins first, so that those who wait hold nothing. A stream that waits for its reader's
 *       share ({@link Shares}) may keep them: they go when others need them.
 *   <li>A batch larger than the whole budget is read on its own, past the cache, one at a time of
 *       all readers ({@link LoneBatch}).
 * </ol>
 *
 * <p>Read-ahead begins with the second read in sequence and doubles with each request up to the
 * largest one, but not beyond the reader's fair share; it takes only budget that nobody waits for.
 *
 * <p>Threads: any; guarded by its own monitor. Lock order: stream, then budget.
 */
public final class ReadStream {
  /**
   * Where a read goes on.
   *
   * @param positionBytes of a batch, from the segment's first byte
   * @param offset no batch from there on begins below
   */
  public record Cursor(SegmentEntry entry, long positionBytes, long offset) {}

  /**
   * Where a read began.
   *
   * @param offset that was asked for
   */
  private record Place(long offset, Cursor from) {}

  /** So long a chunk that came for a read whose reader had gone on waits for the next try. */
  private static final long OWED_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Streams streams;
  private final long number;
  private final ChunkPlan plan;
  private final ByteBudget budget;
  private final String reader;
  private final ArrayDeque<Pin> pins = new ArrayDeque<>();
  private @Nullable Cursor cursor;
  private @Nullable Place begun;
  private @Nullable LoneBatch lone;
  private int owedChunks; // the first pins, for a read that was not taken yet
  private long owedNanos;
  private int targetChunks;
  private boolean lookingAhead;
  private boolean dropped;
  private volatile long usedNanos;

  /**
   * @param number of this stream alone, so that those used at the same time have an order
   */
  ReadStream(Streams streams, long number, String reader) {
    this.streams = streams;
    this.number = number;
    this.plan = streams.plan();
    this.budget = streams.budget();
    this.reader = reader;
    this.usedNanos = streams.nowNanos();
  }

  /** Where this reader goes on, or tries again, if it asks for this offset next. */
  public synchronized Optional<Cursor> resume(long offset) {
    usedNanos = streams.nowNanos();
    Cursor next = cursor;
    if (next != null && next.offset == offset) {
      begun = new Place(offset, next);
      return Optional.of(next);
    }
    return Optional.ofNullable(begun).filter(b -> b.offset == offset).map(Place::from);
  }

  /** A read of this offset begins there: so would another try of it. */
  public synchronized void begins(long offset, Cursor from) {
    begun = new Place(offset, from);
  }

  /**
   * At least {@code bytesMin} bytes of the segment's data from a position on, and more, up to about
   * {@code bytesWanted}, if they are there already.
   *
   * @param bytesMin at least 1, not beyond the end of the data
   * @param gone whether the reader has stopped to wait: then what has to wait is not begun
   * @return fails with {@link BatchTooLargeException} if it is more than one batch may have, or as
   *     the store does; is cancelled if the reader had gone when it could have begun
   */
  public CompletableFuture<Window> window(
      SegmentEntry entry, long positionBytes, int bytesMin, int bytesWanted, BooleanSupplier gone) {
    int first = plan.chunkAt(positionBytes);
    int count = plan.chunkAt(positionBytes + bytesMin - 1) - first + 1;
    long wantedEnd = Math.min(entry.dataBytes(), positionBytes + bytesWanted);
    int wanted = Math.max(count, plan.chunkAt(wantedEnd - 1) - first + 1);
    long bytes = paid(entry, first, count);
    if (bytes > budget.capacityBytes()) {
      return bytesMin > streams.batchBytesMax()
          ? CompletableFuture.failedFuture(streams.tooLarge(entry, bytesMin))
          : alone(entry, positionBytes, bytesMin);
    }
    Span span = new Span(entry, first, count, wanted, positionBytes);
    CompletableFuture<Shares.Holding> share =
        owed(span)
            ? CompletableFuture.completedFuture(streams.shares().add(reader, bytes))
            : streams.shares().enter(reader, bytes, gone);
    return share.isDone()
        ? share.thenCompose(mine -> window(span, mine, gone))
        : share.thenComposeAsync(mine -> window(span, mine, gone), streams.executor());
  }

  private CompletableFuture<Window> window(Span span, Shares.Holding share, BooleanSupplier gone) {
    return CompletableFuture.completedFuture(share)
        .thenCompose(mine -> paidWindow(span, mine, gone))
        .whenComplete(
            (window, failure) -> {
              if (failure != null) {
                streams.shares().leave(share);
              }
            });
  }

  private CompletableFuture<Window> paidWindow(
      Span span, Shares.Holding share, BooleanSupplier gone) {
    synchronized (this) {
      usedNanos = streams.nowNanos();
      if (lone != null && !lone.begins(span.entry(), span.positionBytes())) {
        dropLone();
      }
      skipTo(span.entry(), span.first());
      if (extend(span)) {
        return ready(span, share);
      }
      drop();
    }
    return afterWaiting(span, share, gone);
  }

  /** Waits for its turn with nothing held; what it loads outlives a reader that gave up waiting. */
  private CompletableFuture<Window> alone(SegmentEntry entry, long positionBytes, int bytesMin) {
    LoneBatch mine;
    synchronized (this) {
      usedNanos = streams.nowNanos();
      drop();
      if (lone == null || !lone.is(entry, positionBytes, bytesMin)) {
        dropLone();
        lone = streams.lone(reader, entry, positionBytes, bytesMin);
      }
      mine = lone.use();
    }
    return mine.bytes()
        .handleAsync(
            (bytes, failure) -> {
              synchronized (this) {
                if (lone == mine && (failure != null || dropped)) {
                  dropLone();
                }
              }
              if (failure != null) {
                mine.done();
                throw failure instanceof CompletionException e
                    ? e
                    : new CompletionException(failure);
              }
              return new Window(bytes, mine::done, streams::waitsForLone);
            },
            streams.executor());
  }

  /**
   * Of a reader that has gone, or gone on elsewhere: whoever was answered before the bytes came
   * asks for them again at once. A read that still waits for them has a use of its own.
   */
  synchronized void dropIdleLone(long idleNanos) {
    if (lone != null && streams.nowNanos() - usedNanos >= idleNanos) {
      dropLone();
    }
  }

  private synchronized void dropLone() {
    if (lone != null) {
      lone.done();
      lone = null;
    }
  }

  /** The read ended here; begins to read ahead if reads follow one another. */
  public void advanced(Cursor next, ManifestView view) {
    synchronized (this) {
      // Not so when it is the first, or one of several reads of the same place.
      boolean inSequence = cursor != null && next.offset > cursor.offset;
      cursor = next;
      owedChunks = 0;
      usedNanos = streams.nowNanos();
      if (dropped) {
        drop();
      } else if (!inSequence || budget.waiting() > 0) {
        targetChunks = Math.max(1, targetChunks);
      } else {
        lookAhead(view);
      }
    }
    if (budget.waiting() > 0) {
      streams.relieve();
    }
  }

  /** The read came after its reader had gone: what it brought waits for the next try. */
  public void untaken() {
    if (budget.waiting() > 0) {
      streams.relieve();
    }
  }

  /** The reader jumped: what was kept for it goes, and it has to prove itself again. */
  public synchronized void jumped() {
    cursor = null;
    begun = null;
    targetChunks = 0;
    drop();
  }

  /** As {@link #jumped}, and what came of the place turned out bad. */
  public void forget() {
    jumped();
    dropLone();
  }

  /** Gives back all that nobody reads now; the place is remembered. */
  synchronized void drop() {
    owedChunks = 0;
    pins.forEach(Pin::done);
    pins.clear();
    streams.keepsNothing(this);
  }

  /**
   * As {@link #drop}, because others wait, but for what a read that was not taken yet needs: else
   * readers less patient than the store is slow would load the same chunks for ever.
   */
  synchronized void relieve(long nowNanos) {
    Pin first = pins.peek();
    boolean owes = first != null && (!first.ready() || nowNanos - owedNanos < OWED_NANOS);
    while (pins.size() > (owes ? owedChunks : 0)) {
      pins.removeLast().done();
    }
    if (pins.isEmpty()) {
      streams.keepsNothing(this);
    }
  }

  /** As {@link #drop}, for good: later calls keep nothing ahead. */
  synchronized void close() {
    dropped = true;
    drop();
    dropLone();
  }

  /** A read that took long may have pinned for a stream that was ended as idle meanwhile. */
  private synchronized void cameOrDropped() {
    owedNanos = streams.nowNanos();
    if (dropped) {
      drop();
    }
  }

  long usedNanos() {
    return usedNanos;
  }

  long number() {
    return number;
  }

  synchronized int pinCount() {
    return pins.size();
  }

  private long paid(SegmentEntry entry, int first, int count) {
    long bytes = 0;
    for (int chunk = first; chunk < first + count; chunk++) {
      bytes += streams.paidBytes(entry, chunk);
    }
    return bytes;
  }

  private void skipTo(SegmentEntry entry, int first) {
    while (!pins.isEmpty() && !pins.element().is(entry, first)) {
      pins.remove().done();
    }
    if (pins.isEmpty()) {
      streams.keepsNothing(this);
    }
  }

  /** Makes the pins begin with these chunks, if the budget allows it now. */
  private boolean extend(Span span) {
    int have = 0;
    for (Pin pin : pins) {
      if (!pin.is(span.entry(), span.first() + have)) {
        break;
      }
      have++;
    }
    if (have >= span.count()) {
      return true;
    }
    int from = span.first() + have;
    int ahead = cursor == null ? 0 : grow();
    int more = Math.min(plan.chunksOf(span.entry()) - from, Math.max(span.wanted() - have, ahead));
    if (!budget.tryReserve(paid(span.entry(), from, more))) {
      more = span.count() - have;
      if (!budget.tryReserve(paid(span.entry(), from, more))) {
        return false;
      }
    }
    pin(span.entry(), from, more);
    return true;
  }

  private CompletableFuture<Window> afterWaiting(
      Span span, Shares.Holding share, BooleanSupplier gone) {
    CompletableFuture<Void> granted =
        budget.reserve(reader, paid(span.entry(), span.first(), span.count()), gone);
    streams.relieve();
    return granted.thenComposeAsync(
        nothing -> {
          synchronized (this) {
            drop();
            pin(span.entry(), span.first(), span.count());
            return ready(span, share);
          }
        },
        streams.executor());
  }

  private void pin(SegmentEntry entry, int from, int count) {
    int chunk = from;
    for (CompletableFuture<Chunk> filled : streams.chunks().get(entry, from, count)) {
      pins.add(new Pin(entry, chunk, filled, budget, streams.paidBytes(entry, chunk)));
      chunk++;
    }
    streams.keeps(this);
  }

  private CompletableFuture<Window> ready(Span span, Shares.Holding share) {
    List<Pin> needed = new ArrayList<>(span.wanted());
    List<Pin> further = new ArrayList<>();
    for (Pin pin : pins) {
      int chunk = span.first() + needed.size() + further.size();
      if (chunk >= span.first() + span.wanted() || !pin.is(span.entry(), chunk)) {
        break;
      }
      (needed.size() < span.count() ? needed : further).add(pin.use());
    }
    owes(span.count());
    int skip = (int) (span.positionBytes() - plan.positionOf(span.first()));
    CompletableFuture<?>[] fills =
        needed.stream().map(Pin::filled).toArray(CompletableFuture[]::new);
    return CompletableFuture.allOf(fills)
        .handleAsync(
            (nothing, failure) -> {
              if (failure != null) {
                needed.forEach(Pin::done);
                further.forEach(Pin::done);
                drop();
                throw failure instanceof CompletionException e
                    ? e
                    : new CompletionException(failure);
              }
              boolean gap = false;
              for (Pin pin : further) {
                gap = gap || !pin.ready() || !streams.shares().more(share, pin.paidBytes());
                if (gap) {
                  pin.done();
                } else {
                  needed.add(pin);
                }
              }
              cameOrDropped();
              return new Window(needed, skip, () -> streams.shares().leave(share), streams::waits);
            },
            streams.executor());
  }

  /**
   * Whether it was loaded, or is, for a read that was not taken: this one takes it in its stead.
   */
  private synchronized boolean owed(Span span) {
    Pin first = pins.peek();
    return span.count() <= owedChunks && first != null && first.is(span.entry(), span.first());
  }

  private void owes(int chunks) {
    owedChunks = chunks;
    owedNanos = streams.nowNanos();
  }

  /**
   * Chunks of the next request: twice the last one's, within the limits and so that what is kept at
   * most, {@link #enough} and one request more, is a fair share.
   */
  private int grow() {
    long share = budget.capacityBytes() * 4 / (9L * Math.max(1, streams.active()));
    long bytesMax = Math.min(share, plan.getBytesMax());
    targetChunks = (int) Math.max(1, Math.min(2L * targetChunks, bytesMax / plan.chunkBytes()));
    return targetChunks;
  }

  /**
   * Whether the chunks kept, there or on their way, are a request's worth and a quarter: so the
   * next request is sent while the last one is still under way, and the store never idles.
   */
  private boolean enough() {
    return pins.size() > targetChunks + Math.max(1, targetChunks / 4);
  }

  private void lookAhead(ManifestView view) {
    if (lookingAhead) {
      return;
    }
    Cursor from = cursor;
    if (from == null || enough()) {
      return;
    }
    Pin last = pins.peekLast();
    SegmentEntry entry = last == null ? from.entry : last.entry();
    int next = last == null ? plan.chunkAt(from.positionBytes) : last.chunk() + 1;
    if (next < plan.chunksOf(entry)) {
      if (ask(entry, next) && !enough()) {
        lookAhead(view);
      }
    } else if (entry.endOffset() < view.endOffset()) {
      crossBorder(entry, view);
    }
  }

  private void crossBorder(SegmentEntry entry, ManifestView view) {
    lookingAhead = true;
    CompletableFuture<?> unused =
        view.from(entry.endOffset(), 1)
            .whenComplete(
                (found, failure) -> {
                  synchronized (this) {
                    lookingAhead = false;
                    Pin last = pins.peekLast();
                    boolean still = last != null && last.entry().equals(entry);
                    if (failure == null
                        && !found.isEmpty()
                        && still
                        && !dropped
                        && ask(found.get(0), 0)) {
                      lookAhead(view);
                    }
                  }
                });
  }

  /**
   * @return whether there was budget for any; without it, who would look again at once would look
   *     for ever
   */
  private boolean ask(SegmentEntry entry, int next) {
    int more = Math.min(grow(), plan.chunksOf(entry) - next);
    while (more > 0 && !budget.tryReserve(paid(entry, next, more))) {
      more /= 2;
    }
    if (more > 0) {
      pin(entry, next, more);
    }
    return more > 0;
  }
}
