package io.strandline.tiering.upkeep;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives up what is in the tier of a topic that was turned off for good (KIP-950): the log begins
 * with its local part from then on, and so would the tier, were it turned on again. What was begun
 * is ended, whatever the topic says meanwhile: a request without an answer may still be on its way.
 *
 * <p>It is the local part of whoever led then. A replica that leads later may have less: what lies
 * below is nowhere that it could be read from, and the log begins higher.
 */
public final class GiveUp implements Chore {
  private static final Logger LOG = LoggerFactory.getLogger(GiveUp.class);

  private final Upkept upkept;
  private final Release release;
  private final Consumer<ManifestView> progress;
  private final long everyMs;

  /**
   * @param release frees nothing more of what is given up
   * @param progress told of each new version
   */
  public GiveUp(Upkept upkept, Release release, Consumer<ManifestView> progress, long everyMs) {
    this.upkept = upkept;
    this.release = release;
    this.progress = progress;
    this.everyMs = everyMs;
  }

  @Override
  public String name() {
    return "giving up";
  }

  @Override
  public long pauseMs(int done) {
    return everyMs;
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    int held = writer.view().segmentCount();
    boolean wanted = upkept.policy().get().copying() == Copying.DROP && (held > 0 || lacks());
    if (!wanted && !release.givingUp()) {
      return CompletableFuture.completedFuture(0);
    }
    // First the log, so that no reader is sent for what is going; then the tier.
    return CompletableFuture.supplyAsync(release::giveUp, upkept.disk())
        .thenCompose(writer::drop)
        .thenApply(
            view -> {
              release.gaveUp();
              progress.accept(view);
              return held - view.segmentCount();
            });
  }

  private boolean lacks() {
    LocalSegments local = upkept.local();
    long start = local.logStartOffset();
    long localStart = local.localLogStartOffset();
    if (localStart > start) {
      LOG.atWarn()
          .addKeyValue("partition", upkept.source().partition())
          .addKeyValue("offset", localStart)
          .addKeyValue("value", start)
          .log(
              "begins higher than it did: its tier was given up, and what lies between is not here");
    }
    return localStart > start;
  }
}
