package io.strandline.tests.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.minio.GetObjectArgs;
import io.minio.ListObjectsArgs;
import io.minio.MinioClient;
import io.minio.PutObjectArgs;
import io.minio.Result;
import io.minio.messages.Item;
import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.ObjectStoreContract;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreProbe;
import io.strandline.tiering.store.s3.S3Config;
import io.strandline.tiering.store.s3.S3Location;
import io.strandline.tiering.store.s3.S3ObjectStore;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/**
 * The contract on a bucket; and MinIO's client, which shares no code with ours, reads and lists
 * what ours writes and the other way round.
 */
abstract class S3Contract extends ObjectStoreContract {
  private static final int PART_BYTES = 5 << 20;

  private final ExecutorService threads = Executors.newFixedThreadPool(4);
  private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(1);
  private final String prefix = "contract/" + Long.toString(System.nanoTime(), 36);
  private S3Server server;
  private S3ObjectStore store;

  /** The server; the subclass starts it, or skips the test. */
  abstract S3Server server();

  @BeforeEach
  void open() {
    server = server();
    store = open(server.bucket() + "/" + prefix, "&checksum=crc32c", server.keys());
  }

  @AfterEach
  void close() {
    if (store != null) {
      store.close();
    }
    threads.shutdown();
    scheduler.shutdownNow();
  }

  S3ObjectStore open(String place, String more, S3Server.Keys keys) {
    S3Config config =
        new S3Config(
            32,
            Duration.ofSeconds(3),
            new S3Config.Multipart(PART_BYTES, PART_BYTES, 3),
            pageKeys(),
            Optional.of(
                new S3Config.Credentials(keys.accessKey(), keys.secretKey(), Optional.empty())));
    String uri = "s3://" + place + "?endpoint=" + server.endpoint() + more;
    return new S3ObjectStore(
        S3Location.parse(uri), config, threads, scheduler, InstantSource.system());
  }

  @Override
  protected ObjectStore store() {
    return store;
  }

  /** Versions or parts that one answer tells: few, so that a few are many pages. */
  int pageKeys() {
    return 7;
  }

  /** More than a page of whatever is listed in pages. */
  int many() {
    return 3 * pageKeys();
  }

  @Override
  protected boolean decidesRaces() {
    return server().decidesRaces();
  }

  @Override
  protected int multipartBytes() {
    return PART_BYTES;
  }

  private MinioClient minio() {
    return MinioClient.builder()
        .endpoint(server.endpoint())
        .region("us-east-1")
        .credentials(server.keys().accessKey(), server.keys().secretKey())
        .build();
  }

  @Test
  void theProbeFindsTheStoreFit() {
    StoreProbe.Verdict verdict = StoreProbe.run(store, new Random(5)).join();
    assertThat(verdict).isEqualTo(new StoreProbe.Verdict(true, true, List.of()));
  }

  @Test
  void anIndependentClientReadsAndListsWhatOursWrote(@TempDir Path directory) throws Exception {
    byte[] content = new byte[PART_BYTES * 2 + 77];
    new Random(3).nextBytes(content);
    Path file = Files.write(directory.resolve("content"), content);
    store
        .put(key("large"), new Payload(List.of(new Payload.FileRange(file, 0, content.length))))
        .join();
    store.putIfAbsent(key("small"), text("small")).join();
    MinioClient minio = minio();
    List<String> listed = new ArrayList<>();
    for (Result<Item> item :
        minio.listObjects(
            ListObjectsArgs.builder()
                .bucket(server.bucket())
                .prefix(prefix + "/")
                .recursive(true)
                .build())) {
      listed.add(item.get().objectName() + " " + item.get().size());
    }
    assertThat(listed)
        .containsExactly(name(key("large")) + " " + content.length, name(key("small")) + " 5");
    try (var read =
        minio.getObject(
            GetObjectArgs.builder().bucket(server.bucket()).object(name(key("large"))).build())) {
      assertThat(read.readAllBytes()).isEqualTo(content);
    }
  }

