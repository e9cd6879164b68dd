package io.strandline.tiering.mount;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;

/**
 * This cluster's manifests, and in the place of a mounted partition's the one of another cluster:
 * whoever reads gets that one's newest version. Threads: any.
 */
public final class MountedManifests implements Manifests {
  /**
   * What is read in a partition's place.
   *
   * @param cluster the other one's id
   * @param origin the partition there; its topic's name does not matter
   * @param seen told of every version read, before who asked is answered; does not block
   */
  public record Mount(String cluster, TopicIdPartition origin, Consumer<ManifestView> seen) {}

  private final Manifests own;
  private final Function<String, Manifests> others;
  private final Function<TopicIdPartition, Optional<Mount>> elsewhere;
  private final Map<TopicIdPartition, Mount> mounts = new ConcurrentHashMap<>();

  /**
   * @param others gives another cluster's manifests; asked for each read
   * @param elsewhere what is read in the place of partitions that were not mounted here; asked for
   *     each read
   */
  public MountedManifests(
      Manifests own,
      Function<String, Manifests> others,
      Function<TopicIdPartition, Optional<Mount>> elsewhere) {
    this.own = own;
    this.others = others;
    this.elsewhere = elsewhere;
  }

  /** From now on another cluster's manifest is read in the place of this partition's. */
  public void mount(TopicIdPartition partition, Mount mount) {
    mounts.put(partition, mount);
  }

  /** What was mounted there is forgotten; nothing else happens to it. */
  public void unmount(TopicIdPartition partition) {
    mounts.remove(partition);
  }

  @Override
  public CompletableFuture<ManifestView> read(TopicIdPartition partition) {
    return Optional.ofNullable(mounts.get(partition))
        .or(() -> elsewhere.apply(partition))
        .map(mount -> read(partition, mount))
        .orElseGet(() -> own.read(partition));
  }

  private CompletableFuture<ManifestView> read(TopicIdPartition partition, Mount mount) {
    return others
        .apply(mount.cluster)
        .read(mount.origin)
        .thenApply(
            view -> {
              ManifestView here = new MountedView(partition, view);
              mount.seen.accept(here);
              return here;
            });
  }

  @Override
  public CompletableFuture<List<TopicIdPartition>> partitions() {
    return own.partitions();
  }

  @Override
  public CompletableFuture<ManifestWriter> acquire(TopicIdPartition partition, int leaderEpoch) {
    return mounts.containsKey(partition)
        ? CompletableFuture.failedFuture(
            new IllegalStateException(partition + " is mounted, its manifest is another cluster's"))
        : own.acquire(partition, leaderEpoch);
  }
}
