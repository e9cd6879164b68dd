package io.strandline.bench.jmh;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.guard.identity.NodeSecurity;
import io.strandline.broker.guard.quota.ConnectionQuotas;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.socket.SocketConfig;
import io.strandline.broker.socket.SocketServer;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * From the socket and back: a Produce is read, cut out, parsed and dispatched to a handler that
 * does nothing, and its answer is written. The client sends several at once and counts their
 * answers; it and loopback are part of the time.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FramePath {
  private static final int AT_ONCE = 16;
  private static final short VERSION = 12;

  /** Length of the batch in each request. */
  @Param({"1024", "65536"})
  public int batchBytes;

  private byte[] frames = new byte[0];
  private @Nullable Open open;

  /** The server and a client of it. */
  private record Open(KafkaMeters meters, SocketServer server, Socket client, DataInputStream in) {}

  @Setup
  public void start() throws IOException {
    ApiTable table =
        ApiTable.builder()
            .add(ApiKeys.PRODUCE, (Handler<ProduceRequest>) request -> nothing())
            .build();
    SocketConfig config =
        SocketConfig.defaults(
            List.of(
                new SocketConfig.Listener(
                    "PLAINTEXT", SecurityProtocol.PLAINTEXT, "127.0.0.1", 0)));
    KafkaMeters meters = new KafkaMeters(System::nanoTime);
    SocketServer server =
        new SocketServer(
            config,
            NodeSecurity.none("PLAINTEXT"),
            new ConnectionQuotas(
                List.of("PLAINTEXT"),
                "PLAINTEXT",
                new ClientQuotaManagerConfig(),
                new Metrics(),
                Time.SYSTEM),
            new Dispatcher(table),
            new SocketServer.Environment(
                new SimpleMeterRegistry(), meters, listener -> Runnable::run, System::nanoTime));
    Map<String, Integer> ports = server.start();
    Socket client =
        new Socket(InetAddress.getLoopbackAddress(), ports.getOrDefault("PLAINTEXT", 0));
    client.setTcpNoDelay(true);
    DataInputStream in = new DataInputStream(new BufferedInputStream(client.getInputStream()));
    open = new Open(meters, server, client, in);
    frames = frames();
  }

  private static CompletableFuture<Reply> nothing() {
    return CompletableFuture.completedFuture(
        Reply.of(new ProduceResponse(new ProduceResponseData())));
  }

  private byte[] frames() {
    PartitionProduceData partition =
        new PartitionProduceData().setIndex(0).setRecords(ClientBatch.of(0, batchBytes));
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    topics.add(new TopicProduceData().setName("bench").setPartitionData(List.of(partition)));
    ProduceRequestData data =
        new ProduceRequestData().setAcks((short) -1).setTimeoutMs(1000).setTopicData(topics);
    ProduceRequest request = new ProduceRequest(data, VERSION);
    ByteBuffer all = ByteBuffer.allocate(AT_ONCE * (batchBytes + 1024));
    for (int n = 0; n < AT_ONCE; n++) {
      ByteBuffer frame =
          request.serializeWithHeader(new RequestHeader(ApiKeys.PRODUCE, VERSION, "bench", n));
      all.putInt(frame.remaining()).put(frame);
    }
    byte[] bytes = new byte[all.flip().remaining()];
    all.get(bytes);
    return bytes;
  }

  @Benchmark
  @OperationsPerInvocation(AT_ONCE)
  public int produce() throws IOException {
    Open to = opened();
    to.client().getOutputStream().write(frames);
    int bytes = 0;
    for (int n = 0; n < AT_ONCE; n++) {
      int length = to.in().readInt();
      to.in().skipNBytes(length);
      bytes += length;
    }
    return bytes;
  }

  @TearDown
  public void stop() throws IOException {
    Open last = opened();
    last.client().close();
    last.server().close();
    last.meters().close();
  }

  private Open opened() {
    Open now = open;
    if (now == null) {
      throw new IllegalStateException("not started");
    }
    return now;
  }
}
