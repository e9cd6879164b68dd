package io.strandline.tiering.upkeep;

import io.micrometer.core.instrument.Counter;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.LocalRelease;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Frees local bytes that are committed and that local retention does not want. */
public final class Release implements Chore {
  private static final int PAGE = 64;

  private final LocalSegments local;
  private final Supplier<TierPolicy> policy;
  private final Executor disk;
  private final LongSupplier clockMs;
  private final Counter releasedBytes;
  private final long everyMs;

  public Release(Upkept upkept, Counter releasedBytes, long everyMs) {
    this.local = upkept.local();
    this.policy = upkept.policy();
    this.disk = upkept.disk();
    this.clockMs = upkept.clockMs();
    this.releasedBytes = releasedBytes;
    this.everyMs = everyMs;
  }

  @Override
  public String name() {
    return "release";
  }

  @Override
  public boolean afterCommit() {
    return true;
  }

  @Override
  public long pauseMs(int done) {
    return done > 0 ? 0 : everyMs;
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    long localStart = local.localLogStartOffset();
    if (localStart >= writer.view().endOffset() || policy.get().copying() != Copying.ON) {
      return CompletableFuture.completedFuture(0);
    }
    return writer
        .committed(localStart, PAGE)
        .thenApplyAsync(
            committed -> {
              LocalRelease.Released released =
                  LocalRelease.release(committed, local, policy.get(), clockMs.getAsLong());
              releasedBytes.increment((double) released.bytes());
              return released.bytes() > 0 ? released.segments() : 0;
            },
            disk);
  }
}
