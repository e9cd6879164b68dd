package io.strandline.tests.security;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.SaslAuthenticateRequestData;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.SaslAuthenticateRequest;
import org.apache.kafka.common.requests.SaslAuthenticateResponse;
import org.apache.kafka.common.requests.SaslHandshakeRequest;
import org.apache.kafka.common.requests.SaslHandshakeResponse;

/** A client that says what the test wants, in the order it wants. */
final class RawClient implements AutoCloseable {
  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private final String clientId;
  private int correlation;

  RawClient(int port) throws IOException {
    this(port, "raw");
  }

  RawClient(int port, String clientId) throws IOException {
    this.clientId = clientId;
    socket = new Socket("127.0.0.1", port);
    socket.setSoTimeout(30_000);
    in = new DataInputStream(socket.getInputStream());
    out = new DataOutputStream(socket.getOutputStream());
  }

  static byte[] plain(String user, String password) {
    return ("\0" + user + "\0" + password).getBytes(StandardCharsets.UTF_8);
  }

  SaslHandshakeResponse handshake(int version, String mechanism) throws IOException {
    return (SaslHandshakeResponse)
        ask(
            new SaslHandshakeRequest(
                new SaslHandshakeRequestData().setMechanism(mechanism), (short) version));
  }

  SaslAuthenticateResponse authenticate(byte[] token) throws IOException {
    return (SaslAuthenticateResponse)
        ask(
            new SaslAuthenticateRequest(
                new SaslAuthenticateRequestData().setAuthBytes(token), (short) 1));
  }

  AbstractResponse versions() throws IOException {
    return ask(
        new ApiVersionsRequest(
            new ApiVersionsRequestData().setClientSoftwareName("raw").setClientSoftwareVersion("1"),
            (short) 3));
  }

  /** Sends a token without a header and gives the answer. */
  byte[] token(byte[] token) throws IOException {
    write(ByteBuffer.wrap(token));
    return read();
  }

  AbstractResponse ask(AbstractRequest request) throws IOException {
    RequestHeader header =
        new RequestHeader(request.apiKey(), request.version(), clientId, correlation++);
    write(request.serializeWithHeader(header));
    return AbstractResponse.parseResponse(ByteBuffer.wrap(read()), header);
  }

  void write(ByteBuffer frame) throws IOException {
    byte[] bytes = new byte[Integer.BYTES + frame.remaining()];
    ByteBuffer whole = ByteBuffer.wrap(bytes);
    whole.putInt(frame.remaining()).put(frame);
    out.write(bytes);
  }

  /** Claims a frame of so many bytes. */
  void claim(int bytes) throws IOException {
    out.writeInt(bytes);
    out.flush();
  }

  private byte[] read() throws IOException {
    byte[] frame = new byte[in.readInt()];
    in.readFully(frame);
    return frame;
  }

  /** Whether the server has closed the connection; waits for something to come. */
  boolean closed() throws IOException {
    try {
      return in.read() < 0;
    } catch (EOFException | SocketException reset) {
      return true;
    }
  }

  static ApiKeys[] early() {
    return new ApiKeys[] {ApiKeys.METADATA, ApiKeys.SASL_AUTHENTICATE, ApiKeys.LIST_GROUPS};
  }

  /** A request of this API, all of it empty. */
  void sendEmpty(ApiKeys api) throws IOException {
    ByteBuffer body = ByteBuffer.allocate(64);
    RequestHeader header = new RequestHeader(api, api.oldestVersion(), clientId, correlation++);
    org.apache.kafka.common.protocol.ObjectSerializationCache cache =
        new org.apache.kafka.common.protocol.ObjectSerializationCache();
    header.data().size(cache, header.headerVersion());
    header.data().write(new ByteBufferAccessor(body), cache, header.headerVersion());
    body.putInt(0);
    write(body.flip());
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
