package io.strandline.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.control.ControlException;
import io.strandline.broker.control.quorum.NodeFormat;
import io.strandline.broker.history.HistoryKeys;
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
import java.util.Optional;
import org.apache.kafka.common.Uuid;
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

  /** Nothing would keep the controller from putting replicas there. */
  @Test
  void aReplayBrokerIsRefusedWhereDirectoriesCanNotBeCordoned(@TempDir Path dir) throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Map<String, String> quorum =
        Map.of(
            "controller.quorum.bootstrap.servers",
            "127.0.0.1:" + port,
            ConfigKeys.OBJECT_STORE,
            "file:" + dir.resolve("objects"));
    Map<String, String> first = new HashMap<>(quorum);
    first.put("listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:" + port);
    Map<String, String> second = new HashMap<>(quorum);
    second.putAll(
        Map.of(
            "process.roles",
            "broker",
            "node.id",
            "2",
            "listeners",
            "REPLAY://127.0.0.1:0",
            "listener.security.protocol.map",
            "REPLAY:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            HistoryKeys.REPLAY_BROKER,
            "true"));
    BrokerConfig ordinary = config(dir.resolve("one"), first);
    BrokerConfig replay = config(dir.resolve("replay"), second);
    formatted(ordinary, new NodeFormat.Voters.Standalone());
    formatted(replay, new NodeFormat.Voters.Elsewhere());
    try (Strandline node = Strandline.start(ordinary)) {
      assertThat(node.control().serving()).isTrue();
      assertThatThrownBy(() -> Strandline.start(replay).close())
          .isInstanceOf(StartException.class)
          .hasMessageContaining("a replay broker needs metadata version 4.3");
    }
  }

  private static void formatted(BrokerConfig node, NodeFormat.Voters voters) {
    NodeFormat.format(
        node.control(),
        new NodeFormat.Order(
            "MkU3OEVBNTcwNTJENDM2Qk",
            voters,
            new NodeFormat.Levels(Optional.of("4.2"), Map.of()),
            List.of(),
            false),
        Uuid::randomUuid);
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
