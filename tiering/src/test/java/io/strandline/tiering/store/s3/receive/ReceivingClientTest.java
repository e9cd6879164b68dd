package io.strandline.tiering.store.s3.receive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.netty.handler.ssl.SslContextBuilder;
import io.strandline.tiering.store.s3.RawServer;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.utils.AttributeMap;

/** What our own connections do by themselves: silence, idleness, TLS, and a reader that is slow. */
class ReceivingClientTest {
  private static final byte[] ANSWER =
      "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nhello"
          .getBytes(StandardCharsets.US_ASCII);

  private static final RawServer.Answer HELLO =
      (request, out, connection) -> {
        out.write(ANSWER);
        return true;
      };

  /** Stands for the SDK's client where all must go our own way. */
  private static final class Nobody implements SdkAsyncHttpClient.Builder<Nobody> {
    @Override
    public SdkAsyncHttpClient buildWithDefaults(AttributeMap defaults) {
      return new SdkAsyncHttpClient() {
        @Override
        public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
          throw new AssertionError("went to the other client: " + request.request());
        }

        @Override
        public void close() {}
      };
    }
  }

  private static ReceiveConfig config(Duration idle, int silences, ReceiveConfig.Trust trust) {
    return new ReceiveConfig(4, Duration.ofSeconds(5), idle, silences, trust);
  }

  private static ReceiveConfig plain(Duration idle, int silences) {
    return config(
        idle,
        silences,
        () -> {
          throw new AssertionError("no TLS here");
        });
  }

  private static S3AsyncClient client(String endpoint, ReceiveConfig config) {
    return S3AsyncClient.builder()
        .httpClientBuilder(ReceivingClient.around(new Nobody(), config))
        .endpointOverride(URI.create(endpoint))
        .region(Region.US_EAST_1)
        .forcePathStyle(true)
        .overrideConfiguration(o -> o.retryStrategy(r -> r.maxAttempts(1)))
        .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("k", "s")))
        .build();
  }

  private static CompletableFuture<ResponseBytes<GetObjectResponse>> hello(S3AsyncClient client) {
    return client.getObject(
        get -> get.bucket("b").key("k").range("bytes=0-4"), AsyncResponseTransformer.toBytes());
  }

  private static String endpoint(RawServer server) {
    return "http://127.0.0.1:" + server.port();
  }

  @Test
  void aServerThatIsSilentIsGivenUp() throws Exception {
    RawServer.Answer never = (request, out, connection) -> true;
    try (RawServer server = new RawServer(never);
        S3AsyncClient client = client(endpoint(server), plain(Duration.ofMillis(20), 3))) {
      assertThat(catchThrowable(() -> hello(client).join()))
          .hasRootCauseMessage(endpoint(server) + " sends nothing");
    }
  }

  @Test
  void aConnectionThatNobodyUsesIsClosed() throws Exception {
    CountDownLatch closed = new CountDownLatch(1);
    try (RawServer server =
            new RawServer(
                (request, out, connection) -> {
                  out.write(ANSWER);
                  connection.getInputStream().read();
                  closed.countDown();
                  return false;
                });
        S3AsyncClient client = client(endpoint(server), plain(Duration.ofMillis(20), 100))) {
      assertThat(hello(client).join().asUtf8String()).isEqualTo("hello");
      assertThat(closed.await(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void aServerThatIsNotThereIsAFailure() throws Exception {
    RawServer server = new RawServer(HELLO);
    String endpoint = endpoint(server);
    server.close();
    try (S3AsyncClient client = client(endpoint, plain(Duration.ofSeconds(5), 6))) {
      assertThat(catchThrowable(() -> hello(client).join()))
          .hasMessageContaining("cannot connect to " + endpoint);
    }
  }

  @Test
  void aReaderThatAsksForOnePieceAtATimeGetsAllOfThem() throws Exception {
    byte[] content = new byte[2 << 20];
    content[content.length - 1] = 7;
    RawServer.Answer whole =
        (request, out, connection) -> {
          String head =
              "HTTP/1.1 206 Partial Content\r\nContent-Length: " + content.length + "\r\n\r\n";
          out.write(head.getBytes(StandardCharsets.US_ASCII));
          out.write(content);
          return true;
        };
    try (RawServer server = new RawServer(whole);
        S3AsyncClient client = client(endpoint(server), plain(Duration.ofSeconds(5), 6))) {
      for (int i = 0; i < 3; i++) {
        CompletableFuture<Long> read =
            client.getObject(get -> get.bucket("b").key("k").range("bytes=0-9"), new OneByOne());
        assertThat(read).succeedsWithin(Duration.ofSeconds(20)).isEqualTo(content.length + 7L);
      }
      assertThat(server.accepted()).isEqualTo(1);
    }
  }

  /** Sums lengths, and the last byte; asks from another thread. */
  private static final class OneByOne
      implements AsyncResponseTransformer<GetObjectResponse, Long>,
          Subscriber<java.nio.ByteBuffer> {
    private final CompletableFuture<Long> done = new CompletableFuture<>();
    private Subscription subscription;
    private long bytes;
    private byte last;

    @Override
    public CompletableFuture<Long> prepare() {
      return done;
    }

    @Override
    public void onResponse(GetObjectResponse response) {}

    @Override
    public void onStream(SdkPublisher<java.nio.ByteBuffer> publisher) {
      publisher.subscribe(this);
    }

    @Override
    public void exceptionOccurred(Throwable error) {
      done.completeExceptionally(error);
    }

    @Override
    public void onSubscribe(Subscription given) {
      subscription = given;
      given.request(1);
    }

    @Override
    public void onNext(java.nio.ByteBuffer piece) {
      bytes += piece.remaining();
      last = piece.get(piece.limit() - 1);
      CompletableFuture<Void> unused = CompletableFuture.runAsync(() -> subscription.request(1));
    }

    @Override
    public void onError(Throwable error) {
      done.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
      done.complete(bytes + last);
    }
  }

  @Test
  void overTlsOnlyAServerThatIsTrustedAndHasTheRightNameIsRead(@TempDir Path dir) throws Exception {
    KeyStore known = keys(dir.resolve("known"), "localhost");
    try (RawServer server = tls(known)) {
      String right = "https://localhost:" + server.port();
      try (S3AsyncClient client = client(right, trusting(Optional.of(known)))) {
        assertThat(hello(client).join().asUtf8String()).isEqualTo("hello");
        assertThat(hello(client).join().asUtf8String()).isEqualTo("hello");
      }
      assertThat(server.accepted()).isEqualTo(1);
      String wrongName = "https://127.0.0.1:" + server.port();
      try (S3AsyncClient client = client(wrongName, trusting(Optional.of(known)))) {
        assertThat(catchThrowable(() -> hello(client).join()))
            .hasStackTraceContaining("No subject alternative names");
      }
      try (S3AsyncClient client = client(right, trusting(Optional.empty()))) {
        assertThat(catchThrowable(() -> hello(client).join()))
            .hasStackTraceContaining("unable to find valid certification path");
      }
    }
  }

  private static ReceiveConfig trusting(Optional<KeyStore> whom) {
    return config(
        Duration.ofSeconds(5),
        6,
        () -> {
          SslContextBuilder builder = SslContextBuilder.forClient();
          whom.ifPresent(store -> builder.trustManager(trust(store)));
          return builder.build();
        });
  }

  private static TrustManagerFactory trust(KeyStore store) {
    try {
      TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
      trust.init(store);
      return trust;
    } catch (java.security.GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static RawServer tls(KeyStore keys) throws Exception {
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(keys, "secret".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    return new RawServer(
        context
            .getServerSocketFactory()
            .createServerSocket(0, 16, InetAddress.getLoopbackAddress()),
        HELLO);
  }

  /** A key and its certificate, by the JDK's own tool. */
  private static KeyStore keys(Path file, String host) throws Exception {
    String tool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    Process made =
        new ProcessBuilder(
                (tool + " -genkeypair -alias key -keyalg EC -storetype PKCS12 -storepass secret")
                    .concat(" -dname CN=" + host + " -ext san=dns:" + host + " -keystore " + file)
                    .split(" "))
            .inheritIO()
            .start();
    assertThat(made.waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      keys.load(in, "secret".toCharArray());
    }
    return trusted(keys);
  }

  /** The same certificate once more, as one to be trusted. */
  private static KeyStore trusted(KeyStore keys) throws Exception {
    keys.setCertificateEntry("trusted", keys.getCertificate("key"));
    return keys;
  }
}
