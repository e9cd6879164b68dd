package io.strandline.tiering.upload;

/**
 * @param concurrency segments uploaded at a time
 * @param bytesInFlight sum of their lengths; one that is longer goes alone
 */
public record UploadConfig(int concurrency, long bytesInFlight) {
  public UploadConfig {
    if (concurrency < 1 || bytesInFlight < 1) {
      throw new IllegalArgumentException(concurrency + " uploads, " + bytesInFlight + " bytes");
    }
  }

  public static UploadConfig defaults() {
    return new UploadConfig(4, 512L << 20);
  }
}
