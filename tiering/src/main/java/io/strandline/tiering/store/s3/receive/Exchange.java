package io.strandline.tiering.store.s3.receive;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.http.SdkHttpRequest;

/**
 * One request and its answer. Its future may be completed by anybody, which ends it; all else
 * happens in the event loop of its connection.
 */
final class Exchange {
  private final SdkHttpRequest asked;
  private final Receiver receiver;
  private final CompletableFuture<Void> done = new CompletableFuture<>();
  private volatile @Nullable Connection connection;

  Exchange(SdkHttpRequest asked, Receiver receiver) {
    this.asked = asked;
    this.receiver = receiver;
    CompletableFuture<Void> unused =
        done.whenComplete(
            (value, thrown) -> {
              Connection used = connection;
              if (thrown != null && used != null) {
                used.abort(this, thrown);
              }
            });
  }

  CompletableFuture<Void> done() {
    return done;
  }

  Receiver receiver() {
    return receiver;
  }

  /**
   * The connection that carries it from now on.
   *
   * @return whether it is still wanted
   */
  boolean on(Connection carrier) {
    connection = carrier;
    return !done.isDone();
  }

  /** What goes over the line; the signature is over the headers, so they go as they are. */
  HttpRequest request() {
    HttpHeaders headers = new DefaultHttpHeaders();
    asked.forEachHeader((name, values) -> headers.add(name, values));
    if (!headers.contains(HttpHeaderNames.HOST)) {
      headers.set(HttpHeaderNames.HOST, Endpoint.of(asked).authority());
    }
    String path = asked.encodedPath().isEmpty() ? "/" : asked.encodedPath();
    String uri = asked.encodedQueryParameters().map(query -> path + "?" + query).orElse(path);
    return new DefaultFullHttpRequest(
        HttpVersion.HTTP_1_1,
        HttpMethod.valueOf(asked.method().name().toUpperCase(Locale.ROOT)),
        uri,
        Unpooled.EMPTY_BUFFER,
        headers,
        EmptyHttpHeaders.INSTANCE);
  }

  void complete() {
    done.complete(null);
  }

  void fail(Throwable why) {
    done.completeExceptionally(why);
  }
}
