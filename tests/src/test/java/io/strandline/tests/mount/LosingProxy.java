package io.strandline.tests.mount;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * Stands between Kafka's clients and a broker. When it is told to, it lets the next request of a
 * kind through, and closes the connection in the place of the answer, or keeps that back.
 */
final class LosingProxy extends StandIn {
  private final AtomicReference<ApiKeys> lost = new AtomicReference<>();
  private final AtomicReference<Held> held = new AtomicReference<>();

  LosingProxy() throws IOException {}

  /**
   * Begins to serve.
   *
   * @param broker {@code host:port}
   */
  void to(String broker) {
    serve("127.0.0.1", Integer.parseInt(broker.substring(broker.lastIndexOf(':') + 1)));
  }

  void loseAnswerTo(ApiKeys request) {
    lost.set(request);
  }

  /**
   * Keeps the answer to the next request of the kind back.
   *
   * @return says when it is here, and is told when it may go on
   */
  Held holdAnswerTo(ApiKeys request) {
    Held answer = new Held(request, new CountDownLatch(1), new CountDownLatch(1));
    held.set(answer);
    return answer;
  }

  /**
   * An answer on its way.
   *
   * @param here counted down when it is
   * @param onward counted down when it may go on
   */
  record Held(ApiKeys request, CountDownLatch here, CountDownLatch onward) {}

  /** Whether nothing is to be lost any more. */
  boolean hasLost() {
    return lost.get() == null;
  }

  @Override
  void connected(Socket client, Socket broker) {
    thread(() -> pass(client, broker));
  }

  /** One request at a time, so that an answer is the one to the request before it. */
  private void pass(Socket client, Socket broker) {
    try (client;
        broker) {
      DataInputStream requests = new DataInputStream(client.getInputStream());
      DataOutputStream answered = new DataOutputStream(client.getOutputStream());
      DataInputStream answers = new DataInputStream(broker.getInputStream());
      DataOutputStream asked = new DataOutputStream(broker.getOutputStream());
      while (true) {
        byte[] request = pass(requests, asked);
        byte[] answer = answers.readNBytes(answers.readInt());
        ApiKeys key = ApiKeys.forId(ByteBuffer.wrap(request).getShort());
        if (lost.compareAndSet(key, null)) {
          return;
        }
        Held now = held.get();
        if (now != null && now.request == key && held.compareAndSet(now, null)) {
          now.here.countDown();
          now.onward.await();
        }
        write(answered, answer);
      }
    } catch (IOException | InterruptedException e) {
      // As connections end.
    }
  }

  private static byte[] pass(DataInputStream from, DataOutputStream to) throws IOException {
    byte[] frame = from.readNBytes(from.readInt());
    write(to, frame);
    return frame;
  }

  private static void write(DataOutputStream to, byte[] frame) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(Integer.BYTES + frame.length);
    to.write(all.putInt(frame.length).put(frame).array());
  }
}
