package io.strandline.tests.limits;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestHeader;

/** A connection that keeps to no rules: sends any bytes, and reads when it likes. */
final class Stranger implements AutoCloseable {
  private final SocketChannel channel;
  private int correlation;

  Stranger(String bootstrap) throws IOException {
    String[] parts = bootstrap.split(":", 2);
    channel = SocketChannel.open();
    channel.setOption(StandardSocketOptions.SO_RCVBUF, 16 << 10);
    channel.connect(new InetSocketAddress(parts[0], Integer.parseInt(parts[1])));
  }

  /** Header, body and the length before them. */
  static ByteBuffer frame(AbstractRequest request, int correlation) {
    ByteBuffer body =
        request.serializeWithHeader(
            new RequestHeader(request.apiKey(), request.version(), "stranger", correlation));
    ByteBuffer frame = ByteBuffer.allocate(Integer.BYTES + body.remaining());
    return frame.putInt(body.remaining()).put(body).flip();
  }

  /** Sends, waiting as long as the broker does not read. */
  void send(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Sends what the broker takes at once; false if that was not all, or the connection is gone. */
  boolean offer(ByteBuffer bytes) throws IOException {
    channel.configureBlocking(false);
    try {
      channel.write(bytes);
      return !bytes.hasRemaining();
    } catch (IOException gone) {
      return false;
    }
  }

  /** Asks and reads the answer. */
  AbstractResponse ask(AbstractRequest request) throws IOException {
    int id = correlation++;
    send(frame(request, id));
    int length = read(Integer.BYTES).getInt();
    return AbstractResponse.parseResponse(
        read(length), new RequestHeader(request.apiKey(), request.version(), "stranger", id));
  }

  /** Reads so many bytes. */
  ByteBuffer read(int bytes) throws IOException {
    ByteBuffer in = ByteBuffer.allocate(bytes);
    while (in.hasRemaining()) {
      if (channel.read(in) < 0) {
        throw new IOException("closed by the broker");
      }
    }
    return in.flip();
  }

  /** Takes a few bytes of what has come, if anything has. */
  void sip() throws IOException {
    channel.configureBlocking(false);
    channel.read(ByteBuffer.allocate(100));
  }

  /** Waits until the broker has closed the connection; what it says before is passed over. */
  void awaitClosed() throws IOException {
    ByteBuffer in = ByteBuffer.allocate(64 << 10);
    try {
      while (channel.read(in) >= 0) {
        in.clear();
      }
    } catch (java.net.SocketException reset) {
      // as good an end as any
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
