package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.s3.S3Location.Receive;
import io.strandline.tiering.store.s3.S3Location.S3Options;
import io.strandline.tiering.store.s3.receive.ReceiveConfig;
import io.strandline.tiering.store.s3.receive.ReceivingClient;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.SdkAdvancedAsyncClientOption;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3AsyncClientBuilder;

/**
 * The SDK's plain asynchronous client on Netty, tamed: no retries of its own (ours are a
 * decorator), no checksums but those we ask for, answers on our executor.
 */
final class S3Clients {
  private S3Clients() {}

  static S3AsyncClient create(
      S3Options options, S3Config config, Executor executor, ScheduledExecutorService scheduler) {
    S3AsyncClientBuilder builder =
        S3AsyncClient.builder()
            .httpClientBuilder(http(config))
            .forcePathStyle(options.pathStyle())
            .crossRegionAccessEnabled(false)
            .credentialsProvider(credentials(config))
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
            .asyncConfiguration(
                async ->
                    async.advancedOption(
                        SdkAdvancedAsyncClientOption.FUTURE_COMPLETION_EXECUTOR, executor))
            .overrideConfiguration(
                override ->
                    override
                        .retryStrategy(retry -> retry.maxAttempts(1))
                        .scheduledExecutorService(scheduler));
    options.endpoint().ifPresent(builder::endpointOverride);
    region(options, builder);
    return builder.build();
  }

  private static SdkAsyncHttpClient.Builder<?> http(S3Config config) {
    return NettyNioAsyncHttpClient.builder()
        .maxConcurrency(config.connectionsMax())
        .connectionTimeout(config.connectTimeout())
        .connectionAcquisitionTimeout(config.connectTimeout())
        .maxPendingConnectionAcquires(10_000)
        .tcpKeepAlive(true);
  }

  /** Our own way of ranged GETs; none if the location says that they go the SDK's. */
  static Optional<ReceivingClient> receiving(S3Options options, S3Config config) {
    return options.receive() == Receive.SDK
        ? Optional.empty()
        : Optional.of(
            new ReceivingClient(
                ReceiveConfig.of(config.connectionsMax(), config.connectTimeout())));
  }

  private static void region(S3Options options, S3AsyncClientBuilder builder) {
    if (options.region().isPresent()) {
      builder.region(Region.of(options.region().get()));
    } else if (options.endpoint().isPresent()) {
      builder.region(Region.US_EAST_1); // Of no meaning to most others, but part of the signature.
    }
  }

  /**
   * Renewed in the background where they expire, so that no call waits for it; closed with the
   * client.
   */
  private static AwsCredentialsProvider credentials(S3Config config) {
    if (config.credentials().isEmpty()) {
      return DefaultCredentialsProvider.builder().asyncCredentialUpdateEnabled(true).build();
    }
    S3Config.Credentials given = config.credentials().get();
    AwsCredentials keys =
        given.sessionToken().isPresent()
            ? AwsSessionCredentials.create(
                given.accessKey(), given.secretKey(), given.sessionToken().get())
            : AwsBasicCredentials.create(given.accessKey(), given.secretKey());
    return StaticCredentialsProvider.create(keys);
  }
}
