package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.server.quota.ThrottleCallback;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A client that used more than it may waits, whether it wants to or not (KIP-219). */
@Timeout(60)
class ThrottledClientTest {
  @Test
  void theAnswerComesAtOnceAndTheNextRequestIsServedWhenTheTimeIsOver() throws Exception {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient greedy = fixture.client();
        SocketClient other = fixture.client()) {
      fixture.owedMs = 1234;
      greedy.send(SocketClient.heartbeat(1));
      greedy.send(SocketClient.heartbeat(2));
      fixture.heartbeats.take().reply();
      assertThat(throttleMs(greedy.receive(1))).isEqualTo(1234);

      other.send(SocketClient.versions(7));
      other.receive(7);
      assertThat(fixture.heartbeats.poll(50, TimeUnit.MILLISECONDS)).isNull();

      fixture.owedMs = 0;
      fixture.throttled.take().endThrottling();
      fixture.heartbeats.take().reply();
      assertThat(throttleMs(greedy.receive(2))).isZero();
    }
  }

  @Test
  void ofSeveralTimesTheLastCounts() throws Exception {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient greedy = fixture.client()) {
      fixture.owedMs = 10;
      fixture.parkProduces = true;
      greedy.send(SocketClient.produce(1, 10));
      greedy.send(SocketClient.produce(2, 10));
      SocketFixture.Parked first = fixture.produces.take();
      SocketFixture.Parked second = fixture.produces.take();
      first.reply();
      second.reply();
      greedy.receive(1);
      greedy.receive(2);
      ThrottleCallback one = fixture.throttled.take();
      ThrottleCallback two = fixture.throttled.take();
      fixture.owedMs = 0;
      greedy.send(SocketClient.produce(3, 10));
      one.endThrottling();
      assertThat(fixture.produces.poll(50, TimeUnit.MILLISECONDS)).isNull();
      two.endThrottling();
      fixture.produces.take().reply();
      greedy.receive(3);
    }
  }

  /** It keeps memory that others wait for. */
  @Test
  void aLongFrameThatWasBegunIsServedAndMakesTheTimeLonger() throws Exception {
    SocketConfig.Limits limits =
        new SocketConfig.Limits(600_000, 600_000, 64, 1 << 20, 1 << 20, 60_000, 60_000, 60_000);
    try (SocketFixture fixture = new SocketFixture(c -> c.with(limits));
        SocketClient greedy = fixture.client();
        SocketClient other = fixture.client()) {
      fixture.owedMs = 10;
      fixture.parkProduces = true;
      greedy.send(SocketClient.produce(1, 10));
      SocketFixture.Parked first = SocketFixture.next(fixture.produces);
      byte[] begun = SocketClient.produce(2, 400_000);
      greedy.send(begun, 0, 20_000);
      SocketFixture.await("its memory", () -> fixture.bytesInFlight() > 400_000);
      first.reply();
      greedy.receive(1);
      ThrottleCallback one = SocketFixture.next(fixture.throttled);

      other.send(SocketClient.produce(7, 300_000));
      greedy.send(begun, 20_000, begun.length);
      greedy.send(SocketClient.produce(3, 10));
      SocketFixture.next(fixture.produces).reply();
      greedy.receive(2);
      ThrottleCallback two = SocketFixture.next(fixture.throttled);
      SocketFixture.next(fixture.produces).reply();
      other.receive(7);

      one.endThrottling();
      assertThat(fixture.produces.poll(50, TimeUnit.MILLISECONDS)).isNull();
      two.endThrottling();
      SocketFixture.next(fixture.produces).reply();
      greedy.receive(3);
    }
  }

  @Test
  void aShortFrameThatWasBegunIsServedWhenTheTimeIsOver() throws Exception {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient greedy = fixture.client()) {
      fixture.owedMs = 10;
      byte[] begun = SocketClient.heartbeat(2, 1000);
      greedy.send(SocketClient.heartbeat(1));
      greedy.send(begun, 0, 20);
      SocketFixture.await("its memory", () -> fixture.bytesInFlight() >= 1000);
      SocketFixture.next(fixture.heartbeats).reply();
      greedy.receive(1);
      greedy.send(begun, 20, begun.length);
      assertThat(fixture.heartbeats.poll(50, TimeUnit.MILLISECONDS)).isNull();
      SocketFixture.next(fixture.throttled).endThrottling();
      SocketFixture.next(fixture.heartbeats).reply();
      greedy.receive(2);
    }
  }

  @Test
  void aTimeThatEndsAfterTheConnectionHurtsNobody() throws Exception {
    try (SocketFixture fixture = new SocketFixture(c -> c)) {
      fixture.owedMs = 10;
      try (SocketClient gone = fixture.client()) {
        gone.send(SocketClient.heartbeat(1));
        fixture.heartbeats.take().reply();
        gone.receive(1);
      }
      fixture.throttled.take().endThrottling();
      try (SocketClient other = fixture.client()) {
        other.send(SocketClient.versions(7));
        other.receive(7);
      }
    }
  }

  private static int throttleMs(ByteBuffer answer) {
    answer.get();
    return new HeartbeatResponseData(new ByteBufferAccessor(answer), (short) 4).throttleTimeMs();
  }
}
