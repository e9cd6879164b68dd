package io.strandline.tiering.store.s3;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class S3LocationTest {
  @Test
  void aBucketOfAwsNeedsNoMore() {
    S3Location location = S3Location.parse("s3://my-bucket");
    assertThat(location.prefix()).isEmpty();
    assertThat(location.options())
        .isEqualTo(
            new S3Location.S3Options(
                Optional.empty(),
                Optional.empty(),
                false,
                S3Location.Checksum.CRC32C,
                new S3Location.Sse(S3Location.Encryption.DEFAULT, Optional.empty()),
                S3Location.Receive.DIRECT));
  }

  @Test
  void everyOptionIsRead() {
    S3Location location =
        S3Location.parse(
            "s3://bucket/a/b/?region=eu-west-1&endpoint=http%3A%2F%2Flocalhost:9000&pathStyle=false"
                + "&checksum=none&sse=aws:kms&kmsKey=arn:aws:kms:eu-west-1:1:key/x&receive=sdk");
    assertThat(location.bucket()).isEqualTo("bucket");
    assertThat(location.prefix()).isEqualTo("a/b/");
    assertThat(location.options())
        .isEqualTo(
            new S3Location.S3Options(
                Optional.of("eu-west-1"),
                Optional.of(URI.create("http://localhost:9000")),
                false,
                S3Location.Checksum.NONE,
                new S3Location.Sse(
                    S3Location.Encryption.KMS, Optional.of("arn:aws:kms:eu-west-1:1:key/x")),
                S3Location.Receive.SDK));
  }

  @Test
  void anEndpointMeansPathStyleUnlessSaidOtherwise() {
    assertThat(S3Location.parse("s3://bucket?endpoint=minio:9000").options().pathStyle()).isTrue();
  }

  @Test
  void aSecretIsNotPrinted() {
    assertThat(new S3Config.Credentials("key", "secret", Optional.of("token")).toString())
        .doesNotContain("secret", "token");
  }
}
