package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.ReadRange;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;
import software.amazon.awssdk.identity.spi.IdentityProvider;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/**
 * Makes ranged GETs as the SDK's client would send them, with its signer, its credentials and its
 * idea of where the bucket is, without going through its pipeline for each. Threads: any.
 */
final class SignedGets {
  /** S3 allows a quarter of an hour; from here on the SDK's client adapts itself too. */
  private static final Duration SKEW_MIN = Duration.ofMinutes(4);

  private final AwsV4HttpSigner signer = AwsV4HttpSigner.create();
  private final IdentityProvider<? extends AwsCredentialsIdentity> credentials;
  private final String region;
  private final URI bucket;
  private final S3Requests requests;
  private final InstantSource clock;
  private volatile Duration skew = Duration.ZERO;

  /**
   * @param client whose settings are taken over
   */
  SignedGets(S3AsyncClient client, S3Requests requests, InstantSource clock) {
    var settings = client.serviceClientConfiguration();
    this.credentials = settings.credentialsProvider();
    this.region = settings.region().id();
    this.bucket = bucket(client, requests.bucket());
    this.requests = requests;
    this.clock = clock;
  }

  /** Where the bucket's objects are, up to the slash before their names. */
  private static URI bucket(S3AsyncClient client, String name) {
    try {
      return client.utilities().getUrl(get -> get.bucket(name).key("k")).toURI().resolve(".");
    } catch (java.net.URISyntaxException e) {
      throw new IllegalArgumentException("the bucket " + name + " has no place", e);
    }
  }

  /** Fails as the credentials' provider does. */
  CompletableFuture<SdkHttpRequest> sign(ReadRange range) {
    SdkHttpRequest request =
        SdkHttpRequest.builder()
            .method(SdkHttpMethod.GET)
            .uri(bucket)
            .encodedPath(bucket.getRawPath() + requests.name(range.key()))
            .putHeader("Range", requests.range(range))
            .putHeader("User-Agent", "strandline")
            .build();
    return CompletableFuture.completedFuture(request) // some providers fail by throwing
        .thenCompose(
            made -> credentials.resolveIdentity().thenApply(identity -> signed(made, identity)));
  }

  private SdkHttpRequest signed(SdkHttpRequest request, AwsCredentialsIdentity identity) {
    return signer
        .sign(
            sign ->
                sign.identity(identity)
                    .request(request)
                    .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "s3")
                    .putProperty(AwsV4HttpSigner.REGION_NAME, region)
                    .putProperty(AwsV4HttpSigner.DOUBLE_URL_ENCODE, false)
                    .putProperty(AwsV4HttpSigner.NORMALIZE_PATH, false)
                    .putProperty(HttpSigner.SIGNING_CLOCK, Clock.fixed(now(), ZoneOffset.UTC)))
        .request();
  }

  private Instant now() {
    return clock.instant().plus(skew);
  }

  /**
   * A refusal with a date far from what we sign with may be for that: from now on theirs is taken.
   * Also when our clock was set right meanwhile, and what is far off is what was learnt before.
   */
  void refusedAt(Instant serverTime) {
    if (Duration.between(now(), serverTime).abs().compareTo(SKEW_MIN) > 0) {
      skew = Duration.between(clock.instant(), serverTime);
    }
  }
}
