package io.strandline.tiering.upload;

/**
 * @param concurrency segments uploaded at a time
 * @param bytesInFlight sum of their lengths; one that is longer goes alone
 * @param encrypted whether segments get names that the store encrypts
 */
public record UploadConfig(int concurrency, long bytesInFlight, boolean encrypted) {
  public UploadConfig {
    if (concurrency < 1 || bytesInFlight < 1) {
      throw new IllegalArgumentException(concurrency + " uploads, " + bytesInFlight + " bytes");
    }
  }

  public static UploadConfig defaults() {
    return new UploadConfig(4, 512L << 20, false);
  }
}
