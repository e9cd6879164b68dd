package io.strandline.tools;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.index.CorruptManifestException;
import io.strandline.tiering.mount.CutTransaction;
import io.strandline.tiering.restore.TierTail;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.crypt.FileKeyRing;
import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tools.restore.SavedTopic;
import io.strandline.tools.tier.Place;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
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
      Uuid only = only(tier, topics);
      List<ManifestView> views = views(tier, topics.getOrDefault(only, List.of()));
      SavedTopic saved = SavedTopic.of(tier.store(), only, TopicSource::warn);
      return new Found(cluster, named(views), only, parts(tier, views, saved.partitions()), saved);
    }
  }

  private Uuid only(TierStore.Opened tier, Map<Uuid, List<TopicIdPartition>> topics) {
    if (name == null && id == null) {
      throw new IllegalArgumentException("say which topic: --topic or --topic-id");
    }
    List<Uuid> matching = new ArrayList<>();
    List<String> damaged = new ArrayList<>();
    topics.forEach(
        (topicId, partitions) -> {
          if (id == null || topicId.toString().equals(id)) {
            List<String> unread = new ArrayList<>();
            Optional<ManifestView> any = any(tier, partitions, unread);
            if (any.isEmpty()) {
              damaged.addAll(unread);
            } else if (!any.get().deleted()
                && (name == null || any.get().partition().topic().equals(name))) {
              matching.add(topicId);
            }
          }
        });
    damaged.forEach(TopicSource::warn);
    if (matching.size() != 1) {
      throw new IllegalArgumentException(
          matching.isEmpty()
              ? "no such topic in "
                  + tier.store().describe()
                  + (damaged.isEmpty() ? "" : ", unless it is one whose manifests are damaged")
              : "several topics had that name, give --topic-id: " + matching);
    }
    return matching.get(0);
  }

  /**
   * One of a topic's manifests, each of which knows its name.
   *
   * @param unread told of each that is damaged
   */
  private static Optional<ManifestView> any(
      TierStore.Opened tier, List<TopicIdPartition> partitions, List<String> unread) {
    for (TopicIdPartition partition : partitions) {
      try {
        ManifestView view = tier.manifests().read(partition).join();
        if (view.version() > 0) {
          return Optional.of(view);
        }
      } catch (CompletionException e) {
        unread.add(damaged(partition, e));
      }
    }
    return Optional.empty();
  }

  /**
   * @throws IllegalArgumentException if one is damaged: the partition would begin anew at offset 0
   */
  private static List<ManifestView> views(
      TierStore.Opened tier, List<TopicIdPartition> partitions) {
    List<ManifestView> views = new ArrayList<>();
    for (TopicIdPartition partition : partitions) {
      try {
        views.add(tier.manifests().read(partition).join());
      } catch (CompletionException e) {
        throw new IllegalArgumentException(damaged(partition, e), e);
      }
    }
    return views;
  }

  /**
   * @throws CompletionException the failure, if it is another
   */
  private static String damaged(TopicIdPartition partition, CompletionException failure) {
    String why = CorruptManifestException.damage(failure).orElseThrow(() -> failure);
    return "the manifest of " + Place.of(partition) + " is damaged: " + why;
  }

  private static void warn(String what) {
    System.err.println("strandline: " + what);
  }

  private static String named(List<ManifestView> views) {
    return views.stream()
        .map(view -> view.partition().topic())
        .filter(topic -> !topic.isEmpty())
        .findFirst()
        .orElse("");
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
