package io.strandline.tiering.store.s3.receive;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.nio.netty.ProxyConfiguration;

/**
 * Does requests that are signed and have no body, on connections of its own, and gives the answers'
 * bodies to whoever takes them. Tries once, follows no redirect. Threads: any.
 */
public final class ReceivingClient implements AutoCloseable {
  private final Connections connections;
  private final boolean plain;
  private final boolean tls;

  public ReceivingClient(ReceiveConfig config) {
    this.connections = new Connections(config);
    this.plain = !hasProxy("http");
    this.tls = !hasProxy("https");
  }

  /** As the SDK's client finds it: in system properties and in the environment. */
  private static boolean hasProxy(String scheme) {
    return ProxyConfiguration.builder().scheme(scheme).build().host() != null;
  }

  /**
   * @return completes when the receiver was told of the end, in the thread that told it; to be
   *     completed by whoever gives the answer up. Nothing if the request has to go another way: by
   *     a proxy, or because all connections are in use
   */
  public Optional<CompletableFuture<Void>> run(SdkHttpRequest request, Receiver receiver) {
    Endpoint endpoint = Endpoint.of(request);
    if (!(endpoint.tls() ? tls : plain)) {
      return Optional.empty();
    }
    Exchange exchange = new Exchange(request, receiver);
    return connections.run(endpoint, exchange) ? Optional.of(exchange.done()) : Optional.empty();
  }

  @Override
  public void close() {
    connections.close();
  }
}
