package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.server.quota.ClientQuotaCallback;
import org.apache.kafka.server.quota.ClientQuotaEntity;
import org.apache.kafka.server.quota.ClientQuotaType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code client.quota.callback.class}: a class of the user's own says who has which quota. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class QuotaCallbackTest {
  private static final int VALUE_BYTES = 20_000;

  /** Clients whose id begins with {@code team-} share what the topics are worth. */
  public static final class Teams implements ClientQuotaCallback {
    static final Set<String> TOPICS = ConcurrentHashMap.newKeySet();
    static final Queue<String> HEARD = new ConcurrentLinkedQueue<>();
    private volatile boolean anyTopic;

    @Override
    public void configure(Map<String, ?> configs) {
      HEARD.add("configured " + configs.get("teams.color"));
    }

    @Override
    public Map<String, String> quotaMetricTags(
        ClientQuotaType type, KafkaPrincipal principal, String clientId) {
      return clientId.startsWith("team-") ? Map.of("team", clientId.substring(5, 6)) : Map.of();
    }

    @Override
    public Double quotaLimit(ClientQuotaType type, Map<String, String> tags) {
      boolean bound = type == ClientQuotaType.PRODUCE && tags.containsKey("team") && anyTopic;
      return bound ? 50_000.0 : null;
    }

    @Override
    public void updateQuota(ClientQuotaType type, ClientQuotaEntity entity, double value) {
      HEARD.add(type + " " + entity.configEntities().get(0).name() + " " + value);
    }

    @Override
    public void removeQuota(ClientQuotaType type, ClientQuotaEntity entity) {
      HEARD.add(type + " " + entity.configEntities().get(0).name() + " gone");
    }

    @Override
    public boolean quotaResetRequired(ClientQuotaType type) {
      return false;
    }

    @Override
    public boolean updateClusterMetadata(Cluster cluster) {
      TOPICS.addAll(cluster.topics());
      boolean before = anyTopic;
      anyTopic = cluster.topics().contains("bounded");
      return before != anyTopic;
    }

    @Override
    public void close() {
      HEARD.add("closed");
    }
  }

  @Test
  void itSaysWhoHasWhichQuota(@TempDir Path dir) {
    Map<String, String> settings = new HashMap<>();
    settings.put("client.quota.callback.class", Teams.class.getName());
    settings.put("teams.color", "blue");
    settings.put("quota.window.num", "2");
    try (Node node = new Node(dir, settings);
        Admin admin = node.admin();
        KafkaProducer<String, String> team = node.producer(client("team-a1"));
        KafkaProducer<String, String> mate = node.producer(client("team-a2"));
        KafkaProducer<String, String> other = node.producer(client("other"))) {
      create(admin, "free");
      send(team, "free", 5);
      assertThat(throttled(team)).as("before it says so").isZero();
      create(admin, "bounded");
      Node.await("the quota to be felt", () -> sent(team) && throttled(team) > 0);
      Node.await("it to be shared", () -> sent(mate) && throttled(mate) > 0);
      send(other, "free", 5);
      assertThat(throttled(other)).isZero();
      assertThat(Teams.TOPICS).contains("free", "bounded");

      var entity = new org.apache.kafka.common.quota.ClientQuotaEntity(Map.of("client-id", "x"));
      for (Double value : new Double[] {5.0, null}) {
        var op = new ClientQuotaAlteration.Op("consumer_byte_rate", value);
        var change = new ClientQuotaAlteration(entity, List.of(op));
        Node.get(admin.alterClientQuotas(List.of(change)).all());
      }
      Node.await("it to hear", () -> Teams.HEARD.contains("FETCH x gone"));
      assertThat(Teams.HEARD).contains("configured blue", "FETCH x 5.0");
    }
    assertThat(Teams.HEARD).contains("closed");
  }

  @Test
  void aClassThatIsNoneStopsTheStart(@TempDir Path dir) {
    Map<String, String> settings = Map.of("client.quota.callback.class", "java.lang.String");
    assertThatThrownBy(() -> new Node(dir, settings))
        .hasStackTraceContaining("ClientQuotaCallback");
  }

  private static Map<String, String> client(String id) {
    return Map.of("client.id", id, "batch.size", "1");
  }

  private static void create(Admin admin, String topic) {
    Node.get(admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all());
  }

  private static boolean sent(KafkaProducer<String, String> producer) {
    send(producer, "free", 1);
    return true;
  }

  private static void send(KafkaProducer<String, String> producer, String topic, int records) {
    try {
      for (int i = 0; i < records; i++) {
        var record = new ProducerRecord<String, String>(topic, "v".repeat(VALUE_BYTES));
        producer.send(record).get(60, TimeUnit.SECONDS);
      }
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static double throttled(KafkaProducer<String, String> producer) {
    return producer.metrics().entrySet().stream()
        .filter(metric -> metric.getKey().name().equals("produce-throttle-time-max"))
        .mapToDouble(metric -> (double) metric.getValue().metricValue())
        .filter(value -> !Double.isNaN(value))
        .sum();
  }
}
