package io.strandline.tests.protocol;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.RequestHeader;

/** A connection that only fetches, and does not wait when it is told to. */
final class RawFetcher implements AutoCloseable {
  private final Socket socket;
  private final RequestHeader header;

  RawFetcher(int port, String clientId) {
    try {
      socket = new Socket("127.0.0.1", port);
      socket.setSoTimeout(60_000);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    header = new RequestHeader(ApiKeys.FETCH, (short) 12, clientId, 1);
  }

  void send(FetchRequest request) {
    try {
      ByteBuffer bytes = request.serializeWithHeader(header);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(bytes.remaining());
      out.write(bytes.array(), bytes.position(), bytes.remaining());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  FetchResponse receive() {
    try {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = in.readNBytes(in.readInt());
      return (FetchResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of records. */
  static int bytes(FetchResponse answer) {
    return answer.data().responses().stream()
        .flatMap(topic -> topic.partitions().stream())
        .mapToInt(FetchResponse::recordsSize)
        .sum();
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
