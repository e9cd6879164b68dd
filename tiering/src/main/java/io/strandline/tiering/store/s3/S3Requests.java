package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.s3.S3Location.Checksum;
import io.strandline.tiering.store.s3.S3Location.Encryption;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Base64;
import java.util.zip.CRC32C;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;
import software.amazon.awssdk.services.s3.model.UploadPartRequest;

/** Requests about keys of one location. */
final class S3Requests {
  private final S3Location location;

  S3Requests(S3Location location) {
    this.location = location;
  }

  String bucket() {
    return location.bucket();
  }

  String name(ObjectKey key) {
    return location.prefix() + key.value();
  }

  String name(String keyOrPrefix) {
    return location.prefix() + keyOrPrefix;
  }

  /** The key of a name below our prefix; it may not be well formed, for others write there too. */
  String keyOf(String name) {
    return name.substring(location.prefix().length());
  }

  GetObjectRequest get(ObjectKey key) {
    return GetObjectRequest.builder().bucket(bucket()).key(name(key)).build();
  }

  GetObjectRequest get(ReadRange range) {
    return get(range.key()).toBuilder().range(range(range)).build();
  }

  /** As the Range header has it. */
  String range(ReadRange range) {
    long last = range.positionBytes() + range.lengthBytes() - 1;
    return "bytes=" + range.positionBytes() + "-" + last;
  }

  PutObjectRequest.Builder put(ObjectKey key, Payload payload) {
    PutObjectRequest.Builder request =
        PutObjectRequest.builder()
            .bucket(bucket())
            .key(name(key))
            .contentLength(payload.lengthBytes());
    if (location.options().checksum() == Checksum.CRC32C) {
      if (inMemory(payload)) {
        // In a header: no trailer, no chunked encoding, fewer ways to be misunderstood.
        request.checksumCRC32C(crc32c(payload));
      } else {
        request.checksumAlgorithm(ChecksumAlgorithm.CRC32_C);
      }
    }
    encryption(request::serverSideEncryption, request::ssekmsKeyId);
    return request;
  }

  CreateMultipartUploadRequest createMultipart(ObjectKey key) {
    CreateMultipartUploadRequest.Builder request =
        CreateMultipartUploadRequest.builder().bucket(bucket()).key(name(key));
    if (location.options().checksum() == Checksum.CRC32C) {
      request.checksumAlgorithm(ChecksumAlgorithm.CRC32_C);
    }
    encryption(request::serverSideEncryption, request::ssekmsKeyId);
    return request.build();
  }

  UploadPartRequest uploadPart(ObjectKey key, String uploadId, int number, long lengthBytes) {
    UploadPartRequest.Builder request =
        UploadPartRequest.builder()
            .bucket(bucket())
            .key(name(key))
            .uploadId(uploadId)
            .partNumber(number)
            .contentLength(lengthBytes)
            .overrideConfiguration(part -> part.apiCallTimeout(partTimeout(lengthBytes)));
    if (location.options().checksum() == Checksum.CRC32C) {
      request.checksumAlgorithm(ChecksumAlgorithm.CRC32_C);
    }
    return request.build();
  }

  /** A part that hangs is noticed long before the deadline of the whole upload. */
  private static Duration partTimeout(long lengthBytes) {
    return Duration.ofSeconds(10 + (lengthBytes >> 20));
  }

  private interface Setter<T> {
    Object set(T value);
  }

  private void encryption(Setter<ServerSideEncryption> sse, Setter<String> kmsKey) {
    Encryption encryption = location.options().sse().encryption();
    if (encryption == Encryption.AES256) {
      sse.set(ServerSideEncryption.AES256);
    } else if (encryption == Encryption.KMS) {
      sse.set(ServerSideEncryption.AWS_KMS);
      location.options().sse().kmsKey().ifPresent(kmsKey::set);
    }
  }

  private static boolean inMemory(Payload payload) {
    return payload.parts().stream().allMatch(part -> part instanceof Payload.Bytes);
  }

  private static String crc32c(Payload payload) {
    CRC32C crc = new CRC32C();
    for (Payload.Part part : payload.parts()) {
      if (part instanceof Payload.Bytes bytes) {
        crc.update(bytes.buffer().duplicate());
      }
    }
    byte[] value = ByteBuffer.allocate(Integer.BYTES).putInt((int) crc.getValue()).array();
    return Base64.getEncoder().encodeToString(value);
  }
}
