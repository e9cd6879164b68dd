package io.strandline.replay.job;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.file.FileObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** A bucket on disk as a broker leaves it, written segment by segment. */
final class Bucket implements AutoCloseable {
  static final String CLUSTER = "cluster-of-the-test";

  private final String cluster;
  private final Path dir;
  private final Path scratch;
  private final FileObjectStore store;
  private final StoreManifests manifests;
  private final Random random = new Random(1);
  private final Map<TopicIdPartition, ManifestWriter> writers = new HashMap<>();
  private final Map<TopicIdPartition, Path> newest = new HashMap<>();

  Bucket(Path scratch) {
    this(scratch, CLUSTER);
  }

  Bucket(Path scratch, String cluster) {
    this.cluster = cluster;
    this.scratch = scratch;
    this.dir = scratch.resolve("objects");
    this.store = new FileObjectStore(dir, Runnable::run, InstantSource.system());
    this.manifests =
        StoreManifests.open(
            store,
            ManifestConfig.defaults(),
            new StoreManifests.Environment(
                InstantSource.system(), random, Runnable::run, new SimpleMeterRegistry()));
    StoreOwner.claim(store, cluster, new SplittableRandom(1)).join();
  }

  String uri() {
    return "file:" + dir;
  }

  static TopicIdPartition partition(String topic, int number) {
    return new TopicIdPartition(new Uuid(7, topic.hashCode()), number, topic);
  }

  /** Adds a segment of these batches, which continue the partition. */
  SegmentEntry segment(
      TopicIdPartition partition, List<AbortedTransaction> aborted, MemoryRecords... batches) {
    try {
      Path file = Files.createTempFile(scratch, "segment", ".log");
      ByteBuffer all = ByteBuffer.allocate(1 << 20);
      long end = 0;
      for (MemoryRecords batch : batches) {
        all.put(batch.buffer().duplicate());
        end = batch.lastBatch().orElseThrow().nextOffset();
      }
      all.flip();
      int bytes = all.remaining();
      byte[] copy = new byte[bytes];
      all.get(copy);
      Files.write(file, copy);
      ManifestWriter writer =
          writers.computeIfAbsent(partition, p -> manifests.acquire(p, 3).join());
      long base = writer.view().endOffset();
      EncodedSegment encoded =
          SegmentFormat.encode(
              new SegmentParts(
                  partition,
                  file,
                  bytes,
                  base,
                  end,
                  aborted,
                  List.of(new EpochStart(3, 0)),
                  Optional.empty()));
      SegmentEntry entry =
          encoded.entry(cluster, SegmentId.of(partition, base, random.nextLong()).key());
      store.put(entry.object(), encoded.payload()).join();
      writer.add(List.of(new UploadedSegment(entry))).join();
      newest.put(partition, pathOf(entry));
      return entry;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All that the partition's manifest names. */
  List<SegmentEntry> segments(TopicIdPartition partition) {
    return manifests.read(partition).thenCompose(view -> view.from(0, 512)).join();
  }

  ManifestView view(TopicIdPartition partition) {
    return manifests.read(partition).join();
  }

  /** Names another bucket's segments in a manifest here. */
  void adopt(TopicIdPartition partition, List<SegmentEntry> segments) {
    ManifestWriter writer = writers.computeIfAbsent(partition, p -> manifests.acquire(p, 3).join());
    writer.add(segments.stream().map(UploadedSegment::new).toList()).join();
  }

  void delete(SegmentEntry entry) {
    store.delete(List.of(entry.object())).join();
  }

  void advanceStart(TopicIdPartition partition, long offset) {
    ManifestWriter writer = writers.get(partition);
    if (writer == null) {
      throw new IllegalArgumentException("nothing of " + partition);
    }
    writer.advanceStart(offset).join();
  }

  /** Writes over the newest version of a partition's manifest. */
  void damageManifest(TopicIdPartition partition) throws IOException {
    try (Stream<Path> files = Files.list(file(partition).resolveSibling("manifest+"))) {
      Path version =
          files
              .filter(file -> file.getFileName().toString().startsWith("v-"))
              .min(Comparator.naturalOrder())
              .orElseThrow();
      Files.writeString(version, "no version of a manifest");
    }
  }

  /** Where the newest segment of a partition lies on disk. */
  Path file(TopicIdPartition partition) {
    Path path = newest.get(partition);
    if (path == null) {
      throw new IllegalArgumentException("nothing of " + partition);
    }
    return path;
  }

  /** A directory of the store has a + after its name. */
  private Path pathOf(SegmentEntry entry) {
    List<String> parts = new ArrayList<>(List.of(entry.object().value().split("/", -1)));
    Path path = dir;
    for (int i = 0; i < parts.size() - 1; i++) {
      path = path.resolve(parts.get(i) + "+");
    }
    return path.resolve(parts.get(parts.size() - 1));
  }

  @Override
  public void close() {
    store.close();
  }
}
