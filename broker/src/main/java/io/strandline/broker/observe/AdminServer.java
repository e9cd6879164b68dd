package io.strandline.broker.observe;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * The admin HTTP endpoint: {@code /metrics} for Prometheus, {@code /metrics/clients} for what
 * clients tell of themselves, {@code /healthz} and {@code /readyz} for whoever keeps the process
 * running. A health answer is 200 or 503 with a JSON object that names every check.
 *
 * <p>A request may take ten seconds to come, and its answer a minute to be taken; only a few may
 * ask for metrics at a time, so that whoever asks for the health of the node does not stand behind
 * them.
 */
public final class AdminServer implements AutoCloseable {
  /** How many may ask for metrics at a time, each answer being a page of some megabytes. */
  static final int SCRAPES_MAX = 4;

  static {
    // Read once, when Java's server is first used: seconds.
    System.getProperties().putIfAbsent("sun.net.httpserver.maxReqTime", "10");
    System.getProperties().putIfAbsent("sun.net.httpserver.maxRspTime", "60");
  }

  private final HttpServer server;

  private AdminServer(HttpServer server) {
    this.server = server;
  }

  /**
   * Starts to listen.
   *
   * @param address port 0 for one chosen by the kernel
   * @param executor runs the handlers
   * @throws IOException when the address is taken
   */
  public static AdminServer start(
      InetSocketAddress address, Meters meters, Health health, Executor executor)
      throws IOException {
    HttpServer server = HttpServer.create(address, 0);
    server.setExecutor(executor);
    Semaphore scrapes = new Semaphore(SCRAPES_MAX);
    server.createContext(
        "/metrics",
        onlyGet(
            "/metrics", exchange -> tell(exchange, scrapes, () -> Optional.of(meters.scrape()))));
    server.createContext(
        "/metrics/clients",
        onlyGet("/metrics/clients", exchange -> tell(exchange, scrapes, meters::scrapeClients)));
    server.createContext("/healthz", onlyGet("/healthz", checks(health::life)));
    server.createContext("/readyz", onlyGet("/readyz", checks(health::readiness)));
    server.createContext("/", exchange -> answer(exchange, 404, "text/plain", new byte[0]));
    server.start();
    return new AdminServer(server);
  }

  /** The address really bound. */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private static HttpHandler onlyGet(String path, HttpHandler handler) {
    return exchange -> {
      String method = exchange.getRequestMethod();
      if (!exchange.getRequestURI().getPath().equals(path)) {
        answer(exchange, 404, "text/plain", new byte[0]);
      } else if (!method.equals("GET") && !method.equals("HEAD")) {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        answer(exchange, 405, "text/plain", new byte[0]);
      } else {
        handler.handle(exchange);
      }
    };
  }

  private static void tell(
      HttpExchange exchange, Semaphore scrapes, Supplier<Optional<String>> source)
      throws IOException {
    if (!scrapes.tryAcquire()) {
      exchange.getResponseHeaders().set("Retry-After", "1");
      answer(exchange, 503, "text/plain", new byte[0]);
      return;
    }
    try {
      Optional<String> scrape = source.get();
      answer(
          exchange,
          scrape.isPresent() ? 200 : 404,
          "text/plain; version=0.0.4; charset=utf-8",
          scrape.orElse("").getBytes(StandardCharsets.UTF_8));
    } finally {
      scrapes.release();
    }
  }

  private static HttpHandler checks(Supplier<Map<String, Health.Check>> source) {
    return exchange -> {
      Map<String, Health.Check> checks = source.get();
      boolean ok = checks.values().stream().allMatch(Health.Check::ok);
      answer(exchange, ok ? 200 : 503, "application/json", json(ok, checks));
    };
  }

  private static byte[] json(boolean ok, Map<String, Health.Check> checks) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      json.writeStringField("status", ok ? "ok" : "failing");
      json.writeObjectFieldStart("checks");
      for (Map.Entry<String, Health.Check> check : checks.entrySet()) {
        json.writeObjectFieldStart(check.getKey());
        json.writeBooleanField("ok", check.getValue().ok());
        json.writeStringField("detail", check.getValue().detail());
        json.writeEndObject();
      }
      json.writeEndObject();
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  private static void answer(HttpExchange exchange, int status, String type, byte[] body)
      throws IOException {
    try (exchange) {
      exchange.getResponseHeaders().set("Content-Type", type);
      boolean silent = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(status, silent ? -1 : body.length);
      if (!silent) {
        exchange.getResponseBody().write(body);
      }
    }
  }
}
