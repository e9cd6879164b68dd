package io.strandline.tiering;

import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.upkeep.Chore;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Decides uploads that were left open by this broker's earlier epochs in the partition. */
record OpenUploads(Function<ManifestWriter, CompletableFuture<Void>> resolve, long everyMs)
    implements Chore {
  @Override
  public String name() {
    return "open uploads";
  }

  @Override
  public boolean afterCommit() {
    return true;
  }

  @Override
  public long pauseMs(int done) {
    return everyMs;
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    return resolve.apply(writer).thenApply(resolved -> 0);
  }
}
