package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.record.internal.MemoryRecords;
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

  /** The next answer on its connection would be taken for its own. */
  @Test
  void oneThatCannotBeChargedEndsItsConnectionAndKeepsNothing() throws Exception {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient client = fixture.client()) {
      CountDownLatch done = new CountDownLatch(1);
      fixture.fetched = MemoryRecords.EMPTY;
      fixture.fetchDone = done::countDown;
      fixture.refusesToCharge = true;
      client.send(SocketClient.fetch(1));
      assertThat(client.closedByServer()).isTrue();
      assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
      fixture.refusesToCharge = false;
      try (SocketClient other = fixture.client()) {
        other.send(SocketClient.versions(2));
        other.receive(2);
      }
    }
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
