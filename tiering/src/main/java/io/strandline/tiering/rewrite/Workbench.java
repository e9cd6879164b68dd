package io.strandline.tiering.rewrite;

import java.nio.file.Path;
import java.util.concurrent.Executor;

/**
 * Where segments are rewritten.
 *
 * @param executor of rewriting alone, as many threads as partitions are rewritten at a time
 * @param scratch a directory of its own for the segments being written; emptied at start
 */
public record Workbench(Executor executor, Path scratch) {}
