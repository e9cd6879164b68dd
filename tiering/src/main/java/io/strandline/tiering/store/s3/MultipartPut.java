package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadResponse;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.UploadPartResponse;

/**
 * One put in parts: create, parts a few at a time, complete; abort when anything fails or it is
 * cancelled. Fails with the SDK's exceptions.
 */
final class MultipartPut {
  private static final Logger LOG = LoggerFactory.getLogger(MultipartPut.class);
  private static final int PARTS_MAX = 10_000;

  private final S3AsyncClient client;
  private final S3Requests requests;
  private final Executor blocking;
  private final S3Config.Multipart config;

  MultipartPut(
      S3AsyncClient client, S3Requests requests, Executor blocking, S3Config.Multipart config) {
    this.client = client;
    this.requests = requests;
    this.blocking = blocking;
    this.config = config;
  }

  CompletableFuture<CompleteMultipartUploadResponse> put(ObjectKey key, Payload payload) {
    CompletableFuture<CompleteMultipartUploadResponse> outer = new CompletableFuture<>();
    CompletableFuture<?> unused =
        client
            .createMultipartUpload(requests.createMultipart(key))
            .thenCompose(created -> new Upload(key, payload, created.uploadId(), outer).run())
            .whenComplete(
                (done, thrown) -> {
                  if (thrown == null) {
                    outer.complete(done);
                  } else {
                    outer.completeExceptionally(thrown);
                  }
                });
    return outer;
  }

  /** One upload; lanes take part after part until there are none or one has failed. */
  private final class Upload {
    private final ObjectKey key;
    private final Payload payload;
    private final String uploadId;
    private final CompletableFuture<?> outer;
    private final long partBytes;
    private final CompletedPart[] parts;
    private final AtomicInteger next = new AtomicInteger();
    private volatile @Nullable Throwable failure;

    Upload(ObjectKey key, Payload payload, String uploadId, CompletableFuture<?> outer) {
      this.key = key;
      this.payload = payload;
      this.uploadId = uploadId;
      this.outer = outer;
      long length = payload.lengthBytes();
      this.partBytes = Math.max(config.partBytes(), (length + PARTS_MAX - 1) / PARTS_MAX);
      this.parts = new CompletedPart[(int) ((length + partBytes - 1) / partBytes)];
    }

    CompletableFuture<CompleteMultipartUploadResponse> run() {
      CompletableFuture<?>[] lanes = new CompletableFuture<?>[config.concurrent()];
      for (int i = 0; i < lanes.length; i++) {
        lanes[i] = lane();
      }
      return CompletableFuture.allOf(lanes)
          .thenCompose(unused -> complete())
          .exceptionallyCompose(
              thrown -> abort().thenCompose(unused -> CompletableFuture.failedFuture(thrown)));
    }

    private CompletableFuture<Void> lane() {
      int index = next.getAndIncrement();
      if (index >= parts.length) {
        return CompletableFuture.allOf();
      }
      Throwable given = failure;
      if (given != null || outer.isDone()) {
        return CompletableFuture.failedFuture(
            given != null ? given : new CancellationException("given up"));
      }
      return uploadPart(index).thenCompose(unused -> lane());
    }

    private CompletableFuture<UploadPartResponse> uploadPart(int index) {
      long position = index * partBytes;
      long length = Math.min(partBytes, payload.lengthBytes() - position);
      Payload slice = payload.slice(position, length);
      return client
          .uploadPart(
              requests.uploadPart(key, uploadId, index + 1, length),
              new PayloadBody(slice, blocking))
          .whenComplete(
              (uploaded, thrown) -> {
                if (thrown != null) {
                  failure = thrown;
                }
                if (uploaded != null) {
                  parts[index] =
                      CompletedPart.builder()
                          .partNumber(index + 1)
                          .eTag(uploaded.eTag())
                          .checksumCRC32C(uploaded.checksumCRC32C())
                          .build();
                }
              });
    }

    private CompletableFuture<CompleteMultipartUploadResponse> complete() {
      if (outer.isDone()) {
        return CompletableFuture.failedFuture(new CancellationException("given up"));
      }
      return client.completeMultipartUpload(
          request ->
              request
                  .bucket(requests.bucket())
                  .key(requests.name(key))
                  .uploadId(uploadId)
                  .multipartUpload(upload -> upload.parts(parts)));
    }

    /** Never fails: what cannot be aborted now is for the bucket's lifecycle rule. */
    private CompletableFuture<Boolean> abort() {
      return client
          .abortMultipartUpload(
              request ->
                  request.bucket(requests.bucket()).key(requests.name(key)).uploadId(uploadId))
          .handle(
              (aborted, thrown) -> {
                if (thrown != null) {
                  LOG.atWarn()
                      .addKeyValue("object", key)
                      .addKeyValue("reason", thrown.toString())
                      .log("could not abort an upload in parts");
                }
                return thrown == null;
              });
    }
  }
}
