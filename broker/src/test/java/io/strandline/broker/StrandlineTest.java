package io.strandline.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.control.ControlException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A whole node in this process. */
@Timeout(120)
class StrandlineTest {
  private static BrokerConfig config(Path dir, Map<String, String> more) {
    Map<String, String> all = new HashMap<>();
    all.put("listeners", "PLAINTEXT://127.0.0.1:0");
    all.put("log.dirs", dir.resolve("data").toString());
    all.put(ConfigKeys.ADMIN_LISTENER, "127.0.0.1:0");
    all.putAll(more);
    return BrokerConfig.of(all);
  }

  private static HttpResponse<String> get(Strandline node, String path) throws Exception {
    InetSocketAddress address = node.adminAddress().orElseThrow();
    URI uri = URI.create("http://127.0.0.1:" + address.getPort() + path);
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void servesSaysSoAndStartsAgainAsTheSameNode(@TempDir Path dir) throws Exception {
    String cluster;
    try (Strandline node = Strandline.start(config(dir, Map.of()))) {
      cluster = node.control().view().clusterId();
      assertThat(node.port("PLAINTEXT")).isPositive();
      assertThat(node.control().serving()).isTrue();
      assertThat(get(node, "/readyz").statusCode()).isEqualTo(200);
      assertThat(get(node, "/healthz").body()).contains("\"running\":{\"ok\":true");
      assertThat(get(node, "/metrics").statusCode()).isEqualTo(200);
      assertThat(node.control().view().brokers("PLAINTEXT"))
          .extracting(broker -> broker.port())
          .containsExactly(node.port("PLAINTEXT"));
    }
    try (Strandline node = Strandline.start(config(dir, Map.of()))) {
      assertThat(node.control().view().clusterId()).isEqualTo(cluster);
    }
  }

  @Test
  void aTakenPortIsSaidInOneLine(@TempDir Path dir) throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + taken.getLocalPort();
      for (Map<String, String> setting :
          List.of(
              Map.of("listeners", "PLAINTEXT://" + address),
              Map.of("listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://" + address),
              Map.of(ConfigKeys.ADMIN_LISTENER, address))) {
        assertThatThrownBy(() -> Strandline.start(config(dir, setting)).close())
            .isInstanceOfAny(StartException.class, ControlException.class)
            .hasMessageContaining(address)
            .message()
            .doesNotContain("\n");
      }
    }
    // Whatever had started is gone again.
    Strandline.start(config(dir, Map.of())).close();
  }

  @Test
  void aDirectoryInUseIsSaidInOneLine(@TempDir Path dir) {
    try (Strandline first = Strandline.start(config(dir, Map.of()))) {
      assertThat(first.control().serving()).isTrue();
      assertThatThrownBy(() -> Strandline.start(config(dir, Map.of())).close())
          .isInstanceOf(StartException.class)
          .hasMessageContaining("in use by another process");
    }
  }

  @Test
  void aControllersHostThatDoesNotResolveIsNamed(@TempDir Path dir) {
    assertThatThrownBy(
            () ->
                Strandline.start(
                        config(
                            dir,
                            Map.of(
                                "listeners",
                                "PLAINTEXT://127.0.0.1:0,CONTROLLER://nowhere.invalid:0")))
                    .close())
        .isInstanceOf(ControlException.class)
        .hasMessageContaining("nowhere.invalid can not be resolved");
  }

  @Test
  void whatKafkaRefusesAcrossKeysStopsTheStart(@TempDir Path dir) {
    assertThatThrownBy(
            () ->
                Strandline.start(config(dir, Map.of("inter.broker.listener.name", "NONE"))).close())
        .isInstanceOf(ControlException.class)
        .hasMessageContaining("inter.broker.listener.name");
  }
}
