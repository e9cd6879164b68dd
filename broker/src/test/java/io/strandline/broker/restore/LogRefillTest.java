package io.strandline.broker.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.log.nursery.OpenTransactions;
import io.strandline.tiering.manifest.FencedException;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.junit.jupiter.api.AfterEach;
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

  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

  @AfterEach
  void close() {
    timer.shutdownNow();
  }

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

  /** Another replica may have records of the tier's last epoch where the markers lie. */
  @Test
  void whatEndsTransactionsIsWrittenInTheNewLeadersEpoch() throws IOException {
    tierWithAnOpenTransaction(3);
    try (LogDirectory directory = directory()) {
      LogNursery nursery = directory.nursery(PARTITION);
      refill().fill(nursery, OptionalInt.of(6), true).join();
      PartitionLog log = directory.adopt(nursery, new LogConfig(Map.of()));
      assertThat(log.logEndOffset()).as("behind the marker").isEqualTo(3);
      assertThat(log.epochs()).containsExactly(new EpochStart(3, 0), new EpochStart(6, 2));
      assertThat(log.endOffsetForEpoch(3)).hasValue(new PartitionLog.EpochEnd(3, 2));
    }
  }

  /** Two records, their marker above the tier's end. */
  private void tierWithAnOpenTransaction(int leaderEpoch) throws IOException {
    ByteBuffer records =
        MemoryRecords.withTransactionalRecords(
                RecordBatch.MAGIC_VALUE_V2,
                0,
                Compression.NONE,
                7,
                (short) 1,
                0,
                leaderEpoch,
                new SimpleRecord("a".getBytes(StandardCharsets.UTF_8)),
                new SimpleRecord("b".getBytes(StandardCharsets.UTF_8)))
            .buffer();
    ByteBuffer producers =
        OpenTransactions.snapshot(
            List.of(new OpenTransactions.Open(7, (short) 1, 0, 0, System.currentTimeMillis())));
    Path file = Files.write(dir.resolve("segment"), bytes(records));
    Path snapshot = Files.write(dir.resolve("producers"), bytes(producers));
    EncodedSegment encoded =
        SegmentFormat.encode(
            new SegmentParts(
                PARTITION,
                file,
                Files.size(file),
                0,
                2,
                List.of(),
                List.of(new EpochStart(leaderEpoch, 0)),
                Optional.of(snapshot)));
    ObjectKey key = SegmentId.of(PARTITION, 0, 1).key();
    store.put(key, encoded.payload()).join();
    ManifestWriter writer = manifests.acquire(PARTITION, leaderEpoch).join();
    writer.add(List.of(new UploadedSegment(encoded.entry("cluster", key)))).join();
  }

  private static byte[] bytes(ByteBuffer from) {
    byte[] bytes = new byte[from.remaining()];
    from.duplicate().get(bytes);
    return bytes;
  }

  private LogDirectory directory() {
    return LogDirectory.open(
        dir.resolve("data"),
        new LogRuntime(
            new NioDisk(),
            InstantSource.system(),
            new Random(1),
            Runnable::run,
            timer,
            new SimpleMeterRegistry(),
            LogSettings.defaults()));
  }

  @Test
  void whatIsNotTieredAndNeverWasIsNotClaimed() {
    refill().fill(nursery(), OptionalInt.of(4), false).join();
    assertThat(manifests.read(PARTITION).join().version()).isZero();
  }
}
