package io.strandline.tiering.store.s3;

import static io.strandline.tiering.store.s3.RawServer.ascii;
import static io.strandline.tiering.store.s3.RawServer.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.s3.S3Location.Receive;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Ranged GETs of servers that answer well and badly: our own way of receiving gives what the SDK's
 * client gives, bytes and kinds of failure.
 */
class RangedGetsTest {
  private static final int LENGTH = 3 << 20;
  private static final byte[] CONTENT = content();

  /** Closed together: the SDK's client is quiet for two seconds before it ends. */
  private static final List<S3ObjectStore> OPENED = new CopyOnWriteArrayList<>();

  private final ExecutorService threads = Executors.newFixedThreadPool(4);
  private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(1);

  private static byte[] content() {
    byte[] content = new byte[LENGTH];
    new Random(7).nextBytes(content);
    return content;
  }

  @AfterAll
  static void close() {
    ExecutorService together = Executors.newCachedThreadPool();
    CompletableFuture.allOf(
            OPENED.stream()
                .map(store -> CompletableFuture.runAsync(store::close, together))
                .toArray(CompletableFuture[]::new))
        .join();
    together.shutdown();
  }

  @AfterEach
  void end() throws InterruptedException {
    threads.shutdown();
    scheduler.shutdownNow();
    assertThat(threads.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  private S3ObjectStore open(RawServer server, Receive receive, int connections) {
    var keys = new S3Config.Credentials("key", "secret", Optional.empty());
    var config =
        new S3Config(
            connections,
            Duration.ofSeconds(60),
            S3Config.Multipart.defaults(),
            1000,
            Optional.of(keys));
    String uri =
        "s3://bucket/x?region=us-east-1&endpoint=http://127.0.0.1:"
            + server.port()
            + "&receive="
            + receive.name().toLowerCase(Locale.ROOT);
    S3ObjectStore store =
        new S3ObjectStore(
            S3Location.parse(uri), config, threads, scheduler, InstantSource.system());
    OPENED.add(store);
    return store;
  }

  private static ReadRange range() {
    return new ReadRange(ObjectKey.of("a/b"), 0, LENGTH);
  }

  /** Memory to land in: some of it takes only pieces, some only what is read straight into it. */
  private static final class Ground implements Landing.Ground {
    private static final int STRIPE = 700_000;

    private final ByteBuffer memory = ByteBuffer.allocateDirect(LENGTH);
    private final Landing landing = new Landing(LENGTH, this);

    @Override
    public void put(int fromBytes, ByteBuffer piece) {
      memory.put(fromBytes, piece, piece.position(), piece.remaining());
      piece.position(piece.limit());
    }

    @Override
    public ByteBuffer room(int fromBytes) {
      int stripe = fromBytes / STRIPE;
      return stripe % 2 == 0
          ? null
          : memory.slice(fromBytes, Math.min(LENGTH, (stripe + 1) * STRIPE) - fromBytes);
    }

    byte[] bytes() {
      byte[] bytes = new byte[LENGTH];
      memory.get(0, bytes);
      return bytes;
    }
  }

  private static byte[] land(S3ObjectStore store) {
    Ground ground = new Ground();
    store.get(range(), ground.landing).join();
    assertThat(ground.landing.whole()).isTrue();
    return ground.bytes();
  }

  private static byte[] heap(S3ObjectStore store) {
    ByteBuffer read = store.get(range().key(), 0, LENGTH).join();
    byte[] bytes = new byte[read.remaining()];
    read.get(bytes);
    return bytes;
  }

  private static byte[] head(String status, String... fields) {
    return ascii("HTTP/1.1 " + status + "\r\n" + String.join("\r\n", fields) + "\r\n\r\n");
  }

  private static byte[] partial(long length) {
    return head("206 Partial Content", "Content-Length: " + length, "ETag: \"e\"");
  }

  private static String xml(String code) {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>" + code + "</Code></Error>";
  }

  /** A misbehaviour, and what it is told as. */
  private record Case(RawServer.Answer answer, Class<? extends StoreException> kind) {}

  private void assertFails(Receive receive, List<Case> cases) throws Exception {
    AtomicReference<RawServer.Answer> now = new AtomicReference<>();
    try (RawServer server = new RawServer((head, out, c) -> now.get().give(head, out, c))) {
      S3ObjectStore store = open(server, receive, 8);
      for (Case one : cases) {
        now.set(one.answer());
        assertThat(StoreException.of(catchThrowable(() -> land(store)))).isInstanceOf(one.kind());
        assertThat(StoreException.of(catchThrowable(() -> heap(store)))).isInstanceOf(one.kind());
      }
    }
  }

  private void assertFails(
      RawServer.Answer answer, Receive receive, Class<? extends StoreException> kind)
      throws Exception {
    assertFails(receive, List.of(new Case(answer, kind)));
  }

  private static void await(BooleanSupplier condition) {
    org.assertj.core.api.Assertions.assertThat(
            CompletableFuture.supplyAsync(
                () -> {
                  while (!condition.getAsBoolean()) {
                    Thread.onSpinWait();
                  }
                  return true;
                }))
        .succeedsWithin(Duration.ofSeconds(20));
  }

  @ParameterizedTest
  @EnumSource
  void bytesArriveAsTheyAreInPiecesOfAnyLength(Receive receive) throws Exception {
    Random random = new Random(11);
    RawServer.Answer uneven =
        (request, out, connection) -> {
          assertThat(request).startsWith("GET /bucket/x/a/b HTTP/1.1").contains("bytes=0-");
          out.write(partial(LENGTH));
          for (int at = 0; at < LENGTH; ) {
            int step = Math.min(LENGTH - at, 1 + random.nextInt(1 << random.nextInt(1, 20)));
            out.write(CONTENT, at, step);
            at += step;
          }
          return true;
        };
    try (RawServer server = new RawServer(uneven)) {
      S3ObjectStore store = open(server, receive, 8);
      for (int i = 0; i < 5; i++) {
        assertThat(Arrays.equals(land(store), CONTENT)).isTrue();
        assertThat(Arrays.equals(heap(store), CONTENT)).isTrue();
      }
      // One may be given back just after the next is asked for.
      assertThat(server.accepted()).as("connections are used again").isLessThanOrEqualTo(2);
    }
  }

  /** The SDK's client takes it for the answer. */
  @Test
  void anInterimAnswerIsPassedOver() throws Exception {
    byte[] interim = ascii("HTTP/1.1 100 Continue\r\n\r\n");
    try (RawServer server = new RawServer(bytes(true, interim, partial(LENGTH), CONTENT))) {
      S3ObjectStore store = open(server, Receive.DIRECT, 8);
      assertThat(Arrays.equals(land(store), CONTENT)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aConnectionThatTheServerEndsIsNotUsedAgain(Receive receive) throws Exception {
    byte[] last =
        head(
            "206 Partial Content", "Content-Length: " + LENGTH, "ETag: \"e\"", "Connection: close");
    try (RawServer server = new RawServer(bytes(true, last, CONTENT))) {
      S3ObjectStore store = open(server, receive, 8);
      assertThat(Arrays.equals(land(store), CONTENT)).isTrue();
      assertThat(Arrays.equals(land(store), CONTENT)).isTrue();
      assertThat(server.accepted()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBodyThatEndsEarlyIsUnavailable(Receive receive) throws Exception {
    byte[] some = Arrays.copyOf(CONTENT, 100_000);
    assertFails(bytes(false, partial(LENGTH), some), receive, StoreException.Unavailable.class);
  }

  @ParameterizedTest
  @EnumSource
  void aResetInTheMiddleIsUnavailable(Receive receive) throws Exception {
    RawServer.Answer reset =
        (request, out, connection) -> {
          out.write(partial(LENGTH));
          out.write(CONTENT, 0, LENGTH / 2);
          connection.setSoLinger(true, 0);
          return false;
        };
    assertFails(reset, receive, StoreException.Unavailable.class);
  }

  @ParameterizedTest
  @EnumSource
  void anAnswerThatIsClosedBeforeItBeginsIsUnavailable(Receive receive) throws Exception {
    assertFails(bytes(false), receive, StoreException.Unavailable.class);
  }

  /** The SDK's client does not see them, and waits for half a minute twice. */
  @Test
  void bytesThatNobodyAskedForDoNotReachTheNextReader() throws Exception {
    byte[] more = new byte[70_000];
    try (RawServer server = new RawServer(bytes(true, partial(LENGTH), CONTENT, more))) {
      S3ObjectStore store = open(server, Receive.DIRECT, 8);
      for (int i = 0; i < 4; i++) {
        // What follows may be seen before the connection is used again, or after it.
        Throwable thrown =
            catchThrowable(() -> assertThat(Arrays.equals(land(store), CONTENT)).isTrue());
        if (thrown != null) {
          assertThat(StoreException.of(thrown)).isInstanceOf(StoreException.Unavailable.class);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRangeThatTheStoreCutsOrIgnoresIsToldSo(Receive receive) throws Exception {
    byte[] half = Arrays.copyOf(CONTENT, LENGTH / 2);
    byte[] twice = head("200 OK", "Content-Length: " + 2 * LENGTH, "ETag: \"e\"");
    assertFails(
        receive,
        List.of(
            new Case(bytes(true, partial(half.length), half), StoreException.OutOfRange.class),
            new Case(bytes(true, twice, CONTENT, CONTENT), StoreException.Refused.class)));
  }

  @ParameterizedTest
  @EnumSource
  void errorsAreWhatTheSdkMakesOfThem(Receive receive) throws Exception {
    assertFails(
        receive,
        List.of(
            new Case(error("404 Not Found", "NoSuchKey"), StoreException.NotFound.class),
            new Case(error("404 Not Found", "NoSuchBucket"), StoreException.Refused.class),
            new Case(error("416 Range", "InvalidRange"), StoreException.OutOfRange.class),
            new Case(error("403 Forbidden", "AccessDenied"), StoreException.Refused.class),
            new Case(error("503 Busy", "SlowDown"), StoreException.Unavailable.class),
            new Case(error("301 Moved", "PermanentRedirect"), StoreException.Refused.class)));
  }

  private static RawServer.Answer error(String status, String code) {
    byte[] body = ascii(xml(code));
    return bytes(
        true,
        head(status, "Content-Type: application/xml", "Content-Length: " + body.length),
        body);
  }

  @ParameterizedTest
  @EnumSource
  void anErrorInChunksIsReadToo(Receive receive) throws Exception {
    byte[] body = ascii(xml("NoSuchKey"));
    String chunk = Integer.toHexString(body.length) + "\r\n";
    assertFails(
        bytes(
            true,
            head("404 Not Found", "Transfer-Encoding: chunked"),
            ascii(chunk),
            body,
            ascii("\r\n0\r\n\r\n")),
        receive,
        StoreException.NotFound.class);
  }

  /** The SDK's client hands some of these on as answers. */
  @Test
  void whatIsNotHttpIsUnavailable() throws Exception {
    List<byte[]> heads =
        List.of(
            ascii("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            head("206 Partial Content", "Content-Length: 12monkeys"),
            head("206 Partial Content", "Content-Length: -1"),
            head("206 Partial Content", "Content-Length: 1", "Content-Length: 2"),
            head("206 Partial Content", "X: " + "x".repeat(1 << 20)),
            ascii("HTTP/1.1 " + "9".repeat(1 << 20)));
    assertFails(
        Receive.DIRECT,
        heads.stream()
            .map(head -> new Case(bytes(false, head, CONTENT), StoreException.Unavailable.class))
            .toList());
  }

  @ParameterizedTest
  @EnumSource
  void aReadThatIsCancelledEndsItsConnection(Receive receive) throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    RawServer.Answer half =
        (request, out, connection) -> {
          out.write(partial(LENGTH));
          out.write(CONTENT, 0, LENGTH / 2);
          asked.countDown();
          return true; // Waits for more requests, and so sees the close.
        };
    try (RawServer server = new RawServer(half)) {
      S3ObjectStore store = open(server, receive, 8);
      CompletableFuture<Landing> read = store.get(range(), new Ground().landing);
      assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(read).isNotDone();
      read.cancel(true);
      await(() -> server.open() == 0);
    }
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsWrittenToALandingThatWasClosed(Receive receive) throws Exception {
    CountDownLatch closed = new CountDownLatch(1);
    RawServer.Answer halves =
        (request, out, connection) -> {
          out.write(partial(LENGTH));
          out.write(CONTENT, 0, LENGTH / 2);
          closed.await();
          out.write(CONTENT, LENGTH / 2, LENGTH / 2);
          return true;
        };
    try (RawServer server = new RawServer(halves)) {
      S3ObjectStore store = open(server, receive, 8);
      Ground ground = new Ground();
      CompletableFuture<Landing> read = store.get(range(), ground.landing);
      await(() -> ground.memory.get(1000) == CONTENT[1000]);
      ground.landing.close();
      byte[] then = ground.bytes();
      closed.countDown();
      assertThat(StoreException.of(catchThrowable(read::join)))
          .isInstanceOf(StoreException.Unavailable.class);
      assertThat(Arrays.equals(ground.bytes(), then)).isTrue();
      closed.countDown();
      assertThat(Arrays.equals(land(store), CONTENT)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void moreReadsThanConnectionsAllGetTheirs(Receive receive) throws Exception {
    try (RawServer server = new RawServer(bytes(true, partial(LENGTH), CONTENT))) {
      S3ObjectStore store = open(server, receive, 2);
      List<Ground> grounds = java.util.stream.Stream.generate(Ground::new).limit(6).toList();
      CompletableFuture<?>[] reads =
          grounds.stream()
              .map(g -> store.get(range(), g.landing))
              .toArray(CompletableFuture[]::new);
      CompletableFuture.allOf(reads).join();
      assertThat(grounds).allMatch(ground -> Arrays.equals(ground.bytes(), CONTENT));
      // Two of ours and two of the SDK's, and one or the other again that was given up.
      assertThat(server.accepted()).isLessThan(grounds.size());
    }
  }
}
