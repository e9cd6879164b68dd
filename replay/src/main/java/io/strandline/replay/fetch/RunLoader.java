package io.strandline.replay.fetch;

import io.strandline.cache.ChunkKey;
import io.strandline.cache.ChunkLoader;
import io.strandline.replay.plan.ChunkPlan;
import io.strandline.tiering.store.Landing;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One request for a run of adjacent chunks, sent when the first of them is asked for. The answer
 * lands in the chunks' own memory as it comes; the bytes of a chunk that has no memory yet wait on
 * the heap.
 *
 * <p>The landing is closed before any chunk is told that the request has ended: after that nothing
 * writes to their memory. Threads: any; guarded by its own monitor. Lock order: landing, then this.
 */
final class RunLoader implements ChunkLoader {
  private final ChunkPlan.Run run;
  private final Function<Landing, CompletableFuture<Landing>> request;
  private final Landing landing;
  private final CompletableFuture<Landing> landed = new CompletableFuture<>();
  private final @Nullable ByteBuffer[] targets;
  private final @Nullable ByteBuffer[] waiting;
  private boolean sent;

  /**
   * @param run chunks of one length, but for the last, which may be shorter
   * @param request sends a request for the run's bytes
   */
  RunLoader(ChunkPlan.Run run, Function<Landing, CompletableFuture<Landing>> request) {
    this.run = run;
    this.request = request;
    this.landing = new Landing(run.lengthBytes(), new Chunks());
    this.targets = new ByteBuffer[run.chunks().size()];
    this.waiting = new ByteBuffer[run.chunks().size()];
  }

  @Override
  public CompletableFuture<?> load(ChunkKey key, ByteBuffer target) {
    int chunk = chunkAt((int) (key.positionBytes() - run.positionBytes()));
    boolean first;
    synchronized (this) {
      targets[chunk] = target;
      first = !sent;
      sent = true;
    }
    if (first) {
      send();
    }
    return landed.thenRun(() -> settle(chunk, target));
  }

  private void send() {
    CompletableFuture<Landing> answer;
    try {
      answer = request.apply(landing);
    } catch (RuntimeException | Error e) { // else the run's other chunks would wait for ever
      landing.close();
      landed.completeExceptionally(e);
      return;
    }
    CompletableFuture<?> unused =
        answer.whenComplete(
            (done, failure) -> {
              landing.close();
              if (failure != null) {
                landed.completeExceptionally(failure);
              } else if (!landing.whole()) {
                landed.completeExceptionally(
                    new IllegalStateException("a store gave less than was asked for: " + run));
              } else {
                landed.complete(landing);
              }
            });
  }

  /** The run's chunks, as far as they have memory. */
  private final class Chunks implements Landing.Ground {
    @Override
    public void put(int fromBytes, ByteBuffer piece) {
      RunLoader.this.put(fromBytes, piece);
    }

    @Override
    public @Nullable ByteBuffer room(int fromBytes) {
      return RunLoader.this.room(fromBytes);
    }
  }

  private synchronized @Nullable ByteBuffer room(int fromBytes) {
    int chunk = chunkAt(fromBytes);
    ByteBuffer target = targets[chunk];
    if (target == null || waiting[chunk] != null || !target.isDirect()) {
      return null;
    }
    int within = fromBytes - chunk * chunkBytes();
    return target.slice(within, target.limit() - within);
  }

  private synchronized void put(int fromBytes, ByteBuffer piece) {
    int at = fromBytes;
    while (piece.hasRemaining()) {
      int chunk = chunkAt(at);
      ByteBuffer place = place(chunk);
      int within = at - chunk * chunkBytes();
      int take = Math.min(piece.remaining(), place.limit() - within);
      place.put(within, piece, piece.position(), take);
      piece.position(piece.position() + take);
      at += take;
    }
  }

  private ByteBuffer place(int chunk) {
    ByteBuffer aside = waiting[chunk];
    if (aside != null) {
      return aside;
    }
    ByteBuffer target = targets[chunk];
    if (target != null) {
      return target;
    }
    aside = ByteBuffer.allocate(run.chunks().get(chunk).lengthBytes());
    waiting[chunk] = aside;
    return aside;
  }

  private synchronized void settle(int chunk, ByteBuffer target) {
    ByteBuffer aside = waiting[chunk];
    if (aside == null) {
      target.position(target.limit());
    } else {
      target.put(aside.duplicate());
    }
  }

  private int chunkAt(int fromBytes) {
    return fromBytes / chunkBytes();
  }

  private int chunkBytes() {
    return run.chunks().get(0).lengthBytes();
  }
}
