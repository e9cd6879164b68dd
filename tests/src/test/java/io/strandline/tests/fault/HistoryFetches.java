package io.strandline.tests.fault;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.RequestHeader;

/**
 * Asks for old offsets, one at a time and anywhere, with plain Fetch requests, and counts what came
 * by phase: what a client is told when it is not the client that repeats.
 */
final class HistoryFetches implements AutoCloseable {
  private static final short VERSION = 12; // the last that names topics
  private static final int WAIT_MS = 500;

  private final String bootstrap;
  private final TopicPartition partition;
  private final LongSupplier end;
  private final Supplier<String> phase;
  private final Map<String, Map<String, Integer>> answers = new ConcurrentHashMap<>();
  private final Map<String, Long> longestMs = new ConcurrentHashMap<>();
  private final Thread thread = new Thread(this::run, "history");
  private volatile boolean stopped;

  /**
   * @param end offsets below it are asked for
   */
  HistoryFetches(
      String bootstrap, TopicPartition partition, LongSupplier end, Supplier<String> phase) {
    this.bootstrap = bootstrap;
    this.partition = partition;
    this.end = end;
    this.phase = phase;
    thread.start();
  }

  private void run() {
    Random random = new Random(1);
    while (!stopped) {
      long limit = end.getAsLong();
      String now = phase.get();
      long began = System.nanoTime();
      String came = limit <= 0 ? "nothing to ask" : fetch(random.nextLong(limit));
      long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
      longestMs.merge(now, ms, Math::max);
      answers.computeIfAbsent(now, any -> new ConcurrentHashMap<>()).merge(came, 1, Integer::sum);
      pause();
    }
  }

  private String fetch(long offset) {
    var asked =
        Map.of(
            partition,
            new FetchRequest.PartitionData(Uuid.ZERO_UUID, offset, -1, 64 << 10, Optional.empty()));
    FetchRequest request =
        FetchRequest.Builder.forConsumer(VERSION, WAIT_MS, 1, asked).build(VERSION);
    RequestHeader header = new RequestHeader(request.apiKey(), VERSION, "history", 7);
    String[] address = bootstrap.split(":");
    ByteBuffer bytes = request.serializeWithHeader(header);
    try (Socket socket = new Socket(address[0], Integer.parseInt(address[1]))) {
      socket.setSoTimeout(60_000);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(bytes.remaining());
      out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
      out.flush();
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = in.readNBytes(in.readInt());
      FetchResponse response =
          (FetchResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
      var told = response.data().responses().get(0).partitions().get(0);
      boolean empty = FetchResponse.recordsSize(told) == 0;
      return Errors.forCode(told.errorCode()) + (empty ? " without records" : " with records");
    } catch (IOException e) {
      return e.toString();
    }
  }

  private void pause() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException e) {
      stopped = true;
    }
  }

  /** How often each answer came in the phase. */
  Map<String, Integer> answers(String inPhase) {
    return new TreeMap<>(answers.getOrDefault(inPhase, Map.of()));
  }

  /** A line for people. */
  String told(String inPhase) {
    return answers(inPhase) + ", longest " + longestMs.get(inPhase) + " ms";
  }

  @Override
  public void close() throws InterruptedException {
    stopped = true;
    thread.join();
  }
}
