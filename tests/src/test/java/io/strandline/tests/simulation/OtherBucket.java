package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreCall;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Objects that others own, as they were: read by whoever likes, and written to by nobody. */
final class OtherBucket {
  private static final int BYTES_MAX = 1 << 20;

  private final SimulatedCluster cluster;
  private final ObjectStore bucket;
  private final Map<ObjectKey, ByteBuffer> before =
      new TreeMap<>(Comparator.comparing(ObjectKey::value));

  OtherBucket(SimulatedCluster cluster, ObjectStore bucket) {
    this.cluster = cluster;
    this.bucket = bucket;
    String after = "";
    List<ObjectInfo> page = page(after);
    while (!page.isEmpty()) {
      for (ObjectInfo info : page) {
        before.put(info.key(), bucket.get(info.key(), BYTES_MAX).join());
        after = info.key().value();
      }
      page = page(after);
    }
  }

  private List<ObjectInfo> page(String after) {
    return bucket.list("", after, 1000).join().objects();
  }

  /** Objects of the names of those, in another bucket, with bytes of their own. */
  static OtherBucket lookalikes(SimulatedCluster cluster, ObjectStore bucket, OtherBucket like) {
    for (ObjectKey key : like.before.keySet()) {
      if (key.value().endsWith(".seg")) {
        byte[] text = ("not ours: " + key).getBytes(StandardCharsets.UTF_8);
        bucket.put(key, Payload.of(ByteBuffer.wrap(text))).join();
      }
    }
    return new OtherBucket(cluster, bucket);
  }

  ObjectStore bucket() {
    return bucket;
  }

  /** The same, in which a change is a violation when it is asked for. */
  ObjectStore watched() {
    return watched(bucket, cluster);
  }

  static ObjectStore watched(ObjectStore bucket, SimulatedCluster cluster) {
    return new DecoratedObjectStore(bucket) {
      @Override
      protected <T> CompletableFuture<T> around(
          StoreCall call, Supplier<CompletableFuture<T>> action) {
        if (call.operation().writes()) {
          cluster.violated(new AssertionError("OthersUntouched: " + call));
        }
        return action.get();
      }
    };
  }

  /** Throws unless each object is there as it was. */
  void untouched() {
    before.forEach(
        (key, bytes) -> {
          if (!bucket.get(key, BYTES_MAX).join().equals(bytes)) {
            throw new AssertionError("OthersUntouched: " + key + " was written over");
          }
        });
  }

  static Manifests manifests(ObjectStore store, SimulatedCluster cluster, Executor executor) {
    return StoreManifests.open(
        store,
        SimulatedCluster.manifestConfig(),
        new StoreManifests.Environment(
            cluster.time, cluster.random, executor, new CompositeMeterRegistry()));
  }

  static @Nullable Throwable cause(@Nullable Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }
}
