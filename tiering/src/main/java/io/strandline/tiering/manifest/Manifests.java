package io.strandline.tiering.manifest;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/** All manifests of a cluster's prefix. Threads: any; no method blocks. */
public interface Manifests {
  /** The newest version, read now; the empty view when there is none. */
  CompletableFuture<ManifestView> read(TopicIdPartition partition);

  /**
   * Every partition below whose place in the store something lies, a manifest or not, in the order
   * of keys. Their topics are unnamed: what {@link #read} finds knows the name. Cost: at most a
   * LIST a partition, and one for every 1000 objects.
   */
  CompletableFuture<List<TopicIdPartition>> partitions();

  /**
   * Takes the right to write for a leader epoch. The first commit raises the epoch in the manifest
   * before any upload, deletion or release.
   *
   * @return fails with {@link FencedException} if a higher epoch already wrote
   */
  CompletableFuture<ManifestWriter> acquire(TopicIdPartition partition, int leaderEpoch);
}
