package io.strandline.broker.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.tiering.manifest.FencedException;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is done to a tier before a lost log goes on at its end. */
class LogRefillTest {
  private static final TopicIdPartition PARTITION =
      new TopicIdPartition(new Uuid(1, 2), 0, "orders");

  @TempDir Path dir;

  private final ObjectStore store = new MemoryObjectStore(Runnable::run, InstantSource.system());
  private final Manifests manifests =
      StoreManifests.open(
          store,
          ManifestConfig.defaults(),
          new StoreManifests.Environment(
              InstantSource.system(), new Random(1), Runnable::run, new SimpleMeterRegistry()));

  private LogRefill refill() {
    return new LogRefill(
        new TierTails(OwnedStores.all(store), manifests),
        manifests,
        null, // of an ordinary topic nothing is read
        Runnable::run);
  }

  private LogNursery nursery() {
    return new LogNursery(PARTITION, new NioDisk(), dir);
  }

  @Test
  void anEarlierLeaderDoesNotMoveTheEndAnyMore() {
    ManifestWriter earlier = manifests.acquire(PARTITION, 3).join();
    refill().fill(nursery(), OptionalInt.of(4), true).join();
    assertThatThrownBy(() -> earlier.advanceStart(7).join())
        .hasCauseInstanceOf(FencedException.class);
  }

  @Test
  void norDoesOneThatHasNotTieredAnythingYet() {
    refill().fill(nursery(), OptionalInt.of(4), true).join();
    assertThatThrownBy(() -> manifests.acquire(PARTITION, 3).join())
        .hasCauseInstanceOf(FencedException.class);
  }

  @Test
  void aLeaderThatIsOneNoLongerHasNoLogToBegin() {
    manifests.acquire(PARTITION, 5).join();
    assertThat(refill().fill(nursery(), OptionalInt.of(4), true))
        .failsWithin(Duration.ofSeconds(10))
        .withThrowableOfType(ExecutionException.class)
        .withCauseInstanceOf(FencedException.class);
  }

  @Test
  void whatIsNotTieredAndNeverWasIsNotClaimed() {
    refill().fill(nursery(), OptionalInt.of(4), false).join();
    assertThat(manifests.read(PARTITION).join().version()).isZero();
  }
}
