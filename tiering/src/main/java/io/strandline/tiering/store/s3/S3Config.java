package io.strandline.tiering.store.s3;

import java.time.Duration;
import java.util.Optional;

/**
 * What an S3 client needs beside its location.
 *
 * @param pageKeys versions or uploads in parts in one answer of a list of them; at most 1000 on
 *     most stores
 * @param connectionsMax in the pool
 * @param connectTimeout for a new connection, and for getting one from the pool
 * @param credentials none for the SDK's own chain: system properties, environment, profile files,
 *     container, instance
 */
public record S3Config(
    int connectionsMax,
    Duration connectTimeout,
    Multipart multipart,
    int pageKeys,
    Optional<Credentials> credentials) {
  /** As many as S3 tells in one answer. */
  public static final int PAGE_KEYS_MAX = 1000;

  /**
   * When and how a put goes in parts.
   *
   * @param aboveBytes payloads longer than this
   * @param partBytes at least 5 MiB on most stores
   * @param concurrent parts of one put under way at once
   */
  public record Multipart(long aboveBytes, long partBytes, int concurrent) {
    public Multipart {
      if (aboveBytes < 1 || partBytes < 1 || concurrent < 1) {
        throw new IllegalArgumentException("not a way to upload in parts: " + aboveBytes);
      }
    }

    /**
     * Above 320 MiB, in parts of 128 MiB, four at once. Each part is a request that is paid for
     * like a PUT, and two more begin and end the upload: so a GiB in objects of 64 MiB or more
     * costs at most 16 requests, whatever their length.
     */
    public static Multipart defaults() {
      return new Multipart(320L << 20, 128L << 20, 4);
    }

    /** What a put of so many bytes costs, as requests of the price of a PUT. */
    public int requests(long payloadBytes) {
      return payloadBytes <= aboveBytes
          ? 1
          : 2 + (int) ((payloadBytes + partBytes - 1) / partBytes);
    }
  }

  /** A key pair, which does not print its secret. */
  public record Credentials(String accessKey, String secretKey, Optional<String> sessionToken) {
    @Override
    public String toString() {
      return "Credentials[" + accessKey + "]";
    }
  }

  public static S3Config defaults() {
    return new S3Config(
        128, Duration.ofSeconds(3), Multipart.defaults(), PAGE_KEYS_MAX, Optional.empty());
  }
}
