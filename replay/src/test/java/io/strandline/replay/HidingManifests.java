package io.strandline.replay;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.segment.SegmentEntry;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Manifests that have lost some of their entries, which no writer would commit, and that count how
 * often entries are looked for.
 */
record HidingManifests(Manifests sound, Set<SegmentEntry> hidden, LongAdder looks)
    implements Manifests {
  @Override
  public CompletableFuture<ManifestView> read(TopicIdPartition partition) {
    return sound.read(partition).thenApply(this::hiding);
  }

  @Override
  public CompletableFuture<List<TopicIdPartition>> partitions() {
    return sound.partitions();
  }

  @Override
  public CompletableFuture<ManifestWriter> acquire(TopicIdPartition partition, int leaderEpoch) {
    return sound.acquire(partition, leaderEpoch);
  }

  private ManifestView hiding(ManifestView view) {
    return (ManifestView)
        Proxy.newProxyInstance(
            ManifestView.class.getClassLoader(),
            new Class<?>[] {ManifestView.class},
            (proxy, method, args) -> {
              if (method.getName().equals("from")) {
                looks.increment();
                int max = (int) args[1];
                return view.from((long) args[0], max + hidden.size())
                    .thenApply(
                        all -> all.stream().filter(e -> !hidden.contains(e)).limit(max).toList());
              }
              try {
                return method.invoke(view, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
