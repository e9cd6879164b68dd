package io.strandline.bench.contender;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.requests.RequestHeader;

/** Asks a broker, over a plain socket and without a client's back-off, whether it serves. */
final class ReadyProbe {
  private static final short VERSION = 12;
  private static final int PATIENCE_MILLIS = 5_000;

  private ReadyProbe() {}

  /** Whether the broker answers and counts itself among the living. */
  static boolean answers(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      RequestHeader header = new RequestHeader(ApiKeys.METADATA, VERSION, "bench", 1);
      ByteBuffer request =
          MetadataRequest.Builder.allTopics().build(VERSION).serializeWithHeader(header);
      ByteBuffer frame = ByteBuffer.allocate(Integer.BYTES + request.remaining());
      frame.putInt(request.remaining()).put(request);
      socket.getOutputStream().write(frame.array());
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = in.readNBytes(in.readInt());
      MetadataResponse response =
          (MetadataResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
      return !response.brokers().isEmpty();
    } catch (IOException notYet) {
      return false;
    }
  }
}
