package io.strandline.tiering.rewrite;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.upkeep.ForwardClock;
import io.strandline.tiering.upload.Uploader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;

/** What all partitions of a broker that are rewritten use together. */
public final class Rewriting {
  /**
   * What belongs to others.
   *
   * @param store this cluster's own
   * @param stores where the objects lie that manifests name
   */
  public record Services(
      ObjectStore store,
      OwnedStores stores,
      Uploader uploader,
      Workbench workbench,
      LongSupplier clockMs,
      MeterRegistry metrics) {}

  private final Supplier<RewriteConfig> config;
  private final Services services;
  private final ForwardClock steady;
  private final RewriteLane lane;
  private final RewriteMetrics metrics;
  private final AtomicLong files = new AtomicLong();
  private final AtomicLong copyDueMs = new AtomicLong();

  /** The most that the files being written may become. */
  private final AtomicLong writing = new AtomicLong();

  /** Blocks on disk: what an earlier process left in the scratch directory goes. */
  public Rewriting(Supplier<RewriteConfig> config, Services services) {
    this.config = config;
    this.services = services;
    this.steady = new ForwardClock(services.clockMs);
    this.lane = new RewriteLane(() -> config.get().concurrency(), steady::millis);
    this.metrics = new RewriteMetrics(services.metrics);
    try {
      Files.createDirectories(services.workbench.scratch());
      try (DirectoryStream<Path> left = Files.newDirectoryStream(services.workbench.scratch())) {
        for (Path file : left) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  RewriteConfig config() {
    return config.get();
  }

  Uploader uploader() {
    return services.uploader;
  }

  Executor executor() {
    return services.workbench.executor();
  }

  RewriteLane lane() {
    return lane;
  }

  RewriteMetrics metrics() {
    return metrics;
  }

  /** Whether a segment is another's, who may delete it, or was written for another partition. */
  boolean foreign(SegmentEntry entry, TopicIdPartition partition) {
    return !entry.ownerCluster().equals(services.uploader.cluster())
        || !entry.origin().equals(partition);
  }

  long nowMs() {
    return services.clockMs.getAsLong();
  }

  /** The beginning of a segment's batches. */
  CompletableFuture<ByteBuffer> head(SegmentEntry entry, int bytes) {
    return services.store.get(entry.object(), entry.positionBytes(), bytes);
  }

  /**
   * A file of so many bytes at most; blocks on disk.
   *
   * @throws LeftException when the disk has no room for it beside those that are being written: it
   *     is put off
   */
  RewrittenFile newFile(long bytesMax) throws IOException {
    if (!hasRoom(bytesMax)) {
      throw new LeftException("the disk has no room for " + bytesMax + " bytes");
    }
    writing.addAndGet(bytesMax);
    Path path = services.workbench.scratch().resolve("segment-" + files.incrementAndGet());
    try {
      return RewrittenFile.create(path, () -> writing.addAndGet(-bytesMax));
    } catch (IOException e) {
      writing.addAndGet(-bytesMax);
      throw e;
    }
  }

  /** Whether a file of so many bytes may be begun; one that may not is counted as put off. */
  boolean hasRoom(long bytesMax) {
    boolean room = writing.get() + bytesMax <= services.workbench.roomBytes().getAsLong();
    metrics.putOff.increment(room ? 0 : 1);
    return room;
  }

  SegmentPieces pieces(BooleanSupplier left) {
    return pieces(services.uploader.cluster(), left);
  }

  /** Of segments that a cluster owns, this or another. */
  SegmentPieces pieces(String owner, BooleanSupplier left) {
    RewriteConfig now = config();
    return new SegmentPieces(
        owner.equals(services.uploader.cluster()) ? services.store : services.stores.of(owner),
        services.workbench.executor(),
        now.pieceBytes(),
        now.core().batchBytesMax(),
        left);
  }

  /** How long nobody may copy, for the rate's sake. */
  long untilCopyMs() {
    return Math.max(0, copyDueMs.get() - steady.millis());
  }

  /** So many bytes were copied. */
  void copied(long bytes) {
    metrics.copiedBytes.increment((double) bytes);
    metrics.copiedSegments.increment();
    long costMs =
        (long) Math.min(Integer.MAX_VALUE, bytes * 1000.0 / config().copyBytesPerSecond());
    long nowMs = steady.millis();
    copyDueMs.updateAndGet(due -> Math.max(due, nowMs) + costMs);
  }

  /** How long to pause after so many bytes, so as to stay at the rate. */
  long pauseMs(long bytes) {
    return (long) Math.min(Integer.MAX_VALUE, bytes * 1000.0 / config().bytesPerSecond());
  }
}
