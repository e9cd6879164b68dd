package io.strandline.tests.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.s3.S3Config;
import io.strandline.tiering.store.s3.S3ObjectStore;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;

/** The S3 server that {@code STRANDLINE_TEST_S3_ENDPOINT} and its like name: one to trust. */
class GivenS3Test extends S3Contract {
  @Override
  S3Server server() {
    @Nullable S3Server given = S3Server.fromEnvironment();
    Assumptions.assumeTrue(given != null, "no S3 server is given by the environment");
    assert given != null;
    return given;
  }

  @Override
  int pageKeys() {
    return S3Config.PAGE_KEYS_MAX;
  }

  @Override
  int many() {
    return 1_100;
  }

  @Test
  void aWrongSecretIsRefused() {
    S3Server.Keys wrong = new S3Server.Keys(server().keys().accessKey(), "not the secret");
    try (var store = open(server().bucket() + "/x", "", wrong)) {
      assertFails(StoreException.Refused.class, () -> store.get(key("a"), 1).join());
      assertFails(StoreException.Refused.class, () -> store.put(key("a"), text("x")).join());
    }
    assertThat(store().head(key("a")).join()).isEmpty();
  }

  /** With a key of the server's, named by {@code STRANDLINE_TEST_S3_KMS_KEY}. */
  @Test
  void theServerEncryptsUnderTheKeyThatTheUriNames() {
    String kmsKey = System.getenv("STRANDLINE_TEST_S3_KMS_KEY");
    Assumptions.assumeTrue(kmsKey != null, "no key of the server is given by the environment");
    String place = server().bucket() + "/sse";
    try (S3ObjectStore store = open(place, "&sse=aws:kms&kmsKey=" + kmsKey, server().keys());
        S3AsyncClient sdk = sdk()) {
      byte[] content = new byte[multipartBytes() * 2 + 77];
      new Random(3).nextBytes(content);
      store.put(key("large"), Payload.of(ByteBuffer.wrap(content))).join();
      store.putIfAbsent(key("small"), text("small")).join();
      for (String name : List.of("large", "small")) {
        HeadObjectResponse head =
            sdk.headObject(h -> h.bucket(server().bucket()).key("sse/" + key(name).value())).join();
        assertThat(head.serverSideEncryptionAsString()).as(name).isEqualTo("aws:kms");
        assertThat(head.ssekmsKeyId()).as(name).isEqualTo(kmsKey);
      }
      assertThat(store.get(key("large"), content.length).join())
          .isEqualTo(ByteBuffer.wrap(content));
      assertThat(store.get(key("large"), 1_000_001, 4_000_000).join())
          .isEqualTo(ByteBuffer.wrap(content, 1_000_001, 4_000_000));
      assertThat(text(store.get(key("small"), 10).join())).isEqualTo("small");
    }
  }

  @Test
  void aBucketThatKeepsVersionsLosesThoseThatArePurgedAndNothingElse() {
    String bucket = "versions" + System.nanoTime();
    try (S3AsyncClient sdk = sdk()) {
      sdk.createBucket(b -> b.bucket(bucket)).join();
      sdk.putBucketVersioning(
              b ->
                  b.bucket(bucket)
                      .versioningConfiguration(v -> v.status(BucketVersioningStatus.ENABLED)))
          .join();
      try (var store = open(bucket + "/x", "", server().keys())) {
        store.put(key("kept"), text("old")).join();
        store.put(key("kept"), text("new")).join();
        store.put(key("gone"), text("bytes")).join();
        store.delete(List.of(key("gone"))).join();
        store.put(key("plain"), text("once")).join();

        List<Leftover> left =
            store.leftovers("", Leftover.Of.VERSIONS, Leftover.After.START).join().leftovers();
        assertThat(left)
            .extracting(l -> l.kind() + " " + l.key())
            .containsExactlyInAnyOrder(
                "VERSION " + key("kept"), "VERSION " + key("gone"), "MARKER " + key("gone"));
        store.purge(left).join();
        assertThat(
                store.leftovers("", Leftover.Of.VERSIONS, Leftover.After.START).join().leftovers())
            .isEmpty();
        assertThat(store.head(key("gone")).join()).isEmpty();
        assertThat(store.get(key("kept"), 10).join())
            .isEqualTo(ByteBuffer.wrap("new".getBytes(UTF_8)));
        assertThat(sdk.listObjectVersions(b -> b.bucket(bucket)).join().versions()).hasSize(2);
      }
    }
  }
}
