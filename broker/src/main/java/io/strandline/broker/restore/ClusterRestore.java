package io.strandline.broker.restore;

import io.strandline.broker.control.snapshot.MetadataSnapshot;
import io.strandline.broker.control.snapshot.RestoredCluster;
import io.strandline.broker.control.snapshot.SavedCluster;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.index.CorruptManifestException;
import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.restore.MetadataBackups.Backup;
import io.strandline.tiering.restore.RestoredEpochs;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreOwner;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.CorruptRecordException;

/**
 * Builds the metadata of a cluster again from nothing but its store, for one new node (design D16).
 *
 * <p>Order: the new generation is claimed, so that nodes of the lost cluster that still run stop
 * writing; then each partition's manifest is claimed for an epoch above all that such a node can
 * have, after which the tier's end is final; only then is it reported and written down. Blocks its
 * caller; not for a broker that runs.
 */
public final class ClusterRestore {
  private static final int AT_ONCE = 64;

  /**
   * By how much a partition goes on above its saved epoch whose manifest does not tell its own:
   * more than a hundred restores have raised it to that came to no backup.
   */
  private static final int UNREAD_EPOCHS = 100 * RestoredEpochs.SKIPPED;

  private final ObjectStore store;
  private final Manifests manifests;
  private final MetadataBackups backups;
  private final TierTails tails;
  private final Consumer<String> warnings;

  /**
   * @param warnings told, in a line each, of what was found damaged and passed over
   */
  public ClusterRestore(ObjectStore store, Manifests manifests, Consumer<String> warnings) {
    this.store = store;
    this.manifests = manifests;
    this.backups = new MetadataBackups(store);
    this.tails = new TierTails(OwnedStores.all(store), manifests);
    this.warnings = warnings;
  }

  /**
   * What can be restored.
   *
   * @param backup the newest that is whole
   * @param unknown partitions in the store that the backup does not know: of topics made after it;
   *     they stay as they are
   */
  public record Found(
      String clusterId,
      Backup backup,
      SavedCluster cluster,
      int generation,
      List<RestoredPartition> partitions,
      List<TopicIdPartition> unknown) {

    /** Topics deleted after the backup. */
    public Set<Uuid> gone() {
      return partitions.stream()
          .filter(RestoredPartition::deleted)
          .map(p -> p.id().topicId())
          .collect(Collectors.toUnmodifiableSet());
    }
  }

  /** Looks and changes nothing; a cluster that still runs may be ahead of it at once. */
  public Found look() {
    return find(false);
  }

  /**
   * Takes the store from whatever of the lost cluster still runs.
   *
   * @return what is there now, and stays
   */
  public Found take() {
    return find(true);
  }

