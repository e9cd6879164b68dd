package io.strandline.tests.restore;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.file.FileObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.SplittableRandom;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManager;

/** A tier as a broker leaves it, with batches of the test's choice. */
final class CraftedTier implements AutoCloseable {
  private final Path scratch;
  private final FileObjectStore store;
  private final StoreManifests manifests;
  private final Random random = new Random();

  /**
   * @param batches from offset 0 on, dense
   * @param producers Kafka's snapshot at their end
   */
  record Content(
      List<MemoryRecords> batches, List<AbortedTransaction> aborted, ByteBuffer producers) {}

  CraftedTier(Path objects, Path scratch) {
    this.scratch = scratch;
    this.store = new FileObjectStore(objects, Runnable::run, InstantSource.system());
    this.manifests =
        StoreManifests.open(
            store,
            ManifestConfig.defaults(),
            new StoreManifests.Environment(
                InstantSource.system(), random, Runnable::run, new SimpleMeterRegistry()));
  }

  void claim(String cluster) {
    StoreOwner.claim(store, cluster, new SplittableRandom(1)).join();
  }

  void put(ObjectKey key, String text) {
    store.put(key, Payload.of(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)))).join();
  }

  /** One segment of all of it. */
  void add(TopicIdPartition partition, String cluster, int leaderEpoch, Content content)
      throws IOException {
    Path file = Files.createTempFile(scratch, "segment", ".log");
    Path snapshot = Files.createTempFile(scratch, "producers", ".snapshot");
    long end = 0;
    long bytes = 0;
    try (var out = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
      for (MemoryRecords batch : content.batches) {
        bytes += out.write(batch.buffer().duplicate());
        end = batch.lastBatch().orElseThrow().nextOffset();
      }
    }
    try (var out = Files.newByteChannel(snapshot, StandardOpenOption.WRITE)) {
      out.write(content.producers.duplicate());
    }
    EncodedSegment encoded =
        SegmentFormat.encode(
            new SegmentParts(
                partition,
                file,
                bytes,
                0,
                end,
                content.aborted,
                List.of(new EpochStart(leaderEpoch, 0)),
                Optional.of(snapshot)));
    var key = SegmentId.of(partition, 0, random.nextLong()).key();
    store.put(key, encoded.payload()).join();
    ManifestWriter writer = manifests.acquire(partition, leaderEpoch).join();
    writer.add(List.of(new UploadedSegment(encoded.entry(cluster, key)))).join();
  }

  /** Producers with a transaction open since the offset. */
  static ByteBuffer snapshot(Map<Long, Long> firstOffsets) {
    try {
      File file = File.createTempFile("producers", ".snapshot");
      Map<Long, ProducerStateEntry> open = new HashMap<>();
      firstOffsets.forEach(
          (producer, first) ->
              open.put(
                  producer,
                  new ProducerStateEntry(
                      producer, (short) 3, 0, System.currentTimeMillis(), OptionalLong.of(first))));
      ProducerStateManager.writeSnapshot(file, open, false);
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file.toPath()));
      Files.delete(file.toPath());
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    store.close();
  }
}
