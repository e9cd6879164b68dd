package io.strandline.tiering.store.s3.receive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.netty.handler.ssl.SslContextBuilder;
import io.strandline.tiering.store.s3.RawServer;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;

/** What our own connections do by themselves: silence, idleness, TLS, and where they put a body. */
class ReceivingClientTest {
  private static final byte[] ANSWER =
      "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nhello"
          .getBytes(StandardCharsets.US_ASCII);

  private static final RawServer.Answer HELLO =
      (request, out, connection) -> {
        out.write(ANSWER);
        return true;
      };

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

  /** Collects a body, in memory of its own from some byte on. */
  private static final class Collected implements Receiver {
    private final ByteBuffer bytes;
    private final int roomFrom;
    private int rooms;
    private boolean ended;

    Collected(int lengthBytes, int roomFrom) {
      this.bytes = ByteBuffer.allocateDirect(lengthBytes);
      this.roomFrom = roomFrom;
    }

    @Override
    public void head(Head head) {
      assertThat(head.status()).isEqualTo(206);
      assertThat(head.field("content-length")).contains("" + bytes.capacity());
    }

    @Override
    public void put(ByteBuffer piece) {
      bytes.put(piece);
    }

    @Override
    public ByteBuffer enter(int maxBytes) {
      if (bytes.position() < roomFrom) {
        return null;
      }
      rooms++;
      return bytes.slice(bytes.position(), Math.min(maxBytes, bytes.remaining()));
    }

    @Override
    public void leave(int filledBytes) {
      bytes.position(bytes.position() + filledBytes);
    }

    @Override
    public void end() {
      ended = true;
    }

    byte[] array() {
      assertThat(ended).isTrue();
      byte[] array = new byte[bytes.position()];
      bytes.get(0, array);
      return array;
    }
  }

  private static CompletableFuture<Void> ask(
      ReceivingClient client, String endpoint, Receiver receiver) {
    SdkHttpRequest request =
        SdkHttpRequest.builder()
            .method(SdkHttpMethod.GET)
            .uri(URI.create(endpoint + "/b/k"))
            .putHeader("Range", "bytes=0-4")
            .build();
    return client.run(request, receiver).orElseThrow();
  }

  private static CompletableFuture<String> hello(ReceivingClient client, String endpoint) {
    Collected collected = new Collected(5, 0);
    return ask(client, endpoint, collected)
        .thenApply(ended -> new String(collected.array(), StandardCharsets.US_ASCII));
  }

  private static String endpoint(RawServer server) {
    return "http://127.0.0.1:" + server.port();
  }

  @Test
  void aServerThatIsSilentIsGivenUp() throws Exception {
    RawServer.Answer never = (request, out, connection) -> true;
    try (RawServer server = new RawServer(never);
        ReceivingClient client = new ReceivingClient(plain(Duration.ofMillis(20), 3))) {
      assertThat(catchThrowable(() -> hello(client, endpoint(server)).join()))
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
        ReceivingClient client = new ReceivingClient(plain(Duration.ofMillis(20), 100))) {
      assertThat(hello(client, endpoint(server)).join()).isEqualTo("hello");
      assertThat(closed.await(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  /** Whoever hears of an answer's end may ask again at once, on the same connection. */
  @Test
  void oneRequestAfterAnotherTakesOneConnection() throws Exception {
    try (RawServer server = new RawServer(HELLO);
        ReceivingClient client = new ReceivingClient(plain(Duration.ofSeconds(5), 6))) {
      for (int i = 0; i < 500; i++) {
        assertThat(hello(client, endpoint(server)).join()).isEqualTo("hello");
      }
      assertThat(server.accepted()).isEqualTo(1);
    }
  }

  @Test
  void aServerThatIsNotThereIsAFailure() throws Exception {
    RawServer server = new RawServer(HELLO);
    String endpoint = endpoint(server);
    server.close();
    try (ReceivingClient client = new ReceivingClient(plain(Duration.ofSeconds(5), 6))) {
      assertThat(catchThrowable(() -> hello(client, endpoint).join()))
          .hasMessageContaining("cannot connect to " + endpoint);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 700_001, Integer.MAX_VALUE})
  void aBodyIsWholeFromWhereverItIsReadStraightIntoItsPlace(int roomFrom) throws Exception {
    byte[] content = new byte[2 << 20];
    new Random(roomFrom).nextBytes(content);
    RawServer.Answer whole =
        (request, out, connection) -> {
          String head =
              "HTTP/1.1 206 Partial Content\r\nContent-Length: " + content.length + "\r\n\r\n";
          out.write(head.getBytes(StandardCharsets.US_ASCII));
          out.write(content);
          return true;
        };
    try (RawServer server = new RawServer(whole);
        ReceivingClient client = new ReceivingClient(plain(Duration.ofSeconds(5), 6))) {
      for (int i = 0; i < 3; i++) {
        Collected collected = new Collected(content.length, roomFrom);
        ask(client, endpoint(server), collected).join();
        assertThat(Arrays.equals(collected.array(), content)).isTrue();
        assertThat(collected.rooms > 0).isEqualTo(roomFrom < content.length);
      }
    }
  }

  @Test
  void overTlsOnlyAServerThatIsTrustedAndHasTheRightNameIsRead(@TempDir Path dir) throws Exception {
    KeyStore known = keys(dir.resolve("known"), "localhost");
    try (RawServer server = tls(known)) {
      String right = "https://localhost:" + server.port();
      try (ReceivingClient client = new ReceivingClient(trusting(Optional.of(known)))) {
        assertThat(hello(client, right).join()).isEqualTo("hello");
        assertThat(hello(client, right).join()).isEqualTo("hello");
      }
      assertThat(server.accepted()).isEqualTo(1);
      String wrongName = "https://127.0.0.1:" + server.port();
      try (ReceivingClient client = new ReceivingClient(trusting(Optional.of(known)))) {
        assertThat(catchThrowable(() -> hello(client, wrongName).join()))
            .hasStackTraceContaining("No subject alternative names");
      }
      try (ReceivingClient client = new ReceivingClient(trusting(Optional.empty()))) {
        assertThat(catchThrowable(() -> hello(client, right).join()))
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
