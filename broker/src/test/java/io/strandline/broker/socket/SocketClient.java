package io.strandline.broker.socket;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.HeartbeatRequest;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** A client that may send anything. */
final class SocketClient implements AutoCloseable {
  private final Socket socket;
  private final DataInputStream in;

  SocketClient(int port) {
    this(port, 0);
  }

  /**
   * @param receiveBytes of the system's buffer; 0 as it likes
   */
  SocketClient(int port, int receiveBytes) {
    try {
      socket = new Socket();
      if (receiveBytes > 0) {
        socket.setReceiveBufferSize(receiveBytes);
      }
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      socket.setSoTimeout(20_000);
      socket.setTcpNoDelay(true);
      in = new DataInputStream(socket.getInputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] frame(AbstractRequest request, int correlation) {
    ByteBuffer body =
        request.serializeWithHeader(
            new RequestHeader(request.apiKey(), request.version(), "test", correlation));
    return ByteBuffer.allocate(4 + body.remaining()).putInt(body.remaining()).put(body).array();
  }

  static byte[] versions(int correlation) {
    return frame(
        new ApiVersionsRequest(
            new ApiVersionsRequestData()
                .setClientSoftwareName("test")
                .setClientSoftwareVersion("1"),
            (short) 4),
        correlation);
  }

  static byte[] heartbeat(int correlation) {
    return heartbeat(correlation, 1);
  }

  static byte[] heartbeat(int correlation, int idBytes) {
    return frame(
        new HeartbeatRequest.Builder(
                new HeartbeatRequestData()
                    .setGroupId("g")
                    .setMemberId("m".repeat(idBytes))
                    .setGenerationId(1))
            .build((short) 4),
        correlation);
  }

  static byte[] produce(int correlation, int valueBytes) {
    return produce(correlation, valueBytes, null);
  }

  static byte[] produce(int correlation, int valueBytes, @Nullable String transactionalId) {
    MemoryRecords records =
        MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(new byte[valueBytes]));
    ProduceRequestData data =
        new ProduceRequestData()
            .setAcks((short) 1)
            .setTimeoutMs(1000)
            .setTransactionalId(transactionalId);
    data.topicData()
        .add(
            new ProduceRequestData.TopicProduceData()
                .setName("t")
                .setPartitionData(
                    java.util.List.of(
                        new ProduceRequestData.PartitionProduceData().setRecords(records))));
    return frame(new ProduceRequest(data, (short) 12), correlation);
  }

  static byte[] fetch(int correlation) {
    return frame(new FetchRequest(new FetchRequestData(), (short) 12), correlation);
  }

  void send(byte[] bytes) {
    send(bytes, 0, bytes.length);
  }

  void send(byte[] bytes, int from, int to) {
    try {
      socket.getOutputStream().write(bytes, from, to - from);
      socket.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next answer without its length; position behind the correlation id, which is checked. */
  ByteBuffer receive(int correlation) {
    try {
      byte[] frame = new byte[in.readInt()];
      in.readFully(frame);
      ByteBuffer answer = ByteBuffer.wrap(frame);
      int found = answer.getInt();
      if (found != correlation) {
        throw new AssertionError("answer to " + found + " where " + correlation + " was due");
      }
      return answer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** So many bytes of whatever comes. */
  byte[] take(int bytes) {
    try {
      return in.readNBytes(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether the server ends the connection within the socket's time. */
  boolean closedByServer() {
    try {
      in.readByte();
      return false;
    } catch (EOFException | SocketException closed) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    Utils.closeQuietly(socket, "socket");
  }

  /** Sends the body of a request of an API and version of choice. */
  static byte[] garbage(int api, int version, int correlation) {
    return ByteBuffer.allocate(4 + 2 + 2 + 4 + 2)
        .putInt(10)
        .putShort((short) api)
        .putShort((short) version)
        .putInt(correlation)
        .putShort((short) -1)
        .array();
  }

  static final short API_VERSIONS = ApiKeys.API_VERSIONS.id;
}
