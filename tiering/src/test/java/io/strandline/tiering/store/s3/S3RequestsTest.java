package io.strandline.tiering.store.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

class S3RequestsTest {
  private static final ObjectKey KEY = ObjectKey.of("a");

  private static PutObjectRequest put(String query) {
    return requests(query).put(KEY, Payload.of(ByteBuffer.wrap(new byte[3]))).build();
  }

  private static CreateMultipartUploadRequest parts(String query) {
    return requests(query).createMultipart(KEY);
  }

  private static S3Requests requests(String query) {
    return new S3Requests(S3Location.parse("s3://bucket/prefix?region=eu-west-1" + query));
  }

  @Test
  void theBucketDecidesUnlessTheUriDoes() {
    assertThat(put("").serverSideEncryption()).isNull();
    assertThat(parts("").serverSideEncryption()).isNull();
  }

  @Test
  void everyWayToWriteAsksForSseS3() {
    assertThat(put("&sse=AES256").serverSideEncryption()).isEqualTo(ServerSideEncryption.AES256);
    assertThat(parts("&sse=AES256").serverSideEncryption()).isEqualTo(ServerSideEncryption.AES256);
    assertThat(put("&sse=AES256").ssekmsKeyId()).isNull();
  }

  @Test
  void everyWayToWriteAsksForSseKmsAndItsKey() {
    PutObjectRequest put = put("&kmsKey=arn:aws:kms:eu-west-1:1:key/k");
    assertThat(put.serverSideEncryption()).isEqualTo(ServerSideEncryption.AWS_KMS);
    assertThat(put.ssekmsKeyId()).isEqualTo("arn:aws:kms:eu-west-1:1:key/k");
    CreateMultipartUploadRequest parts = parts("&sse=aws:kms&kmsKey=k");
    assertThat(parts.serverSideEncryption()).isEqualTo(ServerSideEncryption.AWS_KMS);
    assertThat(parts.ssekmsKeyId()).isEqualTo("k");
    assertThat(put("&sse=aws:kms").ssekmsKeyId()).isNull();
  }
}
