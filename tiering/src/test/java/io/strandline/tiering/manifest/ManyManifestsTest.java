package io.strandline.tiering.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.lang.management.ManagementFactory;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What manifests of a thousand segments each cost in memory while they are open. The figures of
 * docs/tiering.md: {@code -Dmanifests=10000}.
 */
class ManyManifestsTest {
  private static final int PARTITIONS = Integer.getInteger("manifests", 250);
  private static final int SEGMENTS = 1000;
  private static final long PAGE_CACHE_BYTES = 4 << 20;

  private final ObjectStore store = new MemoryObjectStore(Runnable::run, InstantSource.system());
  private Manifests manifests = open();

  private Manifests open() {
    ManifestConfig usual = ManifestConfig.defaults();
    ManifestConfig config =
        new ManifestConfig(
            usual.keptMs(),
            usual.keptVersions(),
            usual.retiredGraceMs(),
            PAGE_CACHE_BYTES,
            Optional.empty(),
            usual.fencing());
    return StoreManifests.open(
        store,
        config,
        new StoreManifests.Environment(
            InstantSource.system(), new Random(1), Runnable::run, new SimpleMeterRegistry()));
  }

  /** Fills the cache of pages and loads classes, so that what is measured afterwards stays. */
  @BeforeEach
  void warm() {
    retained(80, partition -> manifests.read(partition).join());
  }

  @Test
  void anOpenWriterKeepsLittle() {
    long bytes = retained(PARTITIONS, partition -> manifests.acquire(partition, 2).join());

    report("a writer", bytes);
    assertThat(bytes).isLessThan(14 << 10);
  }

  @Test
  void aViewThatWasSearchedKeepsLittle() {
    long bytes =
        retained(
            PARTITIONS,
            partition -> {
              ManifestView view = manifests.read(partition).join();
              assertThat(view.find(10).join()).isPresent();
              assertThat(view.find(SEGMENTS * 10 - 1).join()).isPresent();
              return view;
            });

    report("a view", bytes);
    assertThat(bytes).isLessThan(14 << 10);
  }

  @Test
  void pagesKeepWhatTheirCacheMay() {
    manifests = open();
    long before = heap();
    retained(PARTITIONS, partition -> manifests.read(partition).join().find(10).join().isPresent());
    long bytes = heap() - before;

    report("all pages, per partition", bytes / PARTITIONS);
    assertThat(bytes).isBetween(PAGE_CACHE_BYTES / 4, PAGE_CACHE_BYTES * 2);
  }

  private static void report(String what, long bytes) {
    System.err.printf("%d partitions of %d: %s %d bytes%n", PARTITIONS, SEGMENTS, what, bytes);
  }

  /**
   * Bytes of heap that each of these keeps when its partition's objects are gone from the store.
   */
  private long retained(int count, Function<TopicIdPartition, Object> open) {
    List<Object> kept = new ArrayList<>(count);
    long before = heap();
    for (int i = 0; i < count; i++) {
      TopicIdPartition partition = new TopicIdPartition(new Uuid(77, i), i, "orders");
      write(manifests.acquire(partition, 1).join());
      kept.add(open.apply(partition));
      store
          .delete(
              store.list(ManifestKeys.prefix(partition), "", 1000).join().objects().stream()
                  .map(ObjectInfo::key)
                  .toList())
          .join();
    }
    long bytes = heap() - before;
    assertThat(kept).hasSize(count);
    return bytes / count;
  }

  private static void write(ManifestWriter writer) {
    for (int i = 0; i < SEGMENTS; i += 100) {
      List<UploadedSegment> segments = new ArrayList<>();
      for (int j = i; j < i + 100; j++) {
        segments.add(segment(writer.view().partition(), j * 10L));
      }
      writer.add(segments).join();
    }
  }

  /** With names and numbers as they are in a store. */
  private static UploadedSegment segment(TopicIdPartition partition, long base) {
    Random random = new Random(base);
    return new UploadedSegment(
        new SegmentEntry(
            "Some1Cluster2Id3xyzQQQ",
            partition,
            SegmentId.of(partition, base, random.nextLong()).key(),
            0,
            (64 << 20) + random.nextInt(1 << 20),
            64 << 20,
            60,
            random.nextInt(),
            base,
            base + 10,
            1_800_000_000_000L + base * 1000 + random.nextInt(1000),
            1,
            false));
  }

  private static long heap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