  @Test
  void oursReadsAndListsWhatAnIndependentClientWrote() throws Exception {
    byte[] content = "written by another".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    MinioClient minio = minio();
    for (String name : List.of("theirs/a", "theirs/b c", "theirs/d/")) {
      minio.putObject(
          PutObjectArgs.builder().bucket(server.bucket()).object(prefix + "/" + name).stream(
                  new ByteArrayInputStream(content), (long) content.length, -1L)
              .build());
    }
    assertThat(store.list("theirs/", "", 1).join().objects())
        .extracting(object -> object.key().value() + " " + object.lengthBytes())
        .containsExactly("theirs/a " + content.length);
    ByteBuffer read = store.get(ObjectKey.of("theirs/a"), 8, 2).join();
    assertThat(text(read)).isEqualTo("by");
  }

  @Test
  void abandonedPartsAreAborted(@TempDir Path directory) throws Exception {
    Path file = Files.write(directory.resolve("content"), new byte[PART_BYTES]);
    Payload tooShort = new Payload(List.of(new Payload.FileRange(file, 0, PART_BYTES * 3L)));
    assertFails(StoreException.Unavailable.class, () -> store.put(key("a"), tooShort).join());
    assertThat(store.head(key("a")).join()).isEmpty();
    try (S3AsyncClient sdk = sdk()) {
      assertThat(
              sdk.listMultipartUploads(u -> u.bucket(server.bucket()).prefix(prefix + "/"))
                  .join()
                  .uploads())
          .isEmpty();
    }
  }

  S3AsyncClient sdk() {
    var credentials =
        AwsBasicCredentials.create(server.keys().accessKey(), server.keys().secretKey());
    return S3AsyncClient.builder()
        .endpointOverride(URI.create(server.endpoint()))
        .region(Region.US_EAST_1)
        .forcePathStyle(true)
        .credentialsProvider(StaticCredentialsProvider.create(credentials))
        .build();
  }

  @Test
  void anUploadInPartsThatNobodyEndedIsFoundAndPurged() {
    String name = prefix + "/" + key("half").value();
    try (S3AsyncClient sdk = sdk()) {
      sdk.createMultipartUpload(u -> u.bucket(server.bucket()).key(name)).join();
    }
    List<Leftover> left =
        store
            .leftovers(key("half").value(), Leftover.Of.UPLOADS, Leftover.After.START)
            .join()
            .leftovers();
    assertThat(left).extracting(Leftover::key).containsExactly(key("half"));
    assertThat(left.get(0).kind()).isEqualTo(Leftover.Kind.UPLOAD);
    store.purge(left).join();
    store.purge(left).join();
    assertThat(
            store
                .leftovers(key("half").value(), Leftover.Of.UPLOADS, Leftover.After.START)
                .join()
                .leftovers())
        .isEmpty();
  }

  @Test
  void uploadsInPartsAreFoundPageByPageEachOnce() {
    try (S3AsyncClient sdk = sdk()) {
      for (int i = 0; i < many(); i++) {
        String name = prefix + "/" + key("half" + i % (pageKeys() + 1)).value();
        sdk.createMultipartUpload(u -> u.bucket(server.bucket()).key(name)).join();
      }
    }
    List<Leftover> all = VersionedBucket.leftovers(store, "", Leftover.Of.UPLOADS);
    assertThat(all).extracting(Leftover::id).doesNotHaveDuplicates().hasSize(many());
    store.purge(all).join();
    assertThat(VersionedBucket.leftovers(store, "", Leftover.Of.UPLOADS)).isEmpty();
  }

  @Test
  void aSweepOfAVersionedBucketTakesWhatIsOldAndNothingElse() {
    String bucket = "versions" + System.nanoTime();
    try (S3AsyncClient sdk = sdk();
        S3ObjectStore versioned = open(bucket + "/x", "", server.keys())) {
      new VersionedBucket(sdk, bucket, versioned).sweep(many());
    }
  }

  @Test
  void anAbsentBucketIsRefused() {
    try (S3ObjectStore absent = open("no-such-bucket-here/x", "", server.keys())) {
      assertFails(StoreException.Refused.class, () -> absent.get(key("a"), 1).join());
      assertFails(StoreException.Refused.class, () -> absent.put(key("a"), text("x")).join());
      assertFails(StoreException.Refused.class, () -> absent.list("", "", 1).join());
    }
  }

  @Test
  void withoutChecksumsItWorksToo() {
    try (S3ObjectStore plain =
        open(server.bucket() + "/" + prefix, "&checksum=none", server.keys())) {
      plain.put(key("a"), text("plain")).join();
      assertThat(read(key("a"))).isEqualTo("plain");
    }
  }

  private String name(ObjectKey key) {
    return prefix + "/" + key.value();
  }
}
