package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.request.SliceRecords;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.UnalignedFileRecords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class AnswersTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void regionsOfFilesAndSlicesArriveAsTheyAre(boolean nativeTransport) throws Exception {
    byte[] bytes = new byte[3 << 20];
    new Random(5).nextBytes(bytes);
    Path path = Files.write(directory.resolve("log"), bytes);
    try (FileChannel file = FileChannel.open(path);
        SocketFixture fixture = new SocketFixture(c -> FramingTest.transport(c, nativeTransport));
        SocketClient client = fixture.client()) {
      expect(fixture, client, new UnalignedFileRecords(file, 1000, 2 << 20), bytes, 1000);
      ByteBuffer direct = ByteBuffer.allocateDirect(500).put(bytes, 0, 500).flip();
      SliceRecords slices =
          new SliceRecords(
              List.of(
                  direct.asReadOnlyBuffer(),
                  ByteBuffer.wrap(bytes, 500, 1 << 20),
                  ByteBuffer.wrap(bytes, 500 + (1 << 20), 7)),
              () -> false);
      expect(fixture, client, slices, bytes, 0);
      expect(fixture, client, MemoryRecords.EMPTY, bytes, 0);
      assertThat(file.isOpen()).isTrue();
    }
  }

  private static void expect(
      SocketFixture fixture, SocketClient client, BaseRecords records, byte[] bytes, int from)
      throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    fixture.fetched = records;
    fixture.fetchDone = done::countDown;
    client.send(SocketClient.fetch(9));
    var data = new FetchResponseData(new ByteBufferAccessor(body(client)), (short) 12);
    MemoryRecords got = (MemoryRecords) data.responses().get(0).partitions().get(0).records();
    int size = records.sizeInBytes();
    assertThat(got.buffer()).isEqualTo(ByteBuffer.wrap(bytes, from, size));
    assertThat(done.await(20, TimeUnit.SECONDS)).as("the reply was released").isTrue();
  }

  /** The answer behind its header of version 1, which ends with an empty set of tagged fields. */
  private static ByteBuffer body(SocketClient client) {
    ByteBuffer answer = client.receive(9);
    answer.get();
    return answer;
  }

  @Test
  void aFileThatIsTooShortEndsTheConnectionAndReleasesTheReply() throws IOException {
    Path path = Files.write(directory.resolve("short"), new byte[1000]);
    try (FileChannel file = FileChannel.open(path);
        SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient client = fixture.client()) {
      AtomicInteger released = new AtomicInteger();
      fixture.fetched = new UnalignedFileRecords(file, 0, 5000);
      fixture.fetchDone = released::incrementAndGet;
      client.send(SocketClient.fetch(9));
      byte[] unused = drain(client);
      client.close();
      fixture.server.close();
      assertThat(released).hasValue(1);
    }
  }

  private static byte[] drain(SocketClient client) {
    SocketFixture.await("the connection's end", client::closedByServer);
    return new byte[0];
  }

  @Test
  void aConnectionLostWhileItsRequestIsServedReleasesFrameAndReply() {
    try (SocketFixture fixture = new SocketFixture(c -> c)) {
      fixture.parkProduces = true;
      SocketClient client = fixture.client();
      client.send(SocketClient.produce(0, 100_000));
      client.send(SocketClient.heartbeat(1));
      var parked = SocketFixture.next(fixture.produces);
      client.close();
      SocketFixture.await("the connection's end", () -> fixture.server.connections() == 0);
      assertThat(fixture.bytesInFlight()).as("still used by the append").isPositive();
      parked.reply();
    }
  }

  @Test
  void theEndOfAConnectionIsToldOnceByTheNameThatItsRequestsHad() {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient stays = fixture.client()) {
      stays.send(SocketClient.versions(1));
      stays.receive(1);
      SocketFixture.Parked parked;
      try (SocketClient leaves = fixture.client()) {
        leaves.send(SocketClient.heartbeat(7));
        parked = SocketFixture.next(fixture.heartbeats);
      }
      assertThat(SocketFixture.next(fixture.gone))
          .isEqualTo(parked.request().context().connectionId);
      assertThat(SocketFixture.next(fixture.quotasToldGone))
          .isEqualTo(parked.request().context().connectionId);
      assertThat(parked.request().isGone()).as("by the time that others are told").isTrue();
      parked.reply();
      assertThat(fixture.gone).isEmpty();
    }
  }
}
