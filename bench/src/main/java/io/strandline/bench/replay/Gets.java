package io.strandline.bench.replay;

import io.strandline.tiering.store.ReadRange;
import java.util.concurrent.CompletableFuture;

/** Somebody who gets ranges of objects and throws the bytes away as they arrive. */
@FunctionalInterface
interface Gets {
  CompletableFuture<?> get(ReadRange range);
}