  private Found find(boolean take) {
    String clusterId =
        StoreOwner.read(store)
            .join()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "no tier in " + store.describe() + ": it has no object named owner"));
    Map.Entry<Backup, SavedCluster> newest = newest();
    SavedCluster cluster = newest.getValue();
    int latest = Math.max(backups.generation().join(), cluster.generation());
    if (take) {
      backups.claim(latest + 1, "restored from " + newest.getKey().key()).join();
    }
    List<RestoredPartition> partitions = partitions(cluster, take);
    Set<String> known =
        partitions.stream().map(p -> nameless(p.id())).collect(Collectors.toUnmodifiableSet());
    List<TopicIdPartition> unknown =
        manifests.partitions().join().stream().filter(p -> !known.contains(nameless(p))).toList();
    return new Found(clusterId, newest.getKey(), cluster, latest + 1, partitions, unknown);
  }

  private static String nameless(TopicIdPartition partition) {
    return partition.topicId() + "-" + partition.partition();
  }

  private Map.Entry<Backup, SavedCluster> newest() {
    List<Backup> all = backups.newest().join();
    for (Backup backup : all) {
      try {
        MetadataSnapshot snapshot =
            new MetadataSnapshot(backup.endOffset(), backup.epoch(), backups.read(backup).join());
        return Map.entry(backup, SavedCluster.of(snapshot));
      } catch (CorruptRecordException damaged) {
        passOver(backup, damaged);
      } catch (CompletionException unread) {
        StoreException failure = StoreException.of(unread);
        boolean forged =
            failure instanceof StoreException.Undeciphered u && u.lackingKey().isEmpty();
        if (!forged
            && !(failure instanceof StoreException.NotFound)) { // pruned since it was listed
          throw unread;
        }
        passOver(backup, failure);
      }
    }
    throw new IllegalArgumentException(
        "no backup of the metadata in "
            + store.describe()
            + (all.isEmpty() ? "" : " is whole; " + all.size() + " are damaged"));
  }

  private void passOver(Backup backup, RuntimeException damage) {
    warnings.accept(backup.key() + " is passed over: " + damage.getMessage());
  }

  private List<RestoredPartition> partitions(SavedCluster cluster, boolean take) {
    List<TopicIdPartition> ids =
        cluster.partitions().keySet().stream()
            .sorted(
                Comparator.comparing(TopicIdPartition::topic)
                    .thenComparingInt(TopicIdPartition::partition))
            .toList();
    List<RestoredPartition> found = new ArrayList<>(ids.size());
    for (int i = 0; i < ids.size(); i += AT_ONCE) {
      List<CompletableFuture<RestoredPartition>> some =
          ids.subList(i, Math.min(ids.size(), i + AT_ONCE)).stream()
              .map(id -> partitionOrUnread(id, cluster.partitions().getOrDefault(id, 0), take))
              .toList();
      some.forEach(one -> found.add(one.join()));
    }
    return found;
  }

  /**
   * What was never tiered is claimed too: a node of the lost cluster that still runs hears of this
   * only after some minutes, and may be about to tier it for the first time.
   *
   * <p>What is damaged holds up its own partition: that asks the store again when it is led, and
   * claims its manifest before anything of it is read.
   */
  private CompletableFuture<RestoredPartition> partition(
      TopicIdPartition id, int savedEpoch, boolean take) {
    return manifests
        .read(id)
        .thenCompose(
            view ->
                take && !view.deleted()
                    ? manifests
                        .acquire(id, epochAbove(savedEpoch, view.leaderEpoch()))
                        .thenApply(ManifestWriter::view)
                    : CompletableFuture.completedFuture(view))
        .thenCompose(
            view ->
                unlessDamaged(
                    tails.ofOwn(view).thenApply(tail -> RestoredPartition.of(id, tail, savedEpoch)),
                    "the last segment of " + id.topicPartition(),
                    () -> RestoredPartition.bounds(id, view, savedEpoch)));
  }

  private CompletableFuture<RestoredPartition> partitionOrUnread(
      TopicIdPartition id, int savedEpoch, boolean take) {
    return unlessDamaged(
        partition(id, savedEpoch, take),
        "the manifest of " + id.topicPartition(),
        () -> RestoredPartition.unread(id, savedEpoch, savedEpoch + UNREAD_EPOCHS));
  }

  private CompletableFuture<RestoredPartition> unlessDamaged(
      CompletableFuture<RestoredPartition> read, String what, Supplier<RestoredPartition> left) {
    return read.exceptionallyCompose(
        thrown -> {
          Throwable failure =
              thrown instanceof CompletionException && thrown.getCause() != null
                  ? thrown.getCause()
                  : thrown;
          if (!isDamage(failure)) {
            return CompletableFuture.failedFuture(failure);
          }
          warnings.accept(what + " cannot be read: " + failure.getMessage());
          return CompletableFuture.completedFuture(left.get());
        });
  }

  /** What lies in the store is not what was written, or is not there; another try is no use. */
  private static boolean isDamage(Throwable failure) {
    return failure instanceof SegmentFormatException
        || failure instanceof CorruptManifestException
        || failure instanceof UncheckedIOException
        || failure instanceof StoreException.NotFound
        || failure instanceof StoreException.OutOfRange
        || failure instanceof StoreException.Undeciphered;
  }

  private static int epochAbove(int savedEpoch, int tierEpoch) {
    return Math.max(savedEpoch, tierEpoch) + RestoredEpochs.SKIPPED;
  }

  /**
   * The metadata of the restored cluster.
   *
   * @param found as {@link #take} gave it
   * @param node id of the one node that begins with it
   */
  public static RestoredCluster plan(Found found, int node) {
    Map<TopicIdPartition, Integer> epochs = new HashMap<>();
    found // the tier's epoch is the claim of this restore
        .partitions()
        .forEach(
            p ->
                epochs.put(
                    p.id(), Math.max(p.savedEpoch() + RestoredEpochs.SKIPPED, p.tierEpoch()) + 1));
    return RestoredCluster.of(
        found.clusterId(),
        found.cluster(),
        new RestoredCluster.Plan(
            node, id -> epochs.getOrDefault(id, 0), found.gone(), found.generation()));
  }
}
