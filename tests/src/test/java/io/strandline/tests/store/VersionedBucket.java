package io.strandline.tests.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.scrub.PartitionScrub;
import io.strandline.tiering.scrub.ScrubConfig;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;

/** A bucket that keeps versions, and in it one partition among what is not its own. */
final class VersionedBucket {
  private static final int AT_ONCE = 16;
  private static final int SWEEPS_MAX = 50;
  private static final long POLL_NANOS = 50_000_000;

  private final S3AsyncClient sdk;
  private final String bucket;
  private final ObjectStore store;
  private final Random random = new Random(7);
  private final TopicIdPartition mine =
      new TopicIdPartition(Uuid.randomUuid(), new TopicPartition("mine", 0));
  private final TopicIdPartition others =
      new TopicIdPartition(Uuid.randomUuid(), new TopicPartition("others", 0));
  private final Manifests manifests;

  /** Makes the bucket; the store is one of it. */
  VersionedBucket(S3AsyncClient sdk, String bucket, ObjectStore store) {
    this.sdk = sdk;
    this.bucket = bucket;
    this.store = store;
    sdk.createBucket(b -> b.bucket(bucket)).join();
    sdk.putBucketVersioning(
            b ->
                b.bucket(bucket)
                    .versioningConfiguration(v -> v.status(BucketVersioningStatus.ENABLED)))
        .join();
    this.manifests =
        StoreManifests.open(
            store,
            ManifestConfig.defaults(),
            new StoreManifests.Environment(
                InstantSource.system(), random, Runnable::run, new SimpleMeterRegistry()));
  }

  /**
   * Fills the partition with orphans, one of them replaced as often as there are others, and sweeps
   * until nothing of it is left but what the manifest needs.
   */
  void sweep(int many) {
    manifests.acquire(mine, 3).join();
    ObjectKey replaced = SegmentId.of(mine, 7, 7).key();
    all(many, i -> store.put(replaced, bytes(i)));
    List<ObjectKey> orphans =
        IntStream.range(0, many).mapToObj(i -> SegmentId.of(mine, 10 + i, i).key()).toList();
    all(many, i -> store.put(orphans.get(i), bytes(i)));
    store.delete(orphans.subList(0, many / 2)).join();
    List<ObjectKey> foreign =
        List.of(
            SegmentId.of(others, 7, 7).key(),
            ObjectKey.of(SegmentId.prefix(mine.topicId(), 0) + "notes"));
    foreign.forEach(key -> all(3, i -> store.put(key, bytes(i))));
    assertThat(leftovers(store, replaced.value(), Leftover.Of.VERSIONS)).hasSize(many - 1);
    awaitOld();

    PartitionScrub.Swept first = scrub(true).sweep(mine, 3, key -> false).join();
    // A mock lists what was deleted too.
    assertThat(first.deleted()).isGreaterThanOrEqualTo(many - many / 2 + 1);
    for (int i = 0; i < SWEEPS_MAX && kept(mine) > 0; i++) {
      scrub(true).sweep(mine, 3, key -> false).join();
    }
    assertThat(kept(mine)).as("versions and markers of orphans").isZero();
    assertThat(manifests.read(mine).join().leaderEpoch()).isEqualTo(3);
    foreign.forEach(
        key -> {
          assertThat(leftovers(store, key.value(), Leftover.Of.VERSIONS)).hasSize(2);
          assertThat(store.head(key).join()).isPresent();
        });
  }

  /**
   * Until the store's clock has left the second in which the last was written: a HEAD tells whole
   * seconds, so that what is younger than one may well not be old.
   */
  private void awaitOld() {
    Instant written = storeClock();
    while (!storeClock().isAfter(written.plusSeconds(1))) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private Instant storeClock() {
    ObjectKey now = ObjectKey.of("now");
    store.put(now, bytes(0)).join();
    return store.head(now).join().orElseThrow().modified();
  }

  private PartitionScrub scrub(boolean versions) {
    return new PartitionScrub(
        "cluster", store, manifests, random, new ScrubConfig(1_000, 1, 1_000, 1, versions));
  }

  /** Whatever is left of segments, as the SDK tells it. */
  private long kept(TopicIdPartition partition) {
    String prefix = "x/" + SegmentId.prefix(partition.topicId(), partition.partition());
    List<String> keys = new ArrayList<>();
    sdk.listObjectVersionsPaginator(list -> list.bucket(bucket).prefix(prefix))
        .subscribe(
            page ->
                Stream.concat(
                        page.versions().stream().map(version -> version.key()),
                        page.deleteMarkers().stream().map(marker -> marker.key()))
                    .forEach(keys::add))
        .join();
    return keys.stream()
        .map(key -> key.substring(2))
        .filter(key -> !key.startsWith(ManifestKeys.prefix(partition)) && !key.endsWith("notes"))
        .count();
  }

  /** All pages of them, each begun where the one before ended. */
  static List<Leftover> leftovers(ObjectStore store, String prefix, Leftover.Of of) {
    List<Leftover> all = new ArrayList<>();
    Leftover.After after = Leftover.After.START;
    while (true) {
      Leftover.Page page = store.leftovers(prefix, of, after).join();
      all.addAll(page.leftovers());
      if (page.next().isEmpty()) {
        return all;
      }
      assertThat(page.next().get()).as("the next page").isNotEqualTo(after);
      after = page.next().get();
    }
  }

  private static Payload bytes(int number) {
    return Payload.of(ByteBuffer.allocate(4).putInt(number).flip());
  }

  private static void all(int count, IntFunction<CompletableFuture<?>> call) {
    for (int from = 0; from < count; from += AT_ONCE) {
      CompletableFuture.allOf(
              IntStream.range(from, Math.min(count, from + AT_ONCE))
                  .mapToObj(call)
                  .toArray(CompletableFuture[]::new))
          .join();
    }
  }
}
