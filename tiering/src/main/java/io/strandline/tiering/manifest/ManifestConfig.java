package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.index.Paging;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How manifests are kept.
 *
 * @param keptMs a version, and an index page that left the index, stays at least this long; a
 *     writer whose view is older than half of it reads again before it writes
 * @param keptVersions and at least this many versions stay
 * @param retiredGraceMs how long a retired segment's object stays for readers that still look for
 *     it
 * @param pageCacheBytes memory for index pages, all partitions together
 * @param hintDirectory where the last version known of each partition is cached, so that opening
 *     one costs a single request; asked each time, and of no other store than this one: what is
 *     known of one means nothing in another; absent: ask the store
 * @param fencing which conditional write the store is trusted with
 * @param paging when the index moves into pages
 */
public record ManifestConfig(
    long keptMs,
    int keptVersions,
    long retiredGraceMs,
    long pageCacheBytes,
    Supplier<Optional<Path>> hintDirectory,
    Fencing fencing,
    Paging paging) {
  /** How a commit excludes others. */
  public enum Fencing {
    /** Each version is an object of its own, created with put-if-absent. */
    CHAIN,
    /** One head object, swapped under its ETag. */
    SWAP
  }

  private static final long DAY_MS = 24 * 60 * 60 * 1000L;

  public ManifestConfig {
    if (keptMs <= 0 || keptVersions < 1 || retiredGraceMs < 0 || pageCacheBytes < 0) {
      throw new IllegalArgumentException(
          "not a manifest configuration: kept "
              + keptMs
              + " ms, "
              + keptVersions
              + " versions, grace "
              + retiredGraceMs
              + " ms, page cache "
              + pageCacheBytes
              + " bytes");
    }
  }

  /** With the usual pages, and hints that are always in one place. */
  public ManifestConfig(
      long keptMs,
      int keptVersions,
      long retiredGraceMs,
      long pageCacheBytes,
      Optional<Path> hintDirectory,
      Fencing fencing) {
    this(
        keptMs,
        keptVersions,
        retiredGraceMs,
        pageCacheBytes,
        () -> hintDirectory,
        fencing,
        Paging.USUAL);
  }

  /** How long a hint is of use: a version that followed it is still there then. */
  public long hintMs() {
    return keptMs / 2;
  }

  /** The same with other pages. */
  public ManifestConfig with(Paging other) {
    return new ManifestConfig(
        keptMs, keptVersions, retiredGraceMs, pageCacheBytes, hintDirectory, fencing, other);
  }

  /** A day, 16 versions, a day of grace, 32 MiB of pages, no hints, a chain. */
  public static ManifestConfig defaults() {
    return new ManifestConfig(DAY_MS, 16, DAY_MS, 32L << 20, Optional.empty(), Fencing.CHAIN);
  }
}
