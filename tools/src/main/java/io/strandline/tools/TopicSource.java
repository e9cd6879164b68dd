package io.strandline.tools;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.mount.CutTransaction;
import io.strandline.tiering.restore.TierTail;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.crypt.FileKeyRing;
import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tools.restore.SavedTopic;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which topic of which store of another cluster: options shared by restore and mount. */
final class TopicSource {
  @Option(
      names = "--from",
      required = true,
      paramLabel = "URI",
      description =
          "The other cluster's store, as in strandline.mount.stores of this cluster's brokers. It is"
              + " only read.")
  private String from = "";

  @Option(names = "--topic", paramLabel = "NAME", description = "The topic's name there.")
  private @Nullable String name;

  @Option(
      names = "--topic-id",
      paramLabel = "ID",
      description = "The topic's id there, if several had the name.")
  private @Nullable String id;

  @Option(
      names = "--keyring",
      paramLabel = "FILE",
      description = "The keys, if the other cluster encrypts its segments.")
  private @Nullable Path keyRing;

  private KeyRing keys() throws IOException {
    return keyRing == null ? KeyRing.none() : FileKeyRing.open(keyRing, new SecureRandom());
  }

  /**
   * One partition there.
   *
   * @param cut transactions whose end lies above the tier's
   */
  record Part(
      int index,
      long startOffset,
      long endOffset,
      int segments,
      long bytes,
      List<CutTransaction> cut) {}

  /**
   * What was found.
   *
   * @param parts every partition from 0 on; one that was never tiered is empty
   * @param saved what is known of the topic there beside its tier
   */
  record Found(String cluster, String topic, Uuid topicId, List<Part> parts, SavedTopic saved) {}

  /**
   * @throws IllegalArgumentException if there is no such topic, or several
   */
  Found find() throws IOException {
    try (TierStore.Opened tier = new TierStore.Opened(from, keys())) {
      String cluster =
          StoreOwner.read(tier.store())
              .join()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "no tier in "
                              + tier.store().describe()
                              + ": it has no object named"
                              + " owner"));
      Map<Uuid, List<TopicIdPartition>> topics = new HashMap<>();
      for (TopicIdPartition partition : tier.manifests().partitions().join()) {
        topics.computeIfAbsent(partition.topicId(), fresh -> new ArrayList<>()).add(partition);
      }
      Map<Uuid, List<ManifestView>> matching = matching(tier, topics);
      if (matching.size() != 1) {
        throw new IllegalArgumentException(
            matching.isEmpty()
                ? "no such topic in " + tier.store().describe()
                : "several topics had that name, give --topic-id: " + matching.keySet());
      }
      Map.Entry<Uuid, List<ManifestView>> only = matching.entrySet().iterator().next();
      SavedTopic saved = SavedTopic.of(tier.store(), only.getKey());
      return new Found(
          cluster,
          named(only.getValue()),
          only.getKey(),
          parts(tier, only.getValue(), saved.partitions()),
          saved);
    }
  }

  private Map<Uuid, List<ManifestView>> matching(
      TierStore.Opened tier, Map<Uuid, List<TopicIdPartition>> topics) {
    if (name == null && id == null) {
      throw new IllegalArgumentException("say which topic: --topic or --topic-id");
    }
    Map<Uuid, List<ManifestView>> matching = new HashMap<>();
    topics.forEach(
        (topicId, partitions) -> {
          if (id != null && !topicId.toString().equals(id)) {
            return;
          }
          ManifestView first = tier.manifests().read(partitions.get(0)).join();
          boolean wanted = name == null || first.partition().topic().equals(name);
          if (wanted && first.version() > 0 && !first.deleted()) {
            matching.put(
                topicId, partitions.stream().map(p -> tier.manifests().read(p).join()).toList());
          }
        });
    return matching;
  }

  private static String named(List<ManifestView> views) {
    return views.get(0).partition().topic();
  }

  /**
   * @param atLeast so many partitions, tiered or not: keys go to partitions by their number
   */
  private static List<Part> parts(TierStore.Opened tier, List<ManifestView> views, int atLeast) {
    TierTails tails = new TierTails(OwnedStores.all(tier.store()), tier.manifests());
    TreeMap<Integer, Part> parts = new TreeMap<>(Comparator.naturalOrder());
    for (ManifestView view : views) {
      TierTail tail = tails.of(view).join();
      int index = view.partition().partition();
      parts.put(
          index,
          new Part(
              index,
              view.startOffset(),
              view.endOffset(),
              view.segmentCount(),
              view.sizeBytes(),
              CutTransaction.at(tail)));
    }
    for (int i = 0; i < Math.max(parts.lastKey(), atLeast); i++) {
      parts.putIfAbsent(i, new Part(i, 0, 0, 0, 0, List.of()));
    }
    return List.copyOf(parts.values());
  }
}
