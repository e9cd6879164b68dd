package io.strandline.tests.protocol;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ApiKeys;

/** A plain connection to a listener, from an address of choice. */
final class Knock implements AutoCloseable {
  /** What came of a request. */
  enum Outcome {
    ANSWERED,
    CLOSED,
    WAITS
  }

  private final Socket socket = new Socket();

  Knock(String from, int port) {
    try {
      socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      socket.setTcpNoDelay(true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Asks for the versions that are served, and waits for the answer. */
  Outcome ask(int patienceMs) {
    try {
      ByteBuffer frame = ByteBuffer.allocate(14);
      frame.putInt(10).putShort(ApiKeys.API_VERSIONS.id).putShort((short) 0);
      socket.getOutputStream().write(frame.putInt(7).putShort((short) -1).array());
    } catch (IOException e) {
      return Outcome.CLOSED;
    }
    return await(patienceMs);
  }

  /** Waits for the answer to what was asked before, or for the end. */
  Outcome await(int patienceMs) {
    try {
      socket.setSoTimeout(patienceMs);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      in.readFully(new byte[in.readInt()]);
      return Outcome.ANSWERED;
    } catch (SocketTimeoutException e) {
      return Outcome.WAITS;
    } catch (EOFException | SocketException e) {
      return Outcome.CLOSED;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
