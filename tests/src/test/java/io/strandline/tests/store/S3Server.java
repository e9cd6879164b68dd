package io.strandline.tests.store;

import java.util.Map;

/** An S3 server to test against: where it is, and whether it may be trusted with races. */
public record S3Server(String endpoint, String bucket, Keys keys, boolean decidesRaces) {
  /** A key pair. */
  public record Keys(String accessKey, String secretKey) {}

  /** A server given by the environment, or null. */
  public static @org.jspecify.annotations.Nullable S3Server fromEnvironment() {
    Map<String, String> env = System.getenv();
    String endpoint = env.get("STRANDLINE_TEST_S3_ENDPOINT");
    if (endpoint == null) {
      return null;
    }
    Keys keys =
        new Keys(
            env.getOrDefault("STRANDLINE_TEST_S3_KEY", ""),
            env.getOrDefault("STRANDLINE_TEST_S3_SECRET", ""));
    return new S3Server(
        endpoint, env.getOrDefault("STRANDLINE_TEST_S3_BUCKET", "strandline"), keys, true);
  }
}
