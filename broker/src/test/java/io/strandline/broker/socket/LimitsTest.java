package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.guard.quota.ConnectionLimits;
import io.strandline.broker.request.SliceRecords;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LimitsTest {
  private static final int LONG_MS = 600_000;

  /** Limits of a test, which change one at a time. */
  private static final class Bounds {
    int requestBytes = 1 << 20;
    long bytesInFlight = 4L << 20;
    int requests = 64;
    long unsentBytes = 1 << 20;
    long answerBytes = 100 << 20;
    long idleMs = LONG_MS;
    long frameMs = LONG_MS;
    long unsentMs = LONG_MS;

    UnaryOperator<SocketConfig> asChange() {
      return c ->
          c.with(
              new SocketConfig.Limits(
                  requestBytes,
                  bytesInFlight,
                  requests,
                  unsentBytes,
                  answerBytes,
                  idleMs,
                  frameMs,
                  unsentMs));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 7, (1 << 20) + 1, Integer.MAX_VALUE})
  void anAbsurdLengthEndsThatConnectionAlone(int length) {
    try (SocketFixture fixture = new SocketFixture(new Bounds().asChange());
        SocketClient bad = fixture.client();
        SocketClient good = fixture.client()) {
      bad.send(ByteBuffer.allocate(4).putInt(length).array());
      assertThat(bad.closedByServer()).isTrue();
      good.send(SocketClient.versions(1));
      good.receive(1);
    }
  }

  @Test
  void unknownApisAndVersionsEndTheConnection() {
    try (SocketFixture fixture = new SocketFixture(new Bounds().asChange())) {
      int[][] strange = {{999, 0}, {-1, 0}, {3, 0}, {12, 99}, {0, 0}, {0, -5}};
      for (int[] api : strange) {
        try (SocketClient client = fixture.client()) {
          client.send(SocketClient.garbage(api[0], api[1], 1));
          assertThat(client.closedByServer()).as("api %s version %s", api[0], api[1]).isTrue();
        }
      }
    }
  }

  @Test
  void garbageOfAnyKindHarmsNobodyElse() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    try (SocketFixture fixture = new SocketFixture(new Bounds().asChange());
        SocketClient good = fixture.client()) {
      for (int i = 0; i < 300; i++) {
        try (SocketClient bad = fixture.client()) {
          byte[] bytes = mangled(random);
          try {
            bad.send(bytes);
          } catch (java.io.UncheckedIOException closed) {
            // it was refused while we still wrote
          }
        }
        good.send(SocketClient.versions(i));
        good.receive(i);
      }
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  /** Noise, or a good frame with some bytes changed and perhaps the end missing. */
  private static byte[] mangled(Random random) {
    byte[] frame =
        switch (random.nextInt(4)) {
          case 0 -> SocketClient.produce(1, random.nextInt(5000));
          case 1 -> SocketClient.versions(1);
          case 2 -> SocketClient.fetch(1);
          default -> {
            byte[] noise = new byte[random.nextInt(3000)];
            random.nextBytes(noise);
            yield noise;
          }
        };
    for (int i = random.nextInt(8); i > 0 && frame.length > 0; i--) {
      frame[random.nextInt(frame.length)] = (byte) random.nextInt();
    }
    return java.util.Arrays.copyOf(frame, frame.length - random.nextInt(frame.length / 3 + 1));
  }

  @Test
  void whenTheBudgetIsSpentOthersWaitAndThenGoOn() throws InterruptedException {
    Bounds bounds = new Bounds();
    bounds.requestBytes = 600_000;
    bounds.bytesInFlight = 600_000;
    try (SocketFixture fixture = new SocketFixture(bounds.asChange());
        SocketClient first = fixture.client();
        SocketClient second = fixture.client()) {
      fixture.parkProduces = true;
      first.send(SocketClient.produce(0, 400_000));
      var parked = SocketFixture.next(fixture.produces);
      second.send(SocketClient.produce(0, 300_000));
      assertThat(fixture.bytesInFlight()).isBetween(400_000.0, 600_000.0);
      try (SocketClient third = fixture.client()) {
        assertThat(fixture.produces.poll(300, TimeUnit.MILLISECONDS)).as("served at once").isNull();
        parked.reply();
        SocketFixture.next(fixture.produces).reply();
        second.receive(0);
        third.send(SocketClient.versions(0));
        third.receive(0);
      }
      first.receive(0);
    }
  }

  @Test
  void whoClaimsMuchAndSendsLittleShutsNobodyOut() {
    Bounds bounds = new Bounds();
    bounds.requestBytes = 100 << 20;
    bounds.bytesInFlight = 200 << 20;
    try (SocketFixture fixture = new SocketFixture(bounds.asChange())) {
      SocketClient[] slow = new SocketClient[20];
      for (int i = 0; i < slow.length; i++) {
        slow[i] = fixture.client();
        slow[i].send(ByteBuffer.allocate(5).putInt(90 << 20).put((byte) 0).array());
      }
      try (SocketClient good = fixture.client()) {
        good.send(SocketClient.produce(0, 500_000));
        good.receive(0);
      }
      assertThat(io.netty.buffer.PooledByteBufAllocator.DEFAULT.pinnedDirectMemory())
          .as("memory follows what was sent")
          .isLessThan(slow.length * 2L << 20);
      for (SocketClient client : slow) {
        client.close();
      }
    }
  }

  @Test
  void aFrameThatDoesNotComeInTimeEndsItsConnection() {
    Bounds bounds = new Bounds();
    bounds.frameMs = 100;
    try (SocketFixture fixture = new SocketFixture(bounds.asChange());
        SocketClient client = fixture.client()) {
      client.send(SocketClient.produce(0, 1000), 0, 500);
      assertThat(client.closedByServer()).isTrue();
    }
  }

  @Test
  void aLookAtAllThatFailedOnceIsTakenAgain() {
    Bounds bounds = new Bounds();
    bounds.frameMs = 100;
    AtomicBoolean fails = new AtomicBoolean(true);
    LongSupplier nanoClock =
        () -> {
          if (Thread.currentThread().getName().startsWith("accept") && fails.getAndSet(false)) {
            throw new IllegalStateException("once");
          }
          return System.nanoTime();
        };
    try (SocketFixture fixture =
            new SocketFixture(bounds.asChange(), ConnectionLimits.NONE, nanoClock);
        SocketClient client = fixture.client()) {
      SocketFixture.await("a failed look", () -> !fails.get());
      client.send(SocketClient.produce(0, 1000), 0, 500);
      assertThat(client.closedByServer()).isTrue();
    }
  }

  /** It is read all the same, as it keeps its memory. */
  @Test
  void aFrameIsLateAlsoWhileItsClientHasToWaitForItsQuota() {
    Bounds bounds = new Bounds();
    bounds.frameMs = LONG_MS / 10;
    AtomicLong aheadNanos = new AtomicLong();
    try (SocketFixture fixture =
            new SocketFixture(
                bounds.asChange(),
                ConnectionLimits.NONE,
                () -> System.nanoTime() + aheadNanos.get());
        SocketClient client = fixture.client()) {
      fixture.owedMs = 1000;
      client.send(SocketClient.heartbeat(1));
      client.send(SocketClient.produce(2, 1000), 0, 500);
      SocketFixture.await("its memory", () -> fixture.bytesInFlight() >= 1000);
      SocketFixture.next(fixture.heartbeats).reply();
      client.receive(1);
      aheadNanos.set(TimeUnit.MILLISECONDS.toNanos(LONG_MS / 5));
      assertThat(client.closedByServer()).isTrue();
    }
  }

  @Test
  void anIdleConnectionIsClosedButNotOneThatAwaitsItsAnswer() {
    Bounds bounds = new Bounds();
    bounds.idleMs = 200;
    try (SocketFixture fixture = new SocketFixture(bounds.asChange());
        SocketClient busy = fixture.client();
        SocketClient idle = fixture.client()) {
      busy.send(SocketClient.heartbeat(0));
      var parked = SocketFixture.next(fixture.heartbeats);
      assertThat(idle.closedByServer()).isTrue();
      parked.reply();
      busy.receive(0);
      assertThat(busy.closedByServer()).isTrue();
    }
  }

  @Test
  void noConnectionIsIdleForTooLongWhereThereIsNoBound() {
    Bounds bounds = new Bounds();
    bounds.idleMs = -1;
    bounds.frameMs = 100;
    try (SocketFixture fixture = new SocketFixture(bounds.asChange());
        SocketClient idle = fixture.client();
        SocketClient late = fixture.client()) {
      idle.send(SocketClient.versions(1));
      idle.receive(1);
      late.send(SocketClient.produce(0, 1000), 0, 500);
      assertThat(late.closedByServer()).isTrue(); // so all were looked at
      idle.send(SocketClient.versions(2));
      idle.receive(2);
    }
  }

  @Test
  void requestsBeyondTheLimitAreServedLater() {
    Bounds bounds = new Bounds();
    bounds.requests = 3;
    try (SocketFixture fixture = new SocketFixture(bounds.asChange());
        SocketClient client = fixture.client()) {
      fixture.parkProduces = true;
      for (int i = 0; i < 10; i++) {
        client.send(SocketClient.produce(i, 10));
      }
      for (int i = 0; i < 10; i++) {
        var parked = SocketFixture.next(fixture.produces);
        assertThat(fixture.produces.size()).isLessThan(3);
        parked.reply();
        client.receive(i);
      }
    }
  }

  @Test
  void whoNeverReadsItsAnswersIsNotServedFurtherAndThenClosed() {
    Bounds bounds = new Bounds();
    bounds.unsentBytes = 100_000;
    bounds.unsentMs = 300;
    try (SocketFixture fixture = new SocketFixture(bounds.asChange());
        SocketClient client = fixture.client()) {
      fixture.fetched = MemoryRecords.readableRecords(ByteBuffer.allocate(8 << 20));
      var released = new java.util.concurrent.atomic.AtomicInteger();
      AtomicBoolean over = new AtomicBoolean();
      fixture.fetchDone = released::incrementAndGet;
      for (int i = 0; i < 50; i++) {
        try {
          client.send(SocketClient.fetch(i));
        } catch (java.io.UncheckedIOException closed) {
          over.set(true);
          break;
        }
      }
      SocketFixture.await(
          "the connection's end", () -> released.get() > 0 && fixture.server.connections() == 0);
      assertThat(released.get()).as("answers made, all of them released").isBetween(1, 3);
    }
  }

  /** As history comes: in pieces that lie in memory. */
  @Test
  void whoeverReadsSteadilyGetsItsAnswerHoweverLongThatTakes() {
    Bounds bounds = new Bounds();
    bounds.unsentMs = 700;
    int pieces = 8;
    int pieceBytes = 1 << 20;
    UnaryOperator<SocketConfig> narrow =
        c -> new SocketConfig(c.listeners(), 1, true, 50, 64 << 10, -1, c.limits());
    try (SocketFixture fixture = new SocketFixture(c -> narrow.apply(bounds.asChange().apply(c)));
        SocketClient client = new SocketClient(fixture.port, 32 << 10)) {
      ByteBuffer[] slices = new ByteBuffer[pieces];
      for (int i = 0; i < pieces; i++) {
        slices[i] = ByteBuffer.allocateDirect(pieceBytes).put(0, (byte) i);
      }
      fixture.fetched = new SliceRecords(List.of(slices), () -> false);
      client.send(SocketClient.fetch(1));
      int frameBytes = ByteBuffer.wrap(client.take(Integer.BYTES)).getInt();
      ByteBuffer answer = ByteBuffer.allocate(frameBytes);
      while (answer.hasRemaining()) {
        java.util.concurrent.locks.LockSupport.parkNanos(8_000_000L);
        byte[] some = client.take(Math.min(32 << 10, answer.remaining()));
        assertThat(some).as("at %d of %d", answer.position(), frameBytes).isNotEmpty();
        answer.put(some);
      }
      int recordsAt = frameBytes - pieces * pieceBytes - 3; // what follows are tags
      for (int i = 0; i < pieces; i++) {
        assertThat(answer.get(recordsAt + i * pieceBytes)).isEqualTo((byte) i);
      }
    }
  }

  @Test
  void whenUntakenAnswersTakeTooMuchTheLargestGoAndOthersAreServed() {
    Bounds bounds = new Bounds();
    bounds.unsentBytes = 100 << 20;
    bounds.answerBytes = 40 << 20;
    try (SocketFixture fixture = new SocketFixture(bounds.asChange());
        SocketClient modest = fixture.client()) {
      fixture.fetched = MemoryRecords.readableRecords(ByteBuffer.allocate(16 << 20));
      SocketClient[] deaf = new SocketClient[6];
      for (int i = 0; i < deaf.length; i++) {
        deaf[i] = fixture.client();
        deaf[i].send(SocketClient.fetch(i));
      }
      SocketFixture.await(
          "the largest to go",
          () -> {
            modest.send(SocketClient.versions(1));
            modest.receive(1);
            return fixture.server.connections() <= 4;
          });
      for (SocketClient each : deaf) {
        each.close();
      }
    }
  }
}
