package io.strandline.replay.job;

import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tiering.store.open.StoreConfig;
import java.util.List;

/**
 * @param uri of the store, as a broker's {@code strandline.object.store}
 * @param others stores of other clusters, of which the manifests name segments, as {@code
 *     strandline.mount.stores}
 * @param memoryBytes outside the heap, for what is on its way; needs as much {@code
 *     -XX:MaxDirectMemorySize}
 * @param store credentials, deadlines, retries
 * @param unavailableMs for so long a store that does not answer is asked again, before a job fails
 * @param bounds what a batch may decode to
 */
public record HistoryConfig(
    String uri,
    List<String> others,
    long memoryBytes,
    StoreConfig store,
    long unavailableMs,
    BatchBounds bounds) {
  public HistoryConfig {
    others = List.copyOf(others);
  }

  /** 256 MiB, five minutes, credentials as the SDK finds them. */
  public static HistoryConfig of(String uri) {
    return new HistoryConfig(
        uri, List.of(), 256L << 20, StoreConfig.defaults(), 300_000, BatchBounds.defaults());
  }

  public HistoryConfig memoryBytes(long bytes) {
    return new HistoryConfig(uri, others, bytes, store, unavailableMs, bounds);
  }

  /** With the keys of encrypted segments. */
  public HistoryConfig keys(KeyRing ring) {
    return new HistoryConfig(uri, others, memoryBytes, store.withKeys(ring), unavailableMs, bounds);
  }

  /** With the stores that restored topics' segments lie in. */
  public HistoryConfig others(List<String> uris) {
    return new HistoryConfig(uri, uris, memoryBytes, store, unavailableMs, bounds);
  }

  public HistoryConfig unavailableMs(long ms) {
    return new HistoryConfig(uri, others, memoryBytes, store, ms, bounds);
  }

  /** What a batch may decode to. */
  public HistoryConfig bounds(BatchBounds given) {
    return new HistoryConfig(uri, others, memoryBytes, store, unavailableMs, given);
  }
}
