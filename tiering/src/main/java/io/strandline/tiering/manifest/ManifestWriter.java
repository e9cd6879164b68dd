package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.retired.RetiredSegment;
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

  /**
   * Puts segments into the place of others that cover the same offsets, and says how far compaction
   * has come: one version, whose requests grow with the levels of the index and with what is
   * replaced, not with what is held. The replaced ones are retired as by {@link #advanceStart}.
   * What stands in place already, object for object, is not put there again.
   *
   * <p>As after {@link #add}, a failure may leave the outcome unknown: never delete the new objects
   * then. After {@link IllegalArgumentException} and {@link IllegalStateException} no attempt of
   * this call is out any more; an earlier one may have been made part of the manifest all the same,
   * which {@link #view} shows.
   *
   * @return fails with {@link IllegalArgumentException}, nothing changed, if what is to be replaced
   *     is not, or no longer, named exactly so, if the end of what is clean would fall, or if any
   *     progress lies beyond the end; offsets below the start count as the start. Fails with {@code
   *     StoreException.Unavailable} if that is so only because of an earlier attempt that came
   *     through meanwhile, and with {@link IllegalStateException} while too many retired segments
   *     wait for their deletion
   */
  CompletableFuture<ManifestView> replace(Replacement replacement);

  /**
   * Retires all that is held; the tier, empty, goes on at the offset. For a topic whose history is
   * given up while its log still has the records from there on.
   *
   * @param startOffset at or below the end
   */
  CompletableFuture<ManifestView> drop(long startOffset);

  /** Retired segments whose grace period is over by this writer's clock, oldest first. */
  CompletableFuture<List<RetiredSegment>> retired(int max);

  /** Drops retired segments from the manifest after their objects were deleted. */
  CompletableFuture<ManifestView> forget(List<RetiredSegment> segments);

  /** The terminal version: every segment retired, nothing can follow. */
  CompletableFuture<ManifestView> delete();
}
