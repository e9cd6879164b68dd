package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.management.ObjectName;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How many may connect and how fast, set while the broker runs and felt from outside. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ConnectionQuotaTest {
  private static final int LONG_MS = 30_000;
  private static final int SHORT_MS = 300;
  private static final String MODEST = "127.0.0.1";
  private static final String GREEDY = "127.0.0.2";
  private Node node;
  private Admin admin;

  /** Names of their own for each node, as Kafka's figures of one process share theirs. */
  private static Map<String, String> listeners(String ofBrokers, String ofClients) {
    Map<String, String> settings = new HashMap<>();
    settings.put("listeners", ofBrokers + "://127.0.0.1:0," + ofClients + "://127.0.0.1:0");
    settings.put(
        "listener.security.protocol.map",
        ofBrokers + ":PLAINTEXT," + ofClients + ":PLAINTEXT,CONTROLLER:PLAINTEXT");
    settings.put("inter.broker.listener.name", ofBrokers);
    settings.put("quota.window.num", "2");
    return settings;
  }

  @BeforeAll
  void start(@TempDir Path dir) {
    node = new Node(dir, listeners("PLAINTEXT", "CLIENTS"));
    admin = node.admin();
  }

  @AfterAll
  void stop() {
    admin.close();
    node.close();
  }

  @Test
  void anAddressThatConnectsTooOftenIsCutOffAndAnotherIsNot() {
    rate(GREEDY, 1.0);
    Node.await("the quota to be felt", () -> knock(GREEDY) == Knock.Outcome.CLOSED);
    assertThat(told("ip-connection-accept-throttle-time")).isPositive();
    for (int i = 0; i < 20; i++) {
      assertThat(knock(MODEST)).isEqualTo(Knock.Outcome.ANSWERED);
    }
    rate(GREEDY, null);
    Node.await("the quota to be gone", () -> answeredTenTimes(GREEDY));
  }

  @Test
  void theDefaultIsForEveryAddressWithoutOneOfItsOwn() {
    String named = "127.0.0.3";
    String unnamed = "127.0.0.4";
    rate(named, 1000.0);
    rate(null, 1.0);
    Node.await("the quota to be felt", () -> knock(unnamed) == Knock.Outcome.CLOSED);
    assertThat(answeredTenTimes(named)).isTrue();
    rate(null, null);
    Node.await("the quota to be gone", () -> answeredTenTimes(unnamed));
    rate(named, null);
  }

  @Test
  void aListenerThatIsTooFastPausesAndRefusesNobody() {
    double before = blocked();
    configure("listener.name.clients.max.connection.creation.rate", "2");
    Node.await(
        "the bound to be felt",
        () -> {
          assertThat(knock(MODEST)).isEqualTo(Knock.Outcome.ANSWERED);
          return blocked() > before;
        });
    assertThat(told("connection-accept-throttle-time")).isPositive();
    configure("listener.name.clients.max.connection.creation.rate", null);
  }

  @Test
  void aFullListenerLetsTheNextInWhenOneLeaves() {
    configure("listener.name.clients.max.connections", "1");
    Node.await("others to have left", () -> open() == 0);
    try (Knock first = new Knock(MODEST, clients())) {
      assertThat(first.ask(LONG_MS)).isEqualTo(Knock.Outcome.ANSWERED);
      Node.await("the bound to be heeded", this::oneMoreWaits);
      try (Knock second = new Knock(MODEST, clients())) {
        assertThat(second.ask(SHORT_MS)).isEqualTo(Knock.Outcome.WAITS);
        assertThat(first.ask(LONG_MS)).isEqualTo(Knock.Outcome.ANSWERED);
        first.close();
        assertThat(second.await(LONG_MS)).isEqualTo(Knock.Outcome.ANSWERED);
      }
    }
    configure("listener.name.clients.max.connections", null);
  }

  private boolean oneMoreWaits() {
    try (Knock more = new Knock(MODEST, clients())) {
      return more.ask(SHORT_MS) == Knock.Outcome.WAITS;
    }
  }

  @Test
  void brokersGetInWhenClientsHaveTakenEveryPlace(@TempDir Path dir) {
    Map<String, String> settings = listeners("BROKERS", "OTHERS");
    settings.put("max.connections", "2");
    try (Node full = new Node(dir, settings);
        Knock first = new Knock(MODEST, full.port("OTHERS"));
        Knock second = new Knock(MODEST, full.port("OTHERS"))) {
      assertThat(first.ask(LONG_MS)).isEqualTo(Knock.Outcome.ANSWERED);
      assertThat(second.ask(LONG_MS)).isEqualTo(Knock.Outcome.ANSWERED);
      for (int i = 0; i < 50; i++) { // the end of an answer is noted a little after it has come
        assertThat(first.ask(LONG_MS)).isEqualTo(Knock.Outcome.ANSWERED);
      }
      try (Knock broker = new Knock(MODEST, full.port("BROKERS"))) {
        assertThat(broker.ask(LONG_MS)).isEqualTo(Knock.Outcome.ANSWERED);
        assertThat(second.await(LONG_MS)).isEqualTo(Knock.Outcome.CLOSED);
        assertThat(first.ask(LONG_MS)).isEqualTo(Knock.Outcome.ANSWERED);
      }
    }
  }

  private int clients() {
    return node.port("CLIENTS");
  }

  private Knock.Outcome knock(String from) {
    try (Knock knock = new Knock(from, clients())) {
      return knock.ask(LONG_MS);
    }
  }

  private boolean answeredTenTimes(String from) {
    for (int i = 0; i < 10; i++) {
      if (knock(from) != Knock.Outcome.ANSWERED) {
        return false;
      }
    }
    return true;
  }

  private void rate(String ip, Double perSecond) {
    Map<String, String> entity = new HashMap<>();
    entity.put(ClientQuotaEntity.IP, ip);
    var op = new ClientQuotaAlteration.Op("connection_creation_rate", perSecond);
    var change = new ClientQuotaAlteration(new ClientQuotaEntity(entity), List.of(op));
    Node.get(admin.alterClientQuotas(List.of(change)).all());
  }

  private void configure(String key, String value) {
    AlterConfigOp op =
        new AlterConfigOp(
            new ConfigEntry(key, value),
            value == null ? AlterConfigOp.OpType.DELETE : AlterConfigOp.OpType.SET);
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
    Node.get(admin.incrementalAlterConfigs(Map.of(broker, List.of(op))).all());
  }

  private static double told(String attribute) {
    return attribute("kafka.server:type=socket-server-metrics,listener=CLIENTS", attribute);
  }

  private static double blocked() {
    return attribute(
        "kafka.network:type=Acceptor,name=AcceptorBlockedPercent,listener=CLIENTS", "Count");
  }

  private static double open() {
    return attribute(
        "kafka.server:type=socket-server-metrics,listener=CLIENTS,networkProcessor=0",
        "connection-count");
  }

  private static double attribute(String bean, String attribute) {
    try {
      Object value =
          ManagementFactory.getPlatformMBeanServer().getAttribute(new ObjectName(bean), attribute);
      return ((Number) value).doubleValue();
    } catch (Exception e) {
      throw new AssertionError(bean, e);
    }
  }
}
