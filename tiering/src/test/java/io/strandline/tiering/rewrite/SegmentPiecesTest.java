package io.strandline.tiering.rewrite;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever waits for a walk is told of its end, whatever ends it. */
class SegmentPiecesTest {
  @TempDir Path dir;

  private final ObjectStore store = new MemoryObjectStore(Runnable::run, InstantSource.system());
  private SegmentEntry entry;

  @BeforeEach
  void tierOneSegment() throws IOException {
    TestLog log = TestLog.write(dir.resolve("log"), 1, 0, 20);
    EncodedSegment encoded = SegmentFormat.encode(log.parts());
    ObjectKey key = SegmentId.of(TestLog.PARTITION, 0, 7).key();
    store.put(key, encoded.payload()).join();
    entry = encoded.entry("cluster", key);
  }

  private CompletableFuture<Boolean> walk(Executor executor, SegmentPieces.Use use) {
    return new SegmentPieces(store, executor, 1 << 10, 1 << 20, () -> false).each(entry, use);
  }

  @Test
  void aWalkThatFindsNoMemoryEnds() {
    CompletableFuture<Boolean> walk =
        walk(
            Runnable::run,
            (batches, end) -> {
              throw new OutOfMemoryError("none left");
            });
    assertThat(walk).isCompletedExceptionally();
  }

  @Test
  void aWalkThatNoThreadTakesEnds() {
    int[] taken = new int[1];
    Executor closing =
        task -> {
          if (taken[0]++ > 0) {
            throw new RejectedExecutionException("closing");
          }
          task.run();
        };
    assertThat(walk(closing, (batches, end) -> true)).isCompletedExceptionally();
  }
}
