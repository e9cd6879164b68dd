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

  /**
   * Names these segments, which continue the view densely in order of offsets; when nothing is held
   * the first may begin anywhere, but not beyond the end that a {@link #advanceStart} left behind.
   * Segments that are already named, object for object, are committed again for nothing.
   *
   * <p>After any failure but {@link FencedException} the outcome may be unknown: never delete the
   * objects; ask {@link #committed} where to go on, or add the same segments again.
   *
   * @return one per segment, in the order given; fails with {@link IllegalArgumentException} if
   *     they do not continue the view, and with {@code StoreException.Unavailable} if they did
   *     until an earlier attempt, given up as uncertain, came through meanwhile
   */
  CompletableFuture<List<CommittedSegment>> add(List<UploadedSegment> segments);

  /**
   * What is already named, for a pipeline that resumes: at most {@code max} segments in order of
   * offsets, the first being the one that covers or follows the offset. Re-reads the manifest first
   * if an outcome is open.
   */
  CompletableFuture<List<CommittedSegment>> committed(long fromOffset, int max);

  /**
   * Moves the start; segments wholly below it are retired: named as such with the time, until
   * {@link #forget}.
   *
   * @param logStartOffset below the view's start nothing happens; beyond the end it empties the
   *     tier
   */
  CompletableFuture<ManifestView> advanceStart(long logStartOffset);

  /** Retired segments whose grace period is over by this writer's clock, oldest first. */
  CompletableFuture<List<RetiredSegment>> retired(int max);

  /** Drops retired segments from the manifest after their objects were deleted. */
  CompletableFuture<ManifestView> forget(List<RetiredSegment> segments);

  /** The terminal version: every segment retired, nothing can follow. */
  CompletableFuture<ManifestView> delete();
}
