package io.strandline.tiering.scrub;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/** Manifests that forget one of the entries, which the writer would never commit. */
record GappedManifests(Manifests sound, int forgotten) implements Manifests {
  @Override
  public CompletableFuture<ManifestView> read(TopicIdPartition partition) {
    return sound.read(partition).thenApply(this::gapped);
  }

  @Override
  public CompletableFuture<List<TopicIdPartition>> partitions() {
    return sound.partitions();
  }

  @Override
  public CompletableFuture<ManifestWriter> acquire(TopicIdPartition partition, int leaderEpoch) {
    throw new UnsupportedOperationException();
  }

  private ManifestView gapped(ManifestView view) {
    var lost = view.from(0, forgotten + 1).join().get(forgotten);
    return (ManifestView)
        Proxy.newProxyInstance(
            ManifestView.class.getClassLoader(),
            new Class<?>[] {ManifestView.class},
            (proxy, method, args) -> {
              try {
                Object answer = method.invoke(view, args);
                return method.getName().equals("from")
                    ? ((CompletableFuture<?>) answer)
                        .thenApply(
                            all -> ((List<?>) all).stream().filter(e -> !e.equals(lost)).toList())
                    : answer;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
