package io.strandline.tiering.manifest;

import io.strandline.tiering.upload.UploadedSegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The one who may change a partition's manifest: the leader of an epoch. Each call is one new
 * version or none.
 *
 * <p>Calls are carried out one after another in the order made. A future fails with {@link
 * FencedException} once a higher leader epoch has been seen, and then every later call does.
 * Threads: any.
 */
public interface ManifestWriter {
  /** The newest version this writer knows. */
  ManifestView view();

  /** Names these segments, which continue the view densely in order of offsets. */
  CompletableFuture<List<CommittedSegment>> add(List<UploadedSegment> segments);

  /**
   * Moves the start; segments wholly below it are retired: named as such with the time, until
   * {@link #forget}.
   *
   * @param logStartOffset not below the view's start; beyond the end it empties the tier
   */
  CompletableFuture<ManifestView> advanceStart(long logStartOffset);

  /** Retired segments whose grace period is over by this writer's clock, oldest first. */
  CompletableFuture<List<RetiredSegment>> retired(int max);

  /** Drops retired segments from the manifest after their objects were deleted. */
  CompletableFuture<ManifestView> forget(List<RetiredSegment> segments);

  /** The terminal version: every segment retired, nothing can follow. */
  CompletableFuture<ManifestView> delete();
}
