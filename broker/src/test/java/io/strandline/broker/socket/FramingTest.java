package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FramingTest {

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFrameMayBeTornAnywhere(boolean nativeTransport) {
    try (SocketFixture fixture = new SocketFixture(c -> transport(c, nativeTransport));
        SocketClient client = fixture.client()) {
      byte[] frame = SocketClient.versions(0);
      for (int at = 1; at < frame.length; at++) {
        byte[] next = SocketClient.versions(at);
        client.send(next, 0, at);
        client.send(next, at, next.length);
        client.receive(at);
      }
    }
  }

  @Test
  void aFrameMayComeByteByByte() {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient client = fixture.client()) {
      byte[] frame = SocketClient.produce(7, 300);
      for (int i = 0; i < frame.length; i++) {
        client.send(frame, i, i + 1);
      }
      client.receive(7);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "true, 100",
    "true, 5000",
    "true, 70000",
    "true, 1000000",
    "true, 9000000",
    "false, 3000000"
  })
  void aProduceOfAnySizeStaysInTheNetworkBuffer(boolean nativeTransport, int bytes) {
    try (SocketFixture fixture = new SocketFixture(c -> transport(c, nativeTransport));
        SocketClient client = fixture.client()) {
      for (int i = 0; i < 5; i++) {
        client.send(SocketClient.produce(i, bytes));
        client.receive(i);
        assertThat(SocketFixture.next(fixture.direct)).isTrue();
      }
    }
  }

  @Test
  void manyFramesInOneWriteAreAnsweredInOrder() {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient client = fixture.client()) {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      Random random = new Random(11);
      for (int i = 0; i < 2000; i++) {
        all.writeBytes(
            random.nextBoolean()
                ? SocketClient.versions(i)
                : SocketClient.produce(i, random.nextInt(20_000)));
      }
      Thread sender = new Thread(() -> client.send(all.toByteArray()));
      sender.start();
      for (int i = 0; i < 2000; i++) {
        client.receive(i);
      }
    }
  }

  @Test
  void producesArePipelinedAndAnsweredInTheOrderTheyCame() {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient client = fixture.client()) {
      fixture.parkProduces = true;
      for (int i = 0; i < 3; i++) {
        client.send(SocketClient.produce(i, 10));
      }
      var first = SocketFixture.next(fixture.produces);
      var second = SocketFixture.next(fixture.produces);
      var third = SocketFixture.next(fixture.produces);
      third.reply();
      second.reply();
      first.reply();
      for (int i = 0; i < 3; i++) {
        client.receive(i);
      }
    }
  }

  @Test
  void anyOtherRequestWaitsForTheAnswerBeforeIt() {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient client = fixture.client()) {
      client.send(SocketClient.heartbeat(0));
      client.send(SocketClient.heartbeat(1));
      client.send(SocketClient.produce(2, 10));
      var first = SocketFixture.next(fixture.heartbeats);
      try (SocketClient other = fixture.client()) {
        other.send(SocketClient.versions(0));
        other.receive(0); // others are served meanwhile
      }
      assertThat(fixture.heartbeats).isEmpty();
      first.reply();
      client.receive(0);
      assertThat(fixture.produces).isEmpty();
      SocketFixture.next(fixture.heartbeats).reply();
      client.receive(1);
      client.receive(2);
    }
  }

  @Test
  void anUnknownVersionOfApiVersionsIsAnsweredInVersion0() {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient client = fixture.client()) {
      byte[] frame = SocketClient.versions(3);
      ByteBuffer.wrap(frame).putShort(6, (short) 77);
      client.send(frame);
      ByteBuffer answer = client.receive(3);
      var data = new ApiVersionsResponseData(new ByteBufferAccessor(answer), (short) 0);
      assertThat(data.errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
      assertThat(data.apiKeys().find(SocketClient.API_VERSIONS).maxVersion()).isEqualTo((short) 4);
      client.send(SocketClient.versions(4)); // and goes on
      client.receive(4);
    }
  }

  @Test
  void aRealClientLearnsWhatIsServed() throws Exception {
    try (SocketFixture fixture = new SocketFixture(c -> c)) {
      Properties config = new Properties();
      config.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:" + fixture.port);
      try (Admin admin = Admin.create(config)) {
        assertThat(admin.describeCluster().nodes())
            .failsWithin(20, TimeUnit.SECONDS)
            .withThrowableOfType(ExecutionException.class)
            .withCauseInstanceOf(UnsupportedVersionException.class);
      }
    }
  }

  static SocketConfig transport(SocketConfig c, boolean nativeTransport) {
    return new SocketConfig(c.listeners(), 2, nativeTransport, c.backlog(), -1, -1, c.limits());
  }
}
