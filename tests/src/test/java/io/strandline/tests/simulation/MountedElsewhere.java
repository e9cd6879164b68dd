package io.strandline.tests.simulation;

import io.strandline.replay.Replay;
import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayRead;
import io.strandline.replay.ReplayRequest;
import io.strandline.tests.simulation.History.Written;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.mount.MountedManifests;
import io.strandline.tiering.mount.MountedStores;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.memory.FaultPlan;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Another cluster that shows the partition while its own cluster lives, through the real replay: a
 * consumer there, over and over. Whatever goes on, it reads what was committed and changes nothing.
 */
final class MountedElsewhere {
  private static final TopicIdPartition HERE = new TopicIdPartition(new Uuid(25, 26), 0, "shown");
  private static final int READ_BYTES = 2048;

  private final SimulatedCluster cluster;
  private final PlantedDamage damage;
  private final SimulatedProcess process;
  private final MountedStores stores;
  private final MountedManifests manifests;
  private final Replay replay;
  private long offset;
  private int reads;
  private boolean over;

  MountedElsewhere(SimulatedCluster cluster, ObjectStore bucket, PlantedDamage damage) {
    this.cluster = cluster;
    this.damage = damage;
    this.process = new SimulatedProcess(cluster.time);
    ObjectStore own = new MemoryObjectStore(Runnable::run, cluster.time);
    FaultPlan some = FaultPlan.random(cluster.random, 0.05, Duration.ofMillis(200));
    this.stores =
        new MountedStores(
            own,
            List.of(
                new FaultyObjectStore(OtherBucket.watched(bucket, cluster), some, cluster.time)));
    stores.ownedBy("another");
    this.manifests =
        new MountedManifests(
            OtherBucket.manifests(own, cluster, process),
            id -> OtherBucket.manifests(stores.of(id), cluster, process),
            id -> Optional.empty());
    manifests.mount(
        HERE,
        new MountedManifests.Mount(
            SimulatedCluster.CLUSTER, SimulatedCluster.PARTITION, view -> {}));
    this.replay = SimulatedReader.replay(stores, manifests, process, cluster.time);
    process.execute(this::identify);
  }

  int reads() {
    return reads;
  }

  /** Nobody reads any more. */
  void end() {
    over = true;
  }

  private void identify() {
    CompletableFuture<?> unused =
        stores.identify().thenAccept(all -> later(all ? this::look : this::identify));
  }

  private void later(Runnable task) {
    if (!over) {
      var unused = process.schedule(task, 100 + cluster.random.nextInt(900), TimeUnit.MILLISECONDS);
    }
  }

  private void look() {
    CompletableFuture<?> unused =
        manifests
            .read(HERE)
            .whenCompleteAsync(
                (view, failure) -> {
                  if (failure != null || view.segmentCount() == 0) {
                    later(this::look);
                  } else {
                    read(view);
                  }
                },
                process);
  }

  private void read(ManifestView view) {
    boolean within = offset >= view.startOffset() && offset < view.endOffset();
    long from = within ? offset : view.startOffset();
    CompletableFuture<?> unused =
        replay
            .read(
                new ReplayRequest(
                    HERE, from, view.endOffset(), READ_BYTES, true, false, "elsewhere"))
            .whenComplete(
                (read, failure) -> {
                  try {
                    if (read != null) {
                      arrived(from, read);
                      read.close();
                    } else {
                      failed(failure);
                    }
                  } catch (AssertionError violation) {
                    cluster.violated(violation);
                  }
                  later(this::look);
                });
  }

  private void arrived(long from, ReplayRead read) {
    Map<Long, Written> records = new TreeMap<>();
    History.collect(records, SimulatedReader.copied(read));
    cluster.history.compareTiered("mount", records, from, read.nextOffset(), cluster.time.millis());
    offset = read.nextOffset();
    reads++;
  }

  /** Only a store that does not answer excuses, a start that has moved beyond, or damage. */
  private void failed(@Nullable Throwable failure) {
    if (!(OtherBucket.cause(failure) instanceof ReplayException told)
        || (told.kind() == ReplayException.Kind.CORRUPT && !damage.explains(told))) {
      throw new AssertionError("AcknowledgedReadable: mount: " + failure, failure);
    }
    if (told.kind() != ReplayException.Kind.UNAVAILABLE) {
      ReplayException.Damage range = told.damage();
      offset = range == null ? 0 : range.toOffset();
    }
  }
}
