package io.strandline.tiering.rewrite;

import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * Where segments are rewritten.
 *
 * @param executor of rewriting alone, as many threads as partitions are rewritten at a time
 * @param scratch a directory of its own for the segments being written; emptied at start
 * @param roomBytes how much may be written there now; blocks on disk
 */
public record Workbench(Executor executor, Path scratch, LongSupplier roomBytes) {
  /** As much as the disk takes. */
  public Workbench(Executor executor, Path scratch) {
    this(executor, scratch, () -> Long.MAX_VALUE);
  }
}
