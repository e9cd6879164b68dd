package io.strandline.tests.fault;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * As little of S3 as a probe needs, over HTTP, with one fault: it takes no notice of conditions, so
 * that every writer wins.
 */
final class CarelessS3 implements AutoCloseable {
  private final SortedMap<String, byte[]> objects = new ConcurrentSkipListMap<>();
  private final HttpServer server;

  CarelessS3() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::serve);
    server.start();
  }

  String uri() {
    return "s3://careless/one?checksum=none&endpoint=http://127.0.0.1:"
        + server.getAddress().getPort();
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      String query = String.valueOf(exchange.getRequestURI().getQuery());
      byte[] body = exchange.getRequestBody().readAllBytes();
      switch (exchange.getRequestMethod()) {
        case "PUT" -> {
          objects.put(path, body);
          answer(exchange, 200, new byte[0]);
        }
        case "POST" -> delete(exchange, new String(body, StandardCharsets.UTF_8));
        case "DELETE" -> {
          objects.remove(path);
          answer(exchange, 204, new byte[0]);
        }
        default -> {
          if (query.contains("list-type")) {
            list(exchange, query);
          } else {
            get(exchange, objects.get(path));
          }
        }
      }
    }
  }

  private void delete(HttpExchange exchange, String body) throws IOException {
    objects.keySet().removeIf(path -> body.contains("<Key>" + key(path) + "</Key>"));
    answer(exchange, 200, xml("<DeleteResult/>"));
  }

  private void list(HttpExchange exchange, String query) throws IOException {
    StringBuilder contents = new StringBuilder();
    for (Map.Entry<String, byte[]> object : objects.entrySet()) {
      if (query.contains("prefix=" + key(object.getKey()))) {
        contents
            .append("<Contents><Key>")
            .append(key(object.getKey()))
            .append("</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"e\"</ETag>")
            .append("<Size>" + object.getValue().length + "</Size></Contents>");
      }
    }
    answer(
        exchange,
        200,
        xml("<ListBucketResult><Name>careless</Name>" + contents + "</ListBucketResult>"));
  }

  private static void get(HttpExchange exchange, byte @Nullable [] object) throws IOException {
    if (object == null) {
      answer(exchange, 404, xml("<Error><Code>NoSuchKey</Code></Error>"));
      return;
    }
    String range = exchange.getRequestHeaders().getFirst("Range");
    if (range == null) {
      answer(exchange, 200, object);
      return;
    }
    String[] ends = range.substring("bytes=".length()).split("-", -1);
    int from = Integer.parseInt(ends[0]);
    int to = Math.min(object.length, Integer.parseInt(ends[1]) + 1);
    String told = "bytes " + from + "-" + (to - 1) + "/" + object.length;
    exchange.getResponseHeaders().set("Content-Range", told);
    answer(exchange, 206, Arrays.copyOfRange(object, from, to));
  }

  private static String key(String path) {
    return path.substring("/careless/".length());
  }

  private static byte[] xml(String text) {
    return ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + text).getBytes(StandardCharsets.UTF_8);
  }

  private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.getResponseHeaders().set("ETag", "\"e\"");
    exchange.getResponseHeaders().set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
    boolean head = exchange.getRequestMethod().equals("HEAD");
    if (head) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(body.length));
    }
    exchange.sendResponseHeaders(status, head || body.length == 0 ? -1 : body.length);
    if (!head) {
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
