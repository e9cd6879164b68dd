package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.ThrottlingQuotaExceededException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What clients of one id may use, set and felt from outside; others do not notice. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class QuotaTest {
  private static final Duration POLL = Duration.ofMillis(100);
  private static final int RECORDS = 12;
  private static final int RECORD_BYTES = 10_000;
  private static final int RATE = 100_000;

  private Node node;
  private Admin admin;

  @BeforeAll
  void start(@TempDir Path dir) {
    node =
        new Node(
            dir,
            Map.of(
                "quota.window.num", "2",
                "share.coordinator.state.topic.num.partitions", "1",
                "controller.quota.window.num", "2"));
    admin = node.admin();
  }

  @AfterAll
  void stop() {
    admin.close();
    node.close();
  }

  @Test
  void quotasAreSetDescribedAndTakenAway() {
    ClientQuotaEntity both = new ClientQuotaEntity(Map.of("user", "u", "client-id", "c"));
    Map<String, String> defaultUser = new HashMap<>();
    defaultUser.put("user", null);
    ClientQuotaEntity anyUser = new ClientQuotaEntity(defaultUser);
    set(both, "producer_byte_rate", 1e6);
    set(both, "request_percentage", 50.0);
    set(anyUser, "consumer_byte_rate", 2e6);
    Node.await(
        "the quotas",
        () ->
            quotas()
                .equals(
                    Map.of(
                        both, Map.of("producer_byte_rate", 1e6, "request_percentage", 50.0),
                        anyUser, Map.of("consumer_byte_rate", 2e6))));
    assertThatThrownBy(() -> set(both, "no_such_quota", 1.0))
        .isInstanceOf(InvalidRequestException.class);
    set(both, "producer_byte_rate", null);
    set(both, "request_percentage", null);
    set(anyUser, "consumer_byte_rate", null);
    Node.await("no quotas", () -> quotas().isEmpty());
  }

  @Test
  void aProducerOfTooManyBytesIsToldToWaitAndAnotherIsNot() throws Exception {
    set(client("greedy-producer"), "producer_byte_rate", 20_000.0);
    fill("produced", "modest");
    try (KafkaProducer<String, String> producer = producer("greedy-producer")) {
      Node.await(
          "the broker to heed the quota",
          () -> {
            send(producer, "produced", 3);
            return max(producer.metrics(), "produce-throttle-time-max") > 0 && held() > 0;
          });
    }
    set(client("greedy-producer"), "producer_byte_rate", null);
  }

  @Test
  void aConsumerOfTooManyBytesIsToldToWaitAndGetsAllTheSame() throws Exception {
    set(client("greedy-consumer"), "consumer_byte_rate", 60_000.0);
    fill("consumed", "filler");
    TopicPartition partition = new TopicPartition("consumed", 0);
    try (KafkaConsumer<String, String> consumer = consumer("greedy-consumer");
        KafkaConsumer<String, String> modest = consumer("another")) {
      for (KafkaConsumer<String, String> each : List.of(consumer, modest)) {
        each.assign(List.of(partition));
        Node.await(
            "the quota to be felt, and every record",
            () -> {
              each.poll(POLL);
              if (each.position(partition) < RECORDS) {
                return false;
              }
              boolean told = max(each.metrics(), "fetch-throttle-time-max") > 0;
              if (!told && each == consumer) {
                each.seekToBeginning(List.of(partition)); // It was not heeded yet: once more.
              }
              return told || each == modest;
            });
      }
      assertThat(max(modest.metrics(), "fetch-throttle-time-max")).isZero();
    }
    set(client("greedy-consumer"), "consumer_byte_rate", null);
  }

  @Test
  void aMemberOfAShareGroupIsToldToWaitAndGetsAllTheSame() throws Exception {
    heeds("sharer", "shared");
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, "sharers");
    ConfigEntry earliest = new ConfigEntry("share.auto.offset.reset", "earliest");
    AlterConfigOp begin = new AlterConfigOp(earliest, AlterConfigOp.OpType.SET);
    Node.get(admin.incrementalAlterConfigs(Map.of(group, List.of(begin))).all());
    Map<String, Object> settings =
        Map.of("bootstrap.servers", node.bootstrap(), "group.id", "sharers", "client.id", "sharer");
    try (KafkaShareConsumer<String, String> consumer =
        new KafkaShareConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of("shared"));
      List<Long> offsets = new ArrayList<>();
      Node.await(
          "every record, and the quota to be felt",
          () -> {
            consumer.poll(POLL).forEach(record -> offsets.add(record.offset()));
            return offsets.size() >= RECORDS
                && max(consumer.metrics(), "fetch-throttle-time-max") > 0;
          });
      assertThat(offsets).containsExactlyElementsOf(LongStream.range(0, RECORDS).boxed().toList());
    }
    set(client("sharer"), "consumer_byte_rate", null);
  }

  @Test
  void whoComesOverAnotherConnectionEachTimeGetsNoMore() throws Exception {
    heeds("anew", "refetched");
    FetchRequest fetch = fetch("refetched", 0);
    long bytes = 0;
    long began = System.nanoTime();
    for (int i = 0; i < 40; i++) {
      try (RawFetcher once = new RawFetcher(node.port(), "anew")) {
        once.send(fetch);
        bytes += RawFetcher.bytes(once.receive());
      }
    }
    assertThat(bytes).isLessThan(lawful(began));
    set(client("anew"), "consumer_byte_rate", null);
  }

  /** All wait for the same record, and each of them was within the quota when it asked. */
  @Test
  void manyThatAskAtOnceGetNoMoreAndOweNoMoreThanOne() throws Exception {
    heeds("crowd", "warm");
    Node.get(admin.createTopics(List.of(new NewTopic("crowded", 1, (short) 1))).all());
    FetchRequest fetch = fetch("crowded", 30_000);
    List<RawFetcher> crowd = new ArrayList<>();
    long began = System.nanoTime();
    for (int i = 0; i < 30; i++) {
      crowd.add(new RawFetcher(node.port(), "crowd"));
      crowd.get(i).send(fetch);
    }
    try (KafkaProducer<String, String> producer = producer("modest")) {
      producer.send(new ProducerRecord<>("crowded", "v".repeat(90_000))).get(60, TimeUnit.SECONDS);
    }
    long bytes = 0;
    int longestMs = 0;
    for (RawFetcher one : crowd) {
      FetchResponse answer = one.receive();
      bytes += RawFetcher.bytes(answer);
      longestMs = Math.max(longestMs, answer.throttleTimeMs());
      one.close();
    }
    assertThat(bytes).isLessThan(lawful(began));
    assertThat(longestMs).isBetween(1, 6_000);
    set(client("crowd"), "consumer_byte_rate", null);
  }

  /** Members of as many groups, all of which wait for the same record. */
  @Test
  void manyThatShareAtOnceOweNoMoreThanTwo() throws Exception {
    heeds("sharers", "tepid");
    Node.get(admin.createTopics(List.of(new NewTopic("acclaimed", 1, (short) 1))).all());
    List<KafkaShareConsumer<String, String>> members = new ArrayList<>();
    try (KafkaProducer<String, String> producer = producer("modest")) {
      Set<Integer> began = new HashSet<>();
      for (int i = 0; i < 12; i++) {
        members.add(
            new KafkaShareConsumer<>(
                Map.of(
                    "bootstrap.servers",
                    node.bootstrap(),
                    "group.id",
                    "acclaim-" + i,
                    "client.id",
                    "sharers"),
                new StringDeserializer(),
                new StringDeserializer()));
        members.get(i).subscribe(List.of("acclaimed"));
      }
      Node.await(
          "all to be there",
          () -> {
            producer.send(new ProducerRecord<>("acclaimed", "v"));
            began.addAll(given(members, 1));
            return began.size() == members.size();
          });
      String large = "v".repeat(90_000);
      producer.send(new ProducerRecord<>("acclaimed", large)).get(60, TimeUnit.SECONDS);
      Set<Integer> told = new HashSet<>();
      Node.await(
          "each to have it or be told to wait",
          () -> {
            told.addAll(given(members, large.length()));
            IntStream.range(0, members.size())
                .filter(i -> throttledMs(members.get(i)) > 0)
                .forEach(told::add);
            return told.size() == members.size();
          });
      assertThat(members).anyMatch(member -> throttledMs(member) > 0);
      assertThat(members).allMatch(member -> throttledMs(member) < 4_000);
    } finally {
      members.forEach(member -> member.close(Duration.ZERO));
    }
    set(client("sharers"), "consumer_byte_rate", null);
  }

  /** Which of them get a record of so many bytes now. */
  private static Set<Integer> given(List<KafkaShareConsumer<String, String>> members, int bytes) {
    Set<Integer> given = new HashSet<>();
    for (int i = 0; i < members.size(); i++) {
      for (ConsumerRecord<String, String> record : members.get(i).poll(Duration.ofMillis(20))) {
        if (record.value().length() >= bytes) {
          given.add(i);
        }
      }
    }
    return given;
  }

  private static double throttledMs(KafkaShareConsumer<String, String> member) {
    return max(member.metrics(), "fetch-throttle-time-max");
  }

  /** In two windows of a second each, and with one answer beyond them. */
  private static long lawful(long beganNanos) {
    double seconds = (System.nanoTime() - beganNanos) / 1e9;
    return (long) (RATE * (seconds + 4));
  }

  private static FetchRequest fetch(String topic, int waitMs) {
    TopicPartition partition = new TopicPartition(topic, 0);
    var all = new FetchRequest.PartitionData(Uuid.ZERO_UUID, 0, -1, 1 << 20, Optional.empty());
    return FetchRequest.Builder.forConsumer((short) 12, waitMs, 1, Map.of(partition, all))
        .build((short) 12);
  }

  /** Gives a client a quota; when this returns it holds. */
  private void heeds(String client, String topic) throws Exception {
    set(client(client), "consumer_byte_rate", (double) RATE);
    fill(topic, "filler");
    try (RawFetcher looks = new RawFetcher(node.port(), client)) {
      Node.await(
          "the quota to bound an answer",
          () -> {
            looks.send(fetch(topic, 0));
            return RawFetcher.bytes(looks.receive()) <= RATE;
          });
    }
  }

  @Test
  void aClientOfTooMuchTimeIsToldToWait() throws Exception {
    set(client("busy"), "request_percentage", 0.01);
    fill("timed", "filler");
    try (KafkaConsumer<String, String> consumer = consumer("busy")) {
      TopicPartition partition = new TopicPartition("timed", 0);
      consumer.assign(List.of(partition));
      Node.await(
          "the quota to be felt",
          () -> {
            consumer.seekToBeginning(List.of(partition));
            consumer.poll(POLL);
            return max(consumer.metrics(), "fetch-throttle-time-max") > 0;
          });
    }
    set(client("busy"), "request_percentage", null);
  }

  @Test
  void whoCreatesTooManyPartitionsIsRefused() {
    set(client("creator"), "controller_mutation_rate", 1.0);
    Map<String, Object> settings =
        Map.of("bootstrap.servers", node.bootstrap(), "client.id", "creator");
    CreateTopicsOptions atOnce = new CreateTopicsOptions().retryOnQuotaViolation(false);
    try (Admin creator = Admin.create(settings)) {
      int[] n = {0};
      Node.await(
          "the quota to be felt",
          () -> {
            List<NewTopic> topics =
                IntStream.range(0, 3)
                    .mapToObj(i -> new NewTopic("many-" + n[0]++, 5, (short) 1))
                    .toList();
            try {
              Node.get(creator.createTopics(topics, atOnce).all());
              return false;
            } catch (ThrottlingQuotaExceededException told) {
              return told.throttleTimeMs() > 0;
            }
          });
    }
    set(client("creator"), "controller_mutation_rate", null);
  }

  /** Connections that the broker does not read from, because they produced too much. */
  private static double held() {
    try {
      ObjectName produce = new ObjectName("kafka.server:type=Produce");
      var server = ManagementFactory.getPlatformMBeanServer();
      return (double) server.getAttribute(produce, "queue-size");
    } catch (JMException e) {
      throw new AssertionError(e);
    }
  }

  private void fill(String topic, String client) {
    Node.get(admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all());
    try (KafkaProducer<String, String> producer = producer(client)) {
      send(producer, topic, RECORDS);
      assertThat(max(producer.metrics(), "produce-throttle-time-max")).isZero();
    }
  }

  private KafkaProducer<String, String> producer(String clientId) {
    return node.producer(Map.of("client.id", clientId, "batch.size", "1"));
  }

  private KafkaConsumer<String, String> consumer(String clientId) {
    return node.consumer(Map.of("client.id", clientId));
  }

  private static void send(KafkaProducer<String, String> producer, String topic, int records) {
    char[] value = new char[RECORD_BYTES];
    Arrays.fill(value, 'v');
    try {
      for (int i = 0; i < records; i++) {
        producer.send(new ProducerRecord<>(topic, new String(value))).get(60, TimeUnit.SECONDS);
      }
    } catch (Exception failed) {
      throw new AssertionError(failed);
    }
  }

  private static double max(Map<MetricName, ? extends Metric> metrics, String name) {
    return metrics.entrySet().stream()
        .filter(metric -> metric.getKey().name().equals(name))
        .mapToDouble(metric -> ((Number) metric.getValue().metricValue()).doubleValue())
        .filter(value -> !Double.isNaN(value))
        .max()
        .orElse(0);
  }

  private static ClientQuotaEntity client(String id) {
    return new ClientQuotaEntity(Map.of("client-id", id));
  }

  private void set(ClientQuotaEntity of, String key, Double value) {
    Collection<ClientQuotaAlteration> change =
        List.of(new ClientQuotaAlteration(of, List.of(new ClientQuotaAlteration.Op(key, value))));
    Node.get(admin.alterClientQuotas(change).all());
  }

  private Map<ClientQuotaEntity, Map<String, Double>> quotas() {
    return Node.get(admin.describeClientQuotas(ClientQuotaFilter.all()).entities())
        .entrySet()
        .stream()
        .filter(of -> !of.getKey().entries().equals(Map.of()))
        .filter(of -> of.getKey().entries().containsKey("user"))
        .collect(java.util.stream.Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }
}
