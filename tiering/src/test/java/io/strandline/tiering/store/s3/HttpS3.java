package io.strandline.tiering.store.s3;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * As much of S3 as the tier needs, in memory, over HTTP; or, instead, the same answer to
 * everything. Checks no signature, and the time that was signed only if told to.
 */
public final class HttpS3 implements AutoCloseable {
  private static final String BUCKET = "/bucket/";
  private static final DateTimeFormatter SIGNED_AT =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssX").withZone(ZoneOffset.UTC);

  /**
   * An answer instead of the true one.
   *
   * @param announcedBytes the length that its head tells
   */
  public record Answer(int status, Map<String, String> headers, byte[] body, long announcedBytes) {
    /** S3's own way to tell what is wrong. */
    public static Answer error(int status, String code) {
      return whole(
          status,
          "application/xml",
          "<Error><Code>" + code + "</Code><Message>m</Message></Error>");
    }

    /** What a proxy, a balancer or a portal before the store says. */
    public static Answer page(int status) {
      return whole(status, "text/html", "<html><body><h1>Sorry</h1></body></html>");
    }

    /** A document of S3's. */
    public static Answer xml(int status, String text) {
      return whole(status, "application/xml", text);
    }

    private static Answer whole(int status, String type, String text) {
      byte[] body = text.getBytes(UTF_8);
      return new Answer(status, Map.of("Content-Type", type), body, body.length);
    }

    /** An object's bytes of which fewer come than the head tells. */
    public static Answer object(int status, int announcedBytes, int sentBytes) {
      return new Answer(status, Map.of("ETag", "\"e\""), new byte[sentBytes], announcedBytes);
    }

    /** The connection ends without a word. */
    public static Answer hangUp() {
      return new Answer(0, Map.of(), new byte[0], 0);
    }

    /** The connection stays, and no word comes. */
    public static Answer silence() {
      return new Answer(-1, Map.of(), new byte[0], 0);
    }
  }

  /** Which answer is given instead of the true one. */
  public interface Script {
    /** Null for the truth. */
    @Nullable Answer to(String method, String query);
  }

  private final SortedMap<String, byte[]> objects = new TreeMap<>();
  private final Map<String, Integer> versions = new HashMap<>();
  private final List<Map<String, String>> recorded = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicInteger requests = new AtomicInteger();
  private final HttpServer server;
  private volatile Script instead = (method, query) -> null;
  private volatile boolean punctual;
  private volatile long lateMs;

