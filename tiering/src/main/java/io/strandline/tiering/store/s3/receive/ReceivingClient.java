package io.strandline.tiering.store.s3.receive;

import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.ProxyConfiguration;
import software.amazon.awssdk.utils.AttributeMap;

/**
 * Does ranged GETs on connections of its own; all else, and what finds no free connection, goes to
 * another client. Signatures, retries, errors and the clock stay the SDK's affair.
 *
 * <p>The pieces of a successful answer are valid only until {@code onNext} returns: their memory is
 * then used again. So it serves only subscribers that copy at once, as the S3 store's do.
 */
public final class ReceivingClient implements SdkAsyncHttpClient {
  private final SdkAsyncHttpClient other;
  private final Connections connections;
  private final boolean plain;
  private final boolean tls;

  ReceivingClient(SdkAsyncHttpClient other, Connections connections) {
    this.other = other;
    this.connections = connections;
    this.plain = !hasProxy("http");
    this.tls = !hasProxy("https");
  }

  /** Makes clients around those that another builder makes. */
  public static SdkAsyncHttpClient.Builder<?> around(
      SdkAsyncHttpClient.Builder<?> other, ReceiveConfig config) {
    return new Builder(other, config);
  }

  private record Builder(SdkAsyncHttpClient.Builder<?> other, ReceiveConfig config)
      implements SdkAsyncHttpClient.Builder<Builder> {
    @Override
    public SdkAsyncHttpClient buildWithDefaults(AttributeMap defaults) {
      return new ReceivingClient(other.buildWithDefaults(defaults), new Connections(config));
    }
  }

  /** As the SDK's client finds it: in system properties and in the environment. */
  private static boolean hasProxy(String scheme) {
    return ProxyConfiguration.builder().scheme(scheme).build().host() != null;
  }

  @Override
  public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
    if (!isOurs(request)) {
      return other.execute(request);
    }
    Exchange exchange = new Exchange(request);
    return connections.run(Endpoint.of(request.request()), exchange)
        ? exchange.done()
        : other.execute(request);
  }

  private boolean isOurs(AsyncExecuteRequest asked) {
    SdkHttpRequest request = asked.request();
    boolean https = request.protocol().equalsIgnoreCase("https");
    return request.method() == SdkHttpMethod.GET
        && request.firstMatchingHeader("Range").isPresent()
        && request.firstMatchingHeader("Expect").isEmpty()
        && asked.requestContentPublisher().contentLength().orElse(0L) == 0
        && !asked.fullDuplex()
        && (https ? tls : plain);
  }

  @Override
  public String clientName() {
    return other.clientName();
  }

  @Override
  public void close() {
    connections.close();
    other.close();
  }
}
