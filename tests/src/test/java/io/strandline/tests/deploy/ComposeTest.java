package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.BrokerConfig;
import io.strandline.tests.cluster.Records;
import io.strandline.tests.deploy.ComposeFile.Listener;
import io.strandline.tests.deploy.ComposeFile.Service;
import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.Ports;
import io.strandline.tests.store.S3MockProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** {@code compose.yaml}: what it says, and the nodes it describes as processes of this machine. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class ComposeTest {
  private static final Path CONFIG =
      Distribution.ROOT.resolve("deploy/image/src/root/etc/strandline/server.properties");
  private static final Pattern ADDRESS = Pattern.compile("([a-z0-9.-]+):([0-9]{4,5})");

  @TempDir Path dir;
  private final List<Process> processes = new ArrayList<>();
  private final Map<String, Integer> loopback = new HashMap<>();

  @AfterEach
  void endAll() throws InterruptedException {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void everyKeyIsKnownAndEveryValueAllowed() throws Exception {
    assertThat(ComposeFile.read().nodes()).hasSize(4);
    for (Service node : ComposeFile.read().nodes()) {
      BrokerConfig config = BrokerConfig.load(Optional.of(CONFIG), node.environment(), Map.of());
      assertThat(config.unknown()).as(node.name()).isEmpty();
      assertThat(config.control().parse().nodeId()).as(node.name()).isPositive();
      assertThat(config.objectStore()).startsWith("s3://strandline/");
    }
  }

  @Test
  void portsNamesAndListenersFitEachOther() throws Exception {
    ComposeFile file = ComposeFile.read();
    Set<Integer> published = new HashSet<>();
    Set<String> ids = new HashSet<>();
    for (Service node : file.nodes()) {
      assertThat(ids.add(node.environment().get("STRANDLINE_NODE_ID"))).as(node.name()).isTrue();
      List<Listener> bound = node.listeners("STRANDLINE_LISTENERS");
      assertThat(bound.stream().map(Listener::port)).doesNotHaveDuplicates();
      for (var port : node.ports().entrySet()) {
        assertThat(published.add(port.getKey())).as("port %s", port).isTrue();
        assertThat(bound).as(node.name()).anyMatch(l -> l.port() == port.getValue());
      }
      for (Listener told : node.listeners("STRANDLINE_ADVERTISED_LISTENERS")) {
        Listener own =
            bound.stream().filter(l -> l.name().equals(told.name())).findFirst().orElseThrow();
        if (told.host().equals("localhost")) {
          assertThat(node.ports()).as("%s", told).containsEntry(told.port(), own.port());
        } else {
          assertThat(told).isEqualTo(new Listener(own.name(), node.name(), own.port()));
        }
      }
      assertThat(node.keys()).containsEntry("hostname", node.name());
      Matcher addresses =
          ADDRESS.matcher(
              node.environment().get("STRANDLINE_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS")
                  + ","
                  + node.environment().getOrDefault("STRANDLINE_INITIAL_CONTROLLERS", ""));
      while (addresses.find()) {
        assertThat(file.services().get(addresses.group(1)).listeners("STRANDLINE_LISTENERS"))
            .contains(
                new Listener(
                    "CONTROLLER", addresses.group(1), Integer.parseInt(addresses.group(2))));
      }
    }
  }

  @Test
  void nodesMayWriteToTheirVolumesAlone() throws Exception {
    ComposeFile file = ComposeFile.read();
    Set<String> volumes = new HashSet<>();
    for (Service node : file.nodes()) {
      assertThat(node.keys()).as(node.name()).containsEntry("read_only", true);
      assertThat(node.list("cap_drop")).containsExactly("ALL");
      assertThat(node.list("security_opt")).containsExactly("no-new-privileges:true");
      assertThat(node.list("tmpfs")).containsExactly("/tmp");
      assertThat(node.list("volumes")).hasSize(1);
      String[] volume = node.list("volumes").get(0).split(":");
      assertThat(volume[1]).isEqualTo("/var/lib/strandline");
      assertThat(((Map<?, ?>) file.all().get("volumes")).containsKey(volume[0])).isTrue();
      assertThat(volumes.add(volume[0])).as("its own").isTrue();
      assertThat(((Map<?, ?>) node.keys().get("healthcheck")).get("test"))
          .isEqualTo(List.of("CMD", "strandline", "health"));
    }
    assertThat(file.services().get("replay-1").list("profiles")).containsExactly("replay");
  }

  @Test
  @EnabledIfSystemProperty(
      named = "strandline.compose",
      matches = "true",
      disabledReason = "takes half a minute")
  void theNodesMakeAClusterAndHistoryIsRead() throws Exception {
    Distribution distribution = Distribution.unpack(Files.createDirectory(dir.resolve("dist")));
    ComposeFile file = ComposeFile.read();
    try (S3MockProcess store = S3MockProcess.start(dir.resolve("store"), "strandline")) {
      for (Service node : file.nodes()) {
        start(distribution, node, store.endpoint());
      }
      for (Service node : file.nodes()) {
        Waiting.until(node.name() + " to be ready", () -> ready(node));
      }
      String bootstrap = "127.0.0.1:" + port("broker-1", 19092);
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
        NewTopic topic = new NewTopic("t", Optional.of(3), Optional.empty());
        admin
            .createTopics(List.of(topic.configs(Map.of("segment.bytes", "1048576"))))
            .all()
            .get(60, TimeUnit.SECONDS);
        assertThat(admin.describeTopics(List.of("t")).allTopicNames().get().get("t").partitions())
            .allMatch(p -> p.replicas().size() == 3);
        assertThat(admin.describeMetadataQuorum().quorumInfo().get().voters()).hasSize(3);
      }
      List<String> values = Records.values("composed", 300);
      Records.produce(bootstrap, "t", 3, values);
      assertThat(Records.consume(bootstrap, "t", 3, 300))
          .containsExactlyInAnyOrderElementsOf(values);
      assertThat(Records.consume("127.0.0.1:" + port("replay-1", 49094), "t", 3, 300))
          .as("by the replay broker")
          .containsExactlyInAnyOrderElementsOf(values);
    }
  }

  /** As the image would, with the loopback address in the place of the services' network. */
  private void start(Distribution distribution, Service node, String store) throws IOException {
    ProcessBuilder builder =
        distribution.command(dir, out(node), List.of("server", "--config", CONFIG.toString()));
    Map<String, String> environment = builder.environment();
    for (var variable : node.environment().entrySet()) {
      environment.put(variable.getKey(), onLoopback(node, variable.getValue(), store));
    }
    environment.put("STRANDLINE_LOG_DIRS", dir.resolve(node.name()).toString());
    environment.put("STRANDLINE_ADMIN_LISTENER", "off");
    environment.put("STRANDLINE_HEAP", "200m");
    environment.put("STRANDLINE_CLASS_DATA", "/nowhere");
    processes.add(builder.start());
  }

  private String onLoopback(Service node, String value, String store) throws IOException {
    Matcher matcher = ADDRESS.matcher(value.replace("http://minio:9000", store));
    StringBuilder all = new StringBuilder();
    while (matcher.find()) {
      String host = matcher.group(1);
      int port = Integer.parseInt(matcher.group(2));
      String there = matcher.group();
      if (!host.equals("127.0.0.1")) {
        boolean here = host.equals("0.0.0.0") || host.equals("localhost");
        int inside = host.equals("localhost") ? node.ports().get(port) : port;
        there = "127.0.0.1:" + port(here ? node.name() : host, inside);
      }
      matcher.appendReplacement(all, there);
    }
    return matcher.appendTail(all).toString();
  }

  private int port(String service, int inside) throws IOException {
    String key = service + ":" + inside;
    if (!loopback.containsKey(key)) {
      loopback.put(key, Ports.free());
    }
    return loopback.get(key);
  }

  private Path out(Service node) {
    return dir.resolve(node.name() + ".out");
  }

  private boolean ready(Service node) throws IOException {
    String said = Files.readString(out(node));
    if (processes.stream().anyMatch(process -> !process.isAlive())) {
      throw new AssertionError("a node ended: " + said);
    }
    return said.contains("Strandline is ready");
  }
}
