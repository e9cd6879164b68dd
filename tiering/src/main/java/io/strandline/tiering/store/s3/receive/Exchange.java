package io.strandline.tiering.store.s3.receive;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.http.SdkHttpFullResponse;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;

/**
 * One request and its answer. Its future may be completed by anybody, which ends it; all else
 * happens in the event loop of its connection.
 */
final class Exchange {
  private final AsyncExecuteRequest asked;
  private final CompletableFuture<Void> done = new CompletableFuture<>();
  private volatile @Nullable Connection connection;
  private @Nullable Pieces pieces;
  private boolean failed;

  Exchange(AsyncExecuteRequest asked) {
    this.asked = asked;
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
    SdkHttpRequest request = asked.request();
    HttpHeaders headers = new DefaultHttpHeaders();
    request.forEachHeader((name, values) -> headers.add(name, values));
    if (!headers.contains(HttpHeaderNames.HOST)) {
      headers.set(HttpHeaderNames.HOST, Endpoint.of(request).authority());
    }
    String path = request.encodedPath().isEmpty() ? "/" : request.encodedPath();
    String uri = request.encodedQueryParameters().map(query -> path + "?" + query).orElse(path);
    return new DefaultFullHttpRequest(
        HttpVersion.HTTP_1_1,
        HttpMethod.valueOf(request.method().name().toUpperCase(Locale.ROOT)),
        uri,
        Unpooled.EMPTY_BUFFER,
        headers,
        EmptyHttpHeaders.INSTANCE);
  }

  /** The head of the answer is there; its body comes by {@code body}. */
  void answered(HttpResponse head, Pieces body) {
    pieces = body;
    SdkHttpFullResponse.Builder answer =
        SdkHttpResponse.builder()
            .statusCode(head.status().code())
            .statusText(head.status().reasonPhrase());
    head.headers().forEach(field -> answer.appendHeader(field.getKey(), field.getValue()));
    asked.responseHandler().onHeaders(answer.build());
    asked.responseHandler().onStream(body);
  }

  /** The body was read to its end. */
  void complete() {
    done.complete(null);
  }

  /** Tells everybody once: the reader of the body, the SDK, and whoever waits. */
  void fail(Throwable why) {
    if (failed) {
      return;
    }
    failed = true;
    if (pieces != null) {
      pieces.fail(why);
    }
    asked.responseHandler().onError(why);
    done.completeExceptionally(why);
  }
}
