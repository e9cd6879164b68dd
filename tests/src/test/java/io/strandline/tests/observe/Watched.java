package io.strandline.tests.observe;

import io.strandline.broker.BrokerConfig;
import io.strandline.broker.Strandline;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A node in this process with its admin endpoint, what it tells, and clients that use it. */
final class Watched implements AutoCloseable {
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final Strandline node;

  Watched(Path dir, Map<String, String> settings) {
    Map<String, String> all = new HashMap<>();
    all.put("listeners", "PLAINTEXT://127.0.0.1:0");
    all.put("log.dirs", dir.resolve("data").toString());
    all.put("strandline.admin.listener", "127.0.0.1:0");
    all.put("strandline.object.store", "file:" + dir.resolve("objects"));
    all.put("strandline.tier.check.ms", "100");
    all.put("strandline.tier.gather.ms", "0");
    all.put("strandline.tier.upload.min.bytes", "0");
    all.put("group.initial.rebalance.delay.ms", "0");
    all.put("offsets.topic.num.partitions", "1");
    all.putAll(settings);
    node = Strandline.start(BrokerConfig.of(all));
  }

  // ---- what it tells

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + node.adminAddress().orElseThrow().getPort() + path);
    return HTTP.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }

  /** The lines of /metrics that are no comments. */
  List<String> samples() throws IOException, InterruptedException {
    return get("/metrics").body().lines().filter(line -> !line.startsWith("#")).toList();
  }

  /** The sum over all labels of one sample, empty when there is none. */
  OptionalDouble sum(String sample) throws IOException, InterruptedException {
    List<Double> values =
        samples().stream()
            .filter(line -> line.startsWith(sample + " ") || line.startsWith(sample + "{"))
            .map(line -> Double.valueOf(line.substring(line.lastIndexOf(' ') + 1)))
            .toList();
    return values.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(values.stream().mapToDouble(v -> v).sum());
  }

  static Object bean(String name, String attribute) {
    try {
      return ManagementFactory.getPlatformMBeanServer()
          .getAttribute(new ObjectName(name), attribute);
    } catch (JMException e) {
      throw new AssertionError(name + " " + attribute, e);
    }
  }

  static Set<String> beans(String pattern) {
    try {
      return ManagementFactory.getPlatformMBeanServer()
          .queryNames(new ObjectName(pattern), null)
          .stream()
          .map(ObjectName::toString)
          .collect(Collectors.toSet());
    } catch (MalformedObjectNameException e) {
      throw new AssertionError(pattern, e);
    }
  }

  // ---- use

  int port() {
    return node.port("PLAINTEXT");
  }

  private Map<String, Object> client() {
    return new HashMap<>(Map.of("bootstrap.servers", "127.0.0.1:" + port()));
  }

  Admin admin(Map<String, String> settings) {
    Map<String, Object> all = client();
    all.putAll(settings);
    return Admin.create(all);
  }

  void create(String topic, int partitions, Map<String, String> configs) throws Exception {
    try (Admin admin = Admin.create(client())) {
      admin
          .createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs)))
          .all()
          .get();
    }
  }

  void delete(String topic) throws Exception {
    try (Admin admin = Admin.create(client())) {
      admin.deleteTopics(List.of(topic)).all().get();
    }
  }

  /** Sends so many records to partition 0 and waits until all are acknowledged. */
  void produce(String topic, int records, int valueBytes) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(client(), new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < records; i++) {
        producer.send(new ProducerRecord<>(topic, 0, null, new byte[valueBytes]));
      }
      producer.flush();
    }
  }

  /** Reads the topic from its beginning as a group, and commits; returns how many records. */
  int consume(String topic, String group, int atLeast) {
    Map<String, Object> settings = client();
    settings.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    int read = 0;
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(topic));
      while (read < atLeast) {
        read += consumer.poll(Duration.ofMillis(200)).count();
      }
      consumer.commitSync();
    }
    return read;
  }

  static void await(String what, Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!condition.call()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what);
      }
      LockSupport.parkNanos(20_000_000L);
    }
  }

  @Override
  public void close() {
    node.close();
  }
}
