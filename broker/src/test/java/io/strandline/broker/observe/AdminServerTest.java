package io.strandline.broker.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.observe.Health.Check;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AdminServerTest {
  static {
    System.setProperty("sun.net.httpserver.maxReqTime", "1"); // or a test takes ten seconds
  }

  private final Health health = new Health();

  private static HttpResponse<String> send(AdminServer server, String method, String path)
      throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + server.address().getPort() + path);
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(uri).method(method, HttpRequest.BodyPublishers.noBody()).build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private AdminServer server(Meters meters) throws Exception {
    return AdminServer.start(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), meters, health, Runnable::run);
  }

  @Test
  void readinessNamesEveryCheckAndFailsWithOne() throws Exception {
    health.ready("a", () -> Check.OK);
    health.ready("b", () -> Check.failed("the \"reason\""));
    health.live("alive", () -> Check.OK);
    try (Meters meters = new Meters(System::nanoTime);
        AdminServer server = server(meters)) {
      HttpResponse<String> ready = send(server, "GET", "/readyz");
      assertThat(ready.statusCode()).isEqualTo(503);
      assertThat(ready.body())
          .isEqualTo(
              "{\"status\":\"failing\",\"checks\":{\"a\":{\"ok\":true,\"detail\":\"\"},"
                  + "\"b\":{\"ok\":false,\"detail\":\"the \\\"reason\\\"\"}}}");
      assertThat(send(server, "GET", "/healthz").statusCode()).isEqualTo(200);
      health.ready("b", () -> Check.OK);
      assertThat(send(server, "GET", "/readyz").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void aCheckThatThrowsFails() throws Exception {
    health.live(
        "alive",
        () -> {
          throw new IllegalStateException("broken");
        });
    assertThat(health.life().values()).extracting(Check::ok).containsExactly(false);
  }

  @Test
  void metricsAreToldForPrometheus() throws Exception {
    try (Meters meters = new Meters(System::nanoTime);
        AdminServer server = server(meters)) {
      meters.registry().counter("strandline.test.things").increment(3);
      meters.bindProcess(java.time.InstantSource.system());
      HttpResponse<String> answer = send(server, "GET", "/metrics");
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.headers().firstValue("Content-Type").orElse("")).startsWith("text/plain");
      assertThat(answer.body()).contains("strandline_test_things_total 3.0").contains("jvm_memory");
    }
  }

  @Test
  void everythingElseIsRefused() throws Exception {
    try (Meters meters = new Meters(System::nanoTime);
        AdminServer server = server(meters)) {
      assertThat(send(server, "GET", "/").statusCode()).isEqualTo(404);
      assertThat(send(server, "GET", "/healthz/more").statusCode()).isEqualTo(404);
      assertThat(send(server, "POST", "/healthz").statusCode()).isEqualTo(405);
    }
  }

  @Test
  void whoSendsHalfARequestKeepsNobodyFromAnAnswer() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    List<Socket> half = new ArrayList<>();
    try (Meters meters = new Meters(System::nanoTime);
        AdminServer server =
            AdminServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                meters,
                health,
                threads)) {
      for (int i = 0; i < 4; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.address().getPort());
        socket.getOutputStream().write("GET /".getBytes(StandardCharsets.US_ASCII));
        half.add(socket);
      }
      assertThat(send(server, "GET", "/healthz").statusCode()).isEqualTo(200);
      for (Socket socket : half) {
        socket.close();
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
