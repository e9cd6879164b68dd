package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.strandline.broker.socket.memory.BytesBudget;
import io.strandline.broker.socket.memory.HeldHeap;
import io.strandline.broker.socket.memory.Shares;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who asks for more memory than is good does not keep others from being served. */
@Timeout(60)
class GreedyPeersTest {
  private static final int MIB = 1 << 20;

  private static UnaryOperator<SocketConfig> bounds(int requestBytes, long inFlight, long idleMs) {
    return c ->
        c.with(
            new SocketConfig.Limits(
                requestBytes, inFlight, 64, MIB, 100L * MIB, idleMs, 600_000, 600_000));
  }

  private static byte[] length(int bytes) {
    return ByteBuffer.allocate(4).putInt(bytes).array();
  }

  private static void serves(SocketClient good) {
    good.send(SocketClient.versions(1));
    good.receive(1);
    good.send(SocketClient.produce(2, 100_000));
    good.receive(2);
    good.send(SocketClient.produce(3, 3 * MIB));
    good.receive(3);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 100})
  void whoClaimsAndIsSilentShutsNobodyOut(int sent) {
    List<SocketClient> silent = new ArrayList<>();
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient good = fixture.client()) {
      for (int i = 0; i < 300; i++) {
        SocketClient one = fixture.client();
        one.send(length(MIB));
        one.send(new byte[sent]);
        silent.add(one);
      }
      serves(good);
      assertThat(fixture.bytesInFlight()).isLessThan(300 * 10_000);
      silent.forEach(SocketClient::close);
    }
  }

  /** A part of each is here, so each is given room for the whole; then nothing more comes. */
  @Test
  void whoSendsTooSlowlyLosesTheBytesThatOthersWaitFor() {
    List<SocketClient> slow = new ArrayList<>();
    try (SocketFixture fixture = new SocketFixture(bounds(10 * MIB, 32L * MIB, 600_000));
        SocketClient good = fixture.client()) {
      for (int i = 0; i < 40; i++) {
        SocketClient one = fixture.client();
        one.send(SocketClient.produce(0, 900_000), 0, 20_000);
        slow.add(one);
      }
      while (fixture.bytesInFlight() < 20 * MIB) {
        Thread.onSpinWait();
      }
      serves(good);
      slow.forEach(SocketClient::close);
    }
  }

  @Test
  void whatWaitsBehindAParkedRequestStaysWithItsClient() {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient parks = fixture.client();
        SocketClient good = fixture.client()) {
      parks.send(SocketClient.heartbeat(1));
      SocketFixture.Parked parked = SocketFixture.next(fixture.heartbeats);
      parks.send(SocketClient.versions(2));
      parks.send(SocketClient.produce(3, 100_000));
      parks.send(SocketClient.versions(4));
      serves(good);
      assertThat(fixture.bytesInFlight()).isLessThan(1000);
      parked.reply();
      for (int i = 1; i <= 4; i++) {
        parks.receive(i);
      }
    }
  }

  @Test
  void aParkedRequestHoldsNoFrameAndIsToldWhenItsClientIsGone() {
    try (SocketFixture fixture = new SocketFixture(c -> c)) {
      boolean[] gone = {false};
      try (SocketClient client = fixture.client()) {
        client.send(SocketClient.heartbeat(1));
        SocketFixture.Parked parked = SocketFixture.next(fixture.heartbeats);
        parked.request().whenGone(() -> gone[0] = true);
        while (fixture.bytesInFlight() > 0) {
          Thread.onSpinWait();
        }
        assertThat(gone[0]).isFalse();
      }
      SocketFixture.next(fixture.gone);
      while (!gone[0]) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void whoParksTooMuchIsClosedAndOthersAreServed() {
    UnaryOperator<SocketConfig> bounds =
        c ->
            c.with(
                new SocketConfig.Limits(MIB, 64L * MIB, 64, MIB, 5000, 600_000, 600_000, 600_000));
    try (SocketFixture fixture = new SocketFixture(bounds);
        SocketClient large = fixture.client();
        SocketClient small = fixture.client()) {
      small.send(SocketClient.heartbeat(1));
      SocketFixture.Parked parked = SocketFixture.next(fixture.heartbeats);
      large.send(SocketClient.heartbeat(2, 6000));
      assertThat(large.closedByServer()).isTrue();
      parked.reply();
      small.receive(1);
    }
  }

  @Test
  void aConnectionIsNotIdleWhileAFrameArrives() {
    try (SocketFixture fixture = new SocketFixture(bounds(MIB, 64L * MIB, 200));
        SocketClient slow = fixture.client()) {
      byte[] frame = SocketClient.produce(1, 1000);
      int pieces = 4;
      for (int i = 0; i < pieces; i++) {
        slow.send(frame, frame.length * i / pieces, frame.length * (i + 1) / pieces);
        long until = System.nanoTime() + 300_000_000L;
        while (System.nanoTime() < until && i < pieces - 1) {
          assertThat(fixture.server.closeOverdue()).isZero();
          Thread.onSpinWait();
        }
      }
      slow.receive(1);
      assertThat(slow.closedByServer()).as("idle now").isTrue();
    }
  }

  @Test
  void whatIsGrantedToWhoWaitsForItsQuotaIsForOthers() {
    SocketConfig.Limits limits = SocketConfig.Limits.defaults();
    Shares shares = new Shares(160_000, 100_000, () -> 0L);
    Turns turns = new Turns(64, new HeldHeap(Long.MAX_VALUE));
    FrameReader reader =
        new FrameReader(limits, shares.clients(), shares.strangers(), turns, () -> 0L);
    reader.takeRequests();
    EmbeddedChannel channel = new EmbeddedChannel(reader);
    BytesBudget.Claim others = shares.clients().whole(100_000, () -> {});
    channel.writeInbound(channel.alloc().buffer().writeInt(100_000).writeZero(10_000));
    assertThat(reader.paused(FrameReader.Pause.BUDGET)).isTrue();
    reader.pause(FrameReader.Pause.QUOTA);
    others.end();
    channel.runPendingTasks();
    assertThat(shares.usedBytes()).isZero();
    reader.resume(FrameReader.Pause.QUOTA);
    assertThat(shares.usedBytes()).isEqualTo(100_000);
    channel.finishAndReleaseAll();
    assertThat(shares.usedBytes()).isZero();
  }

  /** Fails once, when it is asked for so much or more. */
  private static final class Failing extends PooledByteBufAllocator {
    private final int bytes;
    private boolean failed;

    Failing(int bytes) {
      super(true);
      this.bytes = bytes;
    }

    private void ask(int capacity) {
      if (capacity >= bytes && !failed) {
        failed = true;
        throw new OutOfMemoryError("none left");
      }
    }

    @Override
    public ByteBuf directBuffer(int capacity, int maxCapacity) {
      ask(capacity);
      return super.directBuffer(capacity, maxCapacity);
    }

    @Override
    public ByteBuf heapBuffer(int capacity, int maxCapacity) {
      ask(capacity);
      return super.heapBuffer(capacity, maxCapacity);
    }
  }

  /** A copy of a whole frame; the beginning of one; room for another read. */
  @ParameterizedTest
  @ValueSource(ints = {20, 8000, 20_000})
  void whenThereIsNoMemoryForAFrameNothingIsLostButItsConnection(int frameBytes) {
    SocketConfig.Limits limits = SocketConfig.Limits.defaults();
    Shares shares = new Shares(limits.bytesInFlightMax(), limits.requestBytesMax(), () -> 0L);
    Turns turns = new Turns(64, new HeldHeap(Long.MAX_VALUE));
    FrameReader reader =
        new FrameReader(limits, shares.clients(), shares.strangers(), turns, () -> 0L);
    reader.takeRequests();
    Failing allocator = new Failing(Math.min(frameBytes, FrameReader.FIRST_BYTES));
    EmbeddedChannel channel = new EmbeddedChannel(reader);
    channel.config().setAllocator(allocator);
    UnpooledByteBufAllocator other = new UnpooledByteBufAllocator(true);
    byte[] sent = new byte[24];
    ByteBuffer.wrap(sent).putInt(frameBytes).putShort(SocketClient.API_VERSIONS);
    org.assertj.core.api.Assertions.assertThatThrownBy(
            () -> {
              channel.writeInbound(other.directBuffer(sent.length).writeBytes(sent));
              channel.checkException();
            })
        .isInstanceOf(OutOfMemoryError.class);
    assertThat(shares.usedBytes()).isZero();
    assertThat(other.metric().usedDirectMemory()).isZero();
    assertThat(allocator.pinnedDirectMemory() + allocator.pinnedHeapMemory()).isZero();
  }
}
