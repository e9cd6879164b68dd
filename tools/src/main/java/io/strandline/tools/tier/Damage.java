package io.strandline.tools.tier;

import io.strandline.tiering.manifest.index.CorruptManifestException;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Manifests that a look over many of them found damaged: each is told on standard error and passed
 * over.
 */
public final class Damage {
  private boolean found;

  /**
   * Looks into a partition's manifest.
   *
   * @return whether that was possible
   * @throws CompletionException if the store does not answer
   */
  public boolean spares(TopicIdPartition partition, Runnable look) {
    try {
      look.run();
      return true;
    } catch (CompletionException e) {
      String what = CorruptManifestException.damage(e).orElseThrow(() -> e);
      System.err.println(
          "strandline: the manifest of " + Place.of(partition) + " is damaged: " + what);
      found = true;
      return false;
    }
  }

  /** Whether there was any. */
  public boolean found() {
    return found;
  }
}
