package io.strandline.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.control.quorum.NodeFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  @Test
  void theFileComesByPlaceOrByOption(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("server.properties");
    Files.writeString(file, "node.id=7\n");
    assertThat(Main.configure(List.of(file.toString()), Map.of()).kafka())
        .containsEntry("node.id", "7");
    assertThat(
            Main.configure(List.of("--set", "log.dirs=a=b", "--config", file.toString()), Map.of())
                .kafka())
        .containsEntry("node.id", "7")
        .containsEntry("log.dirs", "a=b");
  }

  @Test
  void wrongUsageIsRefused() {
    for (List<String> wrong :
        List.of(
            List.of("--set"),
            List.of("--set", "nothing"),
            List.of("--nonesuch"),
            List.of("a", "b"))) {
      assertThatThrownBy(() -> Main.configure(wrong, Map.of()))
          .as("%s", wrong)
          .isInstanceOf(ConfigError.class);
    }
  }

  /** Kafka's raft log throws what no compiler knows of. */
  @Test
  void aStartThatFailsWithACheckedExceptionLeavesNothingBehind(@TempDir Path dir) throws Exception {
    int admin = free();
    int controller = free();
    Path data = dir.resolve("data");
    BrokerConfig config =
        BrokerConfig.of(
            Map.of(
                "process.roles",
                "controller",
                "node.id",
                "1",
                "controller.listener.names",
                "CONTROLLER",
                "listeners",
                "CONTROLLER://127.0.0.1:" + controller,
                "controller.quorum.voters",
                "1@127.0.0.1:" + controller,
                "log.dirs",
                data.toString(),
                ConfigKeys.ADMIN_LISTENER,
                "127.0.0.1:" + admin));
    NodeFormat.format(
        config.control(),
        new NodeFormat.Order(
            "MkU3OEVBNTcwNTJENDM2Qk",
            new NodeFormat.Voters.Configured(),
            new NodeFormat.Levels(Optional.empty(), Map.of()),
            List.of(),
            false),
        Uuid::randomUuid);
    Files.createDirectory(data.resolve(".lock"));

    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream err = new PrintStream(said, true, StandardCharsets.UTF_8);
    assertThat(Main.serve(config, err, err)).isEqualTo(1);

    assertThat(said.toString(StandardCharsets.UTF_8).lines())
        .singleElement()
        .asString()
        .startsWith("strandline: could not start: ")
        .contains(".lock");
    for (int port : List.of(admin, controller)) {
      new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
    }
  }

  private static int free() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
