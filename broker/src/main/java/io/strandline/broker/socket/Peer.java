package io.strandline.broker.socket;

import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Request;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.KafkaPrincipalSerde;
import org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder;

/**
 * Who is at the other end of a connection, and the reading of its requests in that light. On the
 * connection's event loop.
 */
final class Peer {
  private static final DefaultKafkaPrincipalBuilder PRINCIPALS =
      new DefaultKafkaPrincipalBuilder(null, null);

  private final SocketConfig.Listener listener;
  private final ListenerName listenerName;
  private final InetSocketAddress address;
  private final String connectionId;
  private final InetSocketAddress local;
  private ClientInformation client = ClientInformation.EMPTY;
  private KafkaPrincipal principal = KafkaPrincipal.ANONYMOUS;
  private KafkaPrincipalSerde serde = PRINCIPALS;

  Peer(SocketConfig.Listener listener, InetSocketAddress local, InetSocketAddress address, long n) {
    this.listener = listener;
    this.listenerName = new ListenerName(listener.name());
    this.local = local;
    this.address = address;
    this.connectionId = endpoint(local) + "-" + endpoint(address) + "-" + n;
  }

  private static String endpoint(InetSocketAddress address) {
    return address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  /** For logs: address and port. */
  String name() {
    return endpoint(address);
  }

  /** As requests name it. */
  String connectionId() {
    return connectionId;
  }

  String listener() {
    return listener.name();
  }

  InetAddress address() {
    return address.getAddress();
  }

  InetAddress localAddress() {
    return local.getAddress();
  }

  /**
   * From now on requests are this principal's.
   *
   * @param writer writes it for the controller
   */
  void identify(KafkaPrincipal who, KafkaPrincipalSerde writer) {
    principal = who;
    serde = writer;
  }

  /**
   * Reads header and body. Fails with {@link InvalidRequestException} for what is no request, or
   * one that is not served here; ApiVersions alone is let through in unknown versions (KIP-511).
   */
  Request<?> parse(ByteBuffer frame, ApiTable table, long receivedNanos, Runnable release) {
    ByteBuffer whole = frame.duplicate();
    RequestHeader header = RequestHeader.parse(frame);
    boolean versionsAsked = header.apiKey() == ApiKeys.API_VERSIONS;
    if (!table.serves(header.apiKey(), header.apiVersion())
        && !(versionsAsked && !header.isApiVersionSupported())) {
      throw new InvalidRequestException(
          header.apiKey() + " version " + header.apiVersion() + " is not served");
    }
    RequestContext context = context(header);
    AbstractRequest body = context.parseRequest(frame).request;
    if (versionsAsked) {
      remember((ApiVersionsRequest) body);
    }
    return new Request<>(context, body, whole, receivedNanos, release);
  }

  private RequestContext context(RequestHeader header) {
    return new RequestContext(
        header,
        connectionId,
        address.getAddress(),
        Optional.of(address.getPort()),
        principal,
        listenerName,
        listener.protocol(),
        client,
        false,
        Optional.of(serde));
  }

  private void remember(ApiVersionsRequest request) {
    if (!request.hasUnsupportedRequestVersion() && request.version() >= 3 && request.isValid()) {
      client =
          new ClientInformation(
              request.data().clientSoftwareName(), request.data().clientSoftwareVersion());
    }
  }
}
