package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What clients are charged for their requests, and what becomes of one that cannot be charged. */
@Timeout(60)
class ChargedRequestTest {
  @Test
  void whatWaitsToBeVerifiedIsChargedForItsHandlerAlone() throws Exception {
    assertThat(chargedForItsWait("transaction")).isFalse();
  }

  @Test
  void whatOtherThreadsAppendIsChargedUntilAllIsWritten() throws Exception {
    assertThat(chargedForItsWait(null)).isTrue();
  }

  /** Whether a Produce is charged for the time between its handler's return and its answer. */
  private static boolean chargedForItsWait(@Nullable String transactionalId) throws Exception {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient client = fixture.client()) {
      fixture.parkProduces = true;
      long before = System.nanoTime();
      client.send(SocketClient.produce(1, 10, transactionalId));
      SocketFixture.Parked first = fixture.produces.take();
      client.send(SocketClient.produce(2, 10, transactionalId));
      SocketFixture.Parked second = fixture.produces.take(); // the first's handler has returned
      long handled = System.nanoTime();
      SocketFixture.await(
          "more than the handler took", () -> System.nanoTime() - handled > handled - before);
      first.reply();
      client.receive(1);
      long charged = SocketFixture.next(fixture.charged).workNanos();
      second.reply();
      client.receive(2);
      return charged > handled - before;
    }
  }
}