  public HttpS3() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::serve);
    server.setExecutor(threads);
    server.start();
  }

  public String uri() {
    return "s3://bucket/p?checksum=none&endpoint=http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** From now on, to everything; null for the truth. */
  public void answer(@Nullable Answer always) {
    instead = (method, query) -> always;
  }

  /** From now on, to each request its own. */
  public void answers(Script script) {
    instead = script;
  }

  /** From now on what was signed more than a quarter of an hour off our time is refused. */
  public void punctual() {
    punctual = true;
  }

  /** From now on ranged GETs are answered so much later. */
  public void late(long ms) {
    lateMs = ms;
  }

  /** How many came so far. */
  public int requests() {
    return requests.get();
  }

  /** The headers of each request so far, by names in small letters, with {@code method}. */
  public List<Map<String, String>> recorded() {
    synchronized (recorded) {
      return List.copyOf(recorded);
    }
  }

  private void serve(HttpExchange exchange) throws IOException {
    requests.incrementAndGet();
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      record(exchange);
      Answer told =
          instead.to(
              exchange.getRequestMethod(), String.valueOf(exchange.getRequestURI().getQuery()));
      if (told == null) {
        told =
            punctual && skewed(exchange)
                ? Answer.error(403, "RequestTimeTooSkewed")
                : truth(exchange, body);
      }
      if (lateMs > 0 && exchange.getRequestHeaders().containsKey("Range")) {
        Thread.sleep(lateMs);
      }
      if (told.status > 0) {
        send(exchange, told);
      } else if (told.status < 0) {
        Thread.sleep(60_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean skewed(HttpExchange exchange) {
    Instant signed =
        SIGNED_AT.parse(exchange.getRequestHeaders().getFirst("X-Amz-Date"), Instant::from);
    return Duration.between(signed, Instant.now()).abs().toMinutes() >= 15;
  }

  private void record(HttpExchange exchange) {
    Map<String, String> headers = new HashMap<>();
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> headers.put(name.toLowerCase(java.util.Locale.ROOT), values.get(0)));
    headers.put("method", exchange.getRequestMethod());
    headers.put("query", String.valueOf(exchange.getRequestURI().getQuery()));
    synchronized (recorded) {
      recorded.add(headers);
    }
  }

  private static void send(HttpExchange exchange, Answer told) throws IOException {
    told.headers.forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
    exchange
        .getResponseHeaders()
        .putIfAbsent("Last-Modified", List.of("Thu, 01 Jan 2026 00:00:00 GMT"));
    boolean head = exchange.getRequestMethod().equals("HEAD");
    if (head) {
      exchange.getResponseHeaders().set("Content-Length", Long.toString(told.announcedBytes));
    }
    exchange.sendResponseHeaders(
        told.status, head || told.announcedBytes == 0 ? -1 : told.announcedBytes);
    if (!head) {
      OutputStream out = exchange.getResponseBody();
      out.write(told.body);
      out.flush();
    }
  }

  private synchronized Answer truth(HttpExchange exchange, byte[] body) {
    String path = exchange.getRequestURI().getPath();
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    return switch (exchange.getRequestMethod()) {
      case "PUT" -> put(path, body, exchange);
      case "POST" -> {
        objects
            .keySet()
            .removeIf(o -> new String(body, UTF_8).contains("<Key>" + key(o) + "</Key>"));
        yield Answer.whole(200, "application/xml", "<DeleteResult/>");
      }
      case "DELETE" -> {
        objects.remove(path);
        yield new Answer(204, Map.of(), new byte[0], 0);
      }
      default -> query.contains("list-type") ? list(query) : get(path, exchange);
    };
  }

  private Answer put(String path, byte[] body, HttpExchange exchange) {
    String match = exchange.getRequestHeaders().getFirst("If-Match");
    boolean create = exchange.getRequestHeaders().containsKey("If-None-Match");
    boolean there = objects.containsKey(path);
    if ((create && there)
        || (match != null && !(there && match.contains(etag(path).replace("\"", ""))))) {
      return Answer.error(412, "PreconditionFailed");
    }
    objects.put(path, body);
    versions.merge(path, 1, Integer::sum);
    return new Answer(200, Map.of("ETag", etag(path)), new byte[0], 0);
  }

  private String etag(String path) {
    return "\"v" + versions.get(path) + "-" + path.hashCode() + "\"";
  }

  private Answer get(String path, HttpExchange exchange) {
    byte[] object = objects.get(path);
    if (object == null) {
      return Answer.error(404, "NoSuchKey");
    }
    String range = exchange.getRequestHeaders().getFirst("Range");
    if (range == null) {
      return new Answer(200, Map.of("ETag", etag(path)), object, object.length);
    }
    String[] ends = range.substring("bytes=".length()).split("-", -1);
    int from = Integer.parseInt(ends[0]);
    if (from >= object.length) {
      return Answer.error(416, "InvalidRange");
    }
    int to = Math.min(object.length, Integer.parseInt(ends[1]) + 1);
    String told = "bytes " + from + "-" + (to - 1) + "/" + object.length;
    byte[] part = Arrays.copyOfRange(object, from, to);
    return new Answer(206, Map.of("ETag", etag(path), "Content-Range", told), part, part.length);
  }

  private Answer list(String query) {
    Map<String, String> asked = new HashMap<>();
    for (String pair : query.split("&")) {
      String[] sides = pair.split("=", 2);
      asked.put(sides[0], sides.length > 1 ? sides[1] : "");
    }
    int max = Integer.parseInt(asked.getOrDefault("max-keys", "1000"));
    StringBuilder contents = new StringBuilder();
    int found = 0;
    for (String path : objects.keySet()) {
      String key = key(path);
      if (key.startsWith(Objects.requireNonNullElse(asked.get("prefix"), ""))
          && key.compareTo(asked.getOrDefault("start-after", "")) > 0
          && found++ < max) {
        contents
            .append("<Contents><Key>" + key)
            .append("</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;")
            .append(etag(path).replace("\"", ""))
            .append("&quot;</ETag><Size>" + objects.get(path).length + "</Size></Contents>");
      }
    }
    return Answer.whole(
        200,
        "application/xml",
        "<ListBucketResult><Name>bucket</Name><IsTruncated>"
            + (found > max)
            + "</IsTruncated>"
            + contents
            + "</ListBucketResult>");
  }

  private static String key(String path) {
    return path.substring(BUCKET.length());
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
