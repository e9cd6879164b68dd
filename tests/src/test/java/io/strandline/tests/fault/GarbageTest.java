package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What no client sends: each sender loses its connection, with one line in the log, and nobody else
 * notices; memory stays within its budgets.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class GarbageTest {
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));
  private static final int ROUNDS = Integer.getInteger("fault.rounds", 5);
  private static final long DIRECT_BYTES_MAX = 400L << 20;
  private static final long HEAP_BYTES_MAX = 512L << 20;

  /** Those that wait for records as long as they say, and a Produce with acks=0. */
  private static final Set<ApiKeys> MAY_KEEP_SILENT =
      EnumSet.of(ApiKeys.PRODUCE, ApiKeys.FETCH, ApiKeys.SHARE_FETCH, ApiKeys.SHARE_ACKNOWLEDGE);

  private static final int HALF_FRAMES = 20;
  private static final int DEAF = 4;

  @TempDir Path dir;
  private BrokerProcess broker;
  private NumberedWriter writer;
  private TopicPartition partition;
  private final List<Socket> sockets = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    System.out.println("GarbageTest: -Dfault.seed=" + SEED + " -Dfault.rounds=" + ROUNDS);
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    broker = BrokerProcess.start(dir.resolve("broker"), settings);
    partition = Topics.create(broker.bootstrap(), "undisturbed");
    writer = new NumberedWriter(broker.bootstrap(), partition, SEED);
    writer.awaitMore(200);
  }

  @AfterEach
  void stop() throws Exception {
    for (Socket socket : sockets) {
      socket.close();
    }
    writer.close();
    broker.close();
  }

  @Test
  void garbageClosesItsConnectionAndNoOther() throws Exception {
    Map<String, byte[]> garbage = new HashMap<>();
    garbage.put("length of 2 GiB", ByteBuffer.allocate(12).putInt(Integer.MAX_VALUE).array());
    garbage.put("negative length", ByteBuffer.allocate(12).putInt(-1).array());
    garbage.put("length too short", ByteBuffer.allocate(12).putInt(3).array());
    garbage.put("unknown api", request(32_000, 0, 16));
    garbage.put("api of controllers", request(ApiKeys.VOTE.id, 0, 64));
    garbage.put("unknown version", request(ApiKeys.PRODUCE.id, 99, 64));
    garbage.put("negative version", request(ApiKeys.METADATA.id, -1, 64));
    garbage.put("absurd array", absurdArray());
    garbage.put("http", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    for (Map.Entry<String, byte[]> one : garbage.entrySet()) {
      Socket socket = send(one.getValue());
      assertClosed(one.getKey(), socket);
      assertThat(linesAbout(socket)).as("log of " + one.getKey()).hasSize(1);
    }
    Random random = new Random(SEED);
    for (int round = 0; round < 20 * ROUNDS; round++) {
      randomFrame(random, round);
    }
    assertUndisturbed();
  }

  /** A frame of the right length with anything in it: an answer or the end, but no harm. */
  private void randomFrame(Random random, int round) throws IOException {
    ApiKeys[] keys = ApiKeys.values();
    ApiKeys key = keys[random.nextInt(keys.length)];
    int version = random.nextInt(Math.max(1, key.latestVersion() + 1));
    byte[] frame = request(key.id, version, 20 + random.nextInt(200));
    byte[] noise = new byte[frame.length - 12];
    random.nextBytes(noise);
    System.arraycopy(noise, 0, frame, 12, noise.length);
    Socket socket = send(frame);
    if (round % 2 == 0) {
      socket.close();
    } else {
      socket.setSoTimeout(20_000);
      if (!MAY_KEEP_SILENT.contains(key)) {
        answerOrEnd(key, version, socket);
      }
    }
  }

  private static void answerOrEnd(ApiKeys key, int version, Socket socket) throws IOException {
    try {
      int unused = socket.getInputStream().read(); // an answer's first byte, or the end
    } catch (SocketTimeoutException silence) {
      throw new AssertionError("neither an answer nor the end: " + key + " " + version, silence);
    } catch (SocketException reset) {
      assertThat(reset).hasMessageContaining("reset");
    }
  }

  @Test
  void idleAndHalfSentAndUnreadHoldNothingUp() throws Exception {
    for (int i = 0; i < 500; i++) {
      sockets.add(connect());
    }
    for (int i = 0; i < HALF_FRAMES; i++) {
      byte[] half = Arrays.copyOf(request(ApiKeys.PRODUCE.id, 9, 90 << 20), 1 << 16);
      send(half);
    }
    for (int i = 0; i < DEAF; i++) {
      neverReads();
    }
    assertUndisturbed();
    if (ROUNDS > 5) {
      Waiting.until(
          "one line for each frame that never came",
          () -> lines("frame did not arrive in time") == HALF_FRAMES);
      Waiting.until(
          "one line for each client that takes no answers",
          () -> lines("answers are not taken") == DEAF);
    }
    assertThat(broker.admin("/readyz").status()).isEqualTo(200);
  }

  private long lines(String reason) throws IOException {
    return broker.output().lines().filter(line -> line.contains(reason)).count();
  }

  /** Asks for metadata again and again, for as long as it is let, and takes no answer. */
  private void neverReads() throws IOException {
    Socket socket = connect();
    sockets.add(socket);
    byte[] ask = request(ApiKeys.METADATA.id, 1, 18);
    ByteBuffer.wrap(ask).position(12).putShort((short) -1).putInt(-1);
    Thread asking =
        new Thread(
            () -> {
              try {
                while (true) {
                  socket.getOutputStream().write(ask);
                }
              } catch (IOException closedInTheEnd) {
                // By the broker, or by this test.
              }
            },
            "never-reads");
    asking.setDaemon(true);
    asking.start();
  }

  private void assertUndisturbed() throws Exception {
    writer.awaitMore(2_000);
    double direct = broker.metric("jvm_buffer_memory_used_bytes");
    double heap = broker.metric("jvm_memory_used_bytes");
    assertThat(direct).as("direct memory").isPositive().isLessThan(DIRECT_BYTES_MAX);
    assertThat(heap).as("heap and what the JVM needs").isPositive().isLessThan(HEAP_BYTES_MAX);
    writer.finish();
    NumberedReader.verify(broker.bootstrap(), partition, SEED, writer.acknowledged());
    assertThat(broker.output())
        .doesNotContain("request failed unexpectedly")
        .doesNotContain("LEAK")
        .doesNotContain("OutOfMemory");
  }

  private Socket connect() throws IOException {
    String[] address = broker.bootstrap().split(":", 2);
    Socket socket = new Socket();
    socket.connect(new InetSocketAddress(address[0], Integer.parseInt(address[1])), 10_000);
    return socket;
  }

  private Socket send(byte[] bytes) throws IOException {
    Socket socket = connect();
    sockets.add(socket);
    socket.getOutputStream().write(bytes);
    return socket;
  }

  private static void assertClosed(String what, Socket socket) throws IOException {
    socket.setSoTimeout(20_000);
    try {
      assertThat(socket.getInputStream().read()).as("answer to " + what).isEqualTo(-1);
    } catch (SocketException reset) {
      assertThat(reset).hasMessageContaining("reset");
    }
  }

  private List<String> linesAbout(Socket socket) throws IOException {
    String client = "127.0.0.1:" + socket.getLocalPort() + "\"";
    Waiting.until("a line about " + client, () -> broker.output().contains(client));
    return broker.output().lines().filter(line -> line.contains(client)).toList();
  }

  /** A frame with a version-1 header without a client id, and zeroes. */
  private static byte[] request(int api, int version, int bytes) {
    ByteBuffer frame = ByteBuffer.allocate(4 + bytes);
    frame.putInt(bytes).putShort((short) api).putShort((short) version).putInt(1);
    return frame.array();
  }

  /** Metadata about two billion topics, in sixty bytes. */
  private static byte[] absurdArray() {
    byte[] frame = request(ApiKeys.METADATA.id, 1, 60);
    ByteBuffer.wrap(frame).position(12).putShort((short) -1).putInt(Integer.MAX_VALUE);
    return frame;
  }
}
