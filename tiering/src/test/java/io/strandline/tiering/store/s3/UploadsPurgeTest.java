package io.strandline.tiering.store.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.ObjectKey;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.AbortMultipartUploadResponse;

/** A thousand abandoned uploads are a thousand requests, and a client has fewer connections. */
class UploadsPurgeTest {
  private static final int UPLOADS = 1000;

  private final List<CompletableFuture<AbortMultipartUploadResponse>> open = new ArrayList<>();

  private final S3AsyncClient client =
      (S3AsyncClient)
          Proxy.newProxyInstance(
              S3AsyncClient.class.getClassLoader(),
              new Class<?>[] {S3AsyncClient.class},
              (proxy, method, arguments) -> {
                assertThat(method.getName()).isEqualTo("abortMultipartUpload");
                open.add(new CompletableFuture<>());
                return open.get(open.size() - 1);
              });

  @Test
  void aFewAreAbortedAtATime() {
    List<Leftover> uploads =
        IntStream.range(0, UPLOADS)
            .mapToObj(
                i ->
                    new Leftover(
                        Leftover.Kind.UPLOAD, ObjectKey.of("a/" + i), "id" + i, Instant.EPOCH))
            .toList();
    S3Location location = S3Location.parse("s3://bucket/p?region=us-east-1");
    CompletableFuture<Void> purged =
        new S3Leftovers(client, new S3Requests(location), 1000).purge(uploads);
    int aborted = 0;
    while (!purged.isDone()) {
      List<CompletableFuture<AbortMultipartUploadResponse>> now = List.copyOf(open);
      assertThat(now.size()).isBetween(1, 32);
      open.clear();
      aborted += now.size();
      now.forEach(one -> one.complete(AbortMultipartUploadResponse.builder().build()));
    }
    assertThat(purged).isCompleted();
    assertThat(aborted).isEqualTo(UPLOADS);
  }
}
