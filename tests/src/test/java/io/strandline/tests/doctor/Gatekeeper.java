package io.strandline.tests.doctor;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;

/**
 * Stands before an S3 server that lets everybody do everything, and does not: refuses what a policy
 * would, does not know a key pair, or loses conditions on the way.
 */
final class Gatekeeper implements AutoCloseable {
  /** What is wrong. */
  enum Fault {
    NONE,
    SIGNATURE,
    NO_PUT,
    NO_GET,
    NO_LIST,
    NO_DELETE,
    NO_ABORT,
    NO_VERSIONS,
    NO_VERSION_DELETE,
    NO_CONDITIONS
  }

  private static final Set<String> HOP =
      Set.of("connection", "content-length", "host", "expect", "transfer-encoding", "upgrade");

  private static final Pattern LISTS = Pattern.compile("list-type|uploads|versions");

  private final HttpServer server;
  private final HttpClient client = HttpClient.newHttpClient();
  private final String target;
  private volatile Fault fault = Fault.NONE;

  Gatekeeper(String target) throws IOException {
    this.target = target;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", this::serve);
    server.start();
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  void fails(Fault how) {
    fault = how;
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      if (fault == Fault.SIGNATURE) {
        refuse(exchange, "SignatureDoesNotMatch");
      } else if (refused(exchange)) {
        refuse(exchange, "AccessDenied");
      } else if (fault == Fault.NO_VERSION_DELETE && asText(body).contains("<VersionId>")) {
        answer(
            exchange, 200, "<DeleteResult><Error><Code>AccessDenied</Code></Error></DeleteResult>");
      } else {
        forward(exchange, body);
      }
    }
  }

  private static String asText(byte[] body) {
    return new String(body, StandardCharsets.UTF_8);
  }

  private boolean refused(HttpExchange exchange) {
    String method = exchange.getRequestMethod();
    String query = String.valueOf(exchange.getRequestURI().getRawQuery());
    boolean upload = query.contains("uploadId");
    return switch (fault) {
      case NO_PUT -> method.equals("PUT") || (method.equals("POST") && query.contains("uploads"));
      case NO_GET -> method.equals("GET") && !LISTS.matcher(query).find();
      case NO_LIST -> query.contains("list-type");
      case NO_DELETE -> method.equals("DELETE") && !upload;
      case NO_VERSIONS -> query.contains("versions");
      case NO_ABORT -> method.equals("DELETE") && upload;
      default -> false;
    };
  }

  private static void refuse(HttpExchange exchange, String code) throws IOException {
    answer(exchange, 403, "<Error><Code>" + code + "</Code></Error>");
  }

  private static void answer(HttpExchange exchange, int status, String xml) throws IOException {
    byte[] answer =
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + xml).getBytes(StandardCharsets.UTF_8);
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, head ? -1 : answer.length);
    if (!head) {
      exchange.getResponseBody().write(answer);
    }
  }

  private void forward(HttpExchange exchange, byte[] body) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(target + exchange.getRequestURI()))
            .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body));
    for (Map.Entry<String, List<String>> header : exchange.getRequestHeaders().entrySet()) {
      String name = header.getKey().toLowerCase(Locale.ROOT);
      boolean lost = fault == Fault.NO_CONDITIONS && name.startsWith("if-");
      if (!HOP.contains(name) && !lost) {
        header.getValue().forEach(value -> request.header(name, value));
      }
    }
    HttpResponse<byte[]> answer;
    try {
      answer = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
    answer
        .headers()
        .map()
        .forEach(
            (name, values) -> {
              if (!HOP.contains(name) && !name.startsWith(":")) {
                exchange.getResponseHeaders().put(name, values);
              }
            });
    boolean silent = exchange.getRequestMethod().equals("HEAD") || answer.body().length == 0;
    if (exchange.getRequestMethod().equals("HEAD")) {
      answer
          .headers()
          .firstValue("content-length")
          .ifPresent(length -> exchange.getResponseHeaders().set("Content-Length", length));
    }
    exchange.sendResponseHeaders(answer.statusCode(), silent ? -1 : answer.body().length);
    if (!silent) {
      exchange.getResponseBody().write(answer.body());
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
