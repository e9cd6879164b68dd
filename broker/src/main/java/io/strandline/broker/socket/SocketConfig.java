package io.strandline.broker.socket;

import java.util.List;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/**
 * What a {@link SocketServer} listens on and what it lets clients use.
 *
 * @param listeners at least one
 * @param eventLoops threads that read and write ({@code num.network.threads})
 * @param nativeTransport epoll where there is one; else NIO
 * @param backlog of the listening sockets ({@code socket.listen.backlog.size})
 * @param sendBufferBytes of each connection, -1 for the system's ({@code socket.send.buffer.bytes})
 * @param receiveBufferBytes of each connection, -1 for the system's ({@code
 *     socket.receive.buffer.bytes})
 */
public record SocketConfig(
    List<Listener> listeners,
    int eventLoops,
    boolean nativeTransport,
    int backlog,
    int sendBufferBytes,
    int receiveBufferBytes,
    Limits limits) {

  public SocketConfig {
    listeners = List.copyOf(listeners);
    require(!listeners.isEmpty(), "a broker needs a listener");
    require(eventLoops > 0, "eventLoops must be positive");
    require(backlog > 0, "backlog must be positive");
  }

  /** Kafka's defaults for everything but the listeners. */
  public static SocketConfig defaults(List<Listener> listeners) {
    return new SocketConfig(listeners, 3, true, 50, -1, -1, Limits.defaults());
  }

  public SocketConfig with(Limits other) {
    return new SocketConfig(
        listeners,
        eventLoops,
        nativeTransport,
        backlog,
        sendBufferBytes,
        receiveBufferBytes,
        other);
  }

  /**
   * @param name as in {@code listeners}, by which advertised endpoints are found
   * @param host to bind, empty for all interfaces
   * @param port 0 to let the system choose
   */
  public record Listener(String name, SecurityProtocol protocol, String host, int port) {}

  /**
   * Bounds on what clients can make this node hold. Beyond one of them a client waits or loses its
   * connection; others do not notice.
   *
   * @param requestBytesMax longest frame ({@code socket.request.max.bytes})
   * @param bytesInFlightMax of all requests that are being read or served ({@code
   *     queued.max.request.bytes}); at least {@code requestBytesMax}
   * @param requestsPerConnectionMax unanswered requests after which a connection is not read
   * @param unsentBytesMax of answers after which a connection is not read
   * @param answerBytesMax of the heap, of answers to all connections that were not taken yet and of
   *     requests that wait for theirs
   * @param idleMs without a request or an answer ({@code connections.max.idle.ms}); given below 0,
   *     without end
   * @param frameGraceMs time for a frame to arrive, to which a second is added for each 16 KiB
   * @param unsentGraceMs time without progress of an answer
   */
  public record Limits(
      int requestBytesMax,
      long bytesInFlightMax,
      int requestsPerConnectionMax,
      long unsentBytesMax,
      long answerBytesMax,
      long idleMs,
      long frameGraceMs,
      long unsentGraceMs) {

    private static final int ANSWERS_OF_HEAP = 8;

    public Limits {
      require(requestBytesMax > 0, "requestBytesMax must be positive");
      require(
          bytesInFlightMax >= requestBytesMax,
          "bytesInFlightMax must be at least the longest request, " + requestBytesMax);
      require(requestsPerConnectionMax > 0, "requestsPerConnectionMax must be positive");
      require(unsentBytesMax > 0, "unsentBytesMax must be positive");
      idleMs = idleMs < 0 ? Long.MAX_VALUE : idleMs;
      require(idleMs > 0 && frameGraceMs > 0 && unsentGraceMs > 0, "times must be positive");
    }

    public static Limits defaults() {
      return new Limits(
          100 << 20,
          256L << 20,
          64,
          4L << 20,
          Runtime.getRuntime().maxMemory() / ANSWERS_OF_HEAP,
          600_000,
          30_000,
          60_000);
    }
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }
}
